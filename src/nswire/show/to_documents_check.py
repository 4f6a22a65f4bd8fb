"""A report of `check` to documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.check.naming import fingerprint
from nswire.handles import unique_handle, unique_namespace
from nswire.show import to_documents_reasons
from nswire.show.documents import FindingDoc
from nswire.show.documents_check import FactDoc, FailedDoc, SkippedDoc, SuppressedDoc
from nswire.show.documents_reasons import MendDoc
from nswire.show.text_path import commanded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.check import Found, Report, Skipped
    from nswire.check.rule import Subject
    from nswire.model.topology import Topology
    from nswire.show.to_documents import Builder


def handle(topology: Topology, subject: Subject) -> str:
    """The handle that finds a link or a namespace and nothing else. Escape it like any text from outside."""
    if isinstance(subject, int):
        ns = topology.namespaces.get(subject)
        return f"net:[{subject}]" if ns is None else unique_namespace(topology, ns)
    link = topology.get(subject)
    return f"net:[{subject.ns}]/{subject.ifindex}" if link is None else unique_handle(link)


class CheckBuilder:
    """Makes the documents of one report."""

    def __init__(self, report: Report, build: Builder) -> None:
        self._report = report
        self._build = build
        self._handles: dict[Subject, str] = {}

    def parts(self) -> list[tuple[str, Iterable[object]]]:
        """The lists of the document."""
        report = self._report
        return [
            ("rules", report.rules),
            ("findings", map(self.finding, report.found)),
            ("suppressed", (self._suppressed(*one) for one in report.suppressed)),
            ("skipped", map(_skipped, report.skipped)),
            ("failed", (FailedDoc(rule=one.rule, error=one.error) for one in report.failed)),
        ]

    def facts(self) -> dict[str, object]:
        """The keys that are no lists."""
        return {"looks": self._report.looks}

    def _suppressed(self, found: Found, reason: str) -> SuppressedDoc:
        return SuppressedDoc(
            rule=found.rule.id,
            code=found.finding.cause.code,
            subjects=tuple(map(self._handle, found.finding.subjects)),
            fingerprint=fingerprint(self._report.topology, found),
            reason=reason,
        )

    def finding(self, found: Found) -> FindingDoc:
        """One finding, with what follows from it."""
        finding, topology = found.finding, self._report.topology
        mend = finding.mend
        return FindingDoc(
            rule=found.rule.id,
            code=finding.cause.code,
            severity=found.severity,
            subjects=tuple(map(self._handle, finding.subjects)),
            text=finding.cause.text,
            values=to_documents_reasons.values(finding.cause),
            facts=tuple(
                FactDoc(subject=self._handle(one.subject), name=one.name, value=one.value)
                for one in finding.facts
            ),
            owners=tuple(map(self._build.owner, found.owners)),
            fix=None
            if mend is None
            else MendDoc(effect=mend.effect, command=commanded(topology, mend) or None),
            confidence=finding.confidence,
            fingerprint=fingerprint(topology, found),
            consequences=tuple(map(self.finding, found.consequences)),
        )

    def _handle(self, subject: Subject) -> str:
        if subject not in self._handles:
            self._handles[subject] = handle(self._report.topology, subject)
        return self._handles[subject]


def _skipped(one: Skipped) -> SkippedDoc:
    (gap,) = to_documents_reasons.gaps((one.gap,))
    return SkippedDoc(rule=one.rule, gap=gap)
