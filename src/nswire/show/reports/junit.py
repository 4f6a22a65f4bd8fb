"""JUnit XML of `nswire check`: one test case a rule, failed with all that it found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.check.naming import all_of, full
from nswire.show import junit
from nswire.show.text_path import fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check import Found, Report

GROUP = "nswire.check"


def write(report: Report) -> Iterator[str]:
    """The document, a test case at a time."""
    found: dict[str, list[Found]] = {}
    for one in all_of(report):
        found.setdefault(one.rule.id, []).append(one)
    failed = {one.rule: one.error for one in report.failed}
    gaps: dict[str, list[str]] = {}
    for skip in report.skipped:
        gaps.setdefault(skip.rule, []).append(skip.gap.text)
    cases = []
    for rule in report.rules:
        if rule in found:
            cases.append(_failure(report, rule, found[rule]))
        elif rule in failed:
            cases.append(junit.Case(GROUP, rule, "error", failed[rule], type="nswire"))
        elif rule in gaps:
            cases.append(junit.Case(GROUP, rule, "skipped", "; ".join(gaps[rule])))
        else:
            cases.append(junit.Case(GROUP, rule))
    return junit.write("nswire check", cases, report.topology.taken)


def _failure(report: Report, rule: str, found: list[Found]) -> junit.Case:
    title = f"{found[0].rule.title}: {len(found)}"
    lines = []
    for one in found:
        subject = full(report.topology, one.finding.subjects[0])
        command = fix(report.topology, one.finding.mend)
        told = f"{one.severity} {one.finding.cause.code} {subject}: {one.finding.cause.text}"
        lines.append(told + (f" [{command}]" if command else ""))
    return junit.Case(GROUP, rule, "failure", title, lines, found[0].severity)
