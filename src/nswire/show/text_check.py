"""`nswire check` for people: by rule, worst first, what is alike told once; and what could not be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.check import SEVERITIES
from nswire.escape import visible
from nswire.show import words
from nswire.show.terminal import Span, fold_text, line, span
from nswire.show.text_path import mended
from nswire.show.to_documents_check import handle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.check import Found, Report, Rule
    from nswire.show.terminal import Paper

STYLES = {"error": "down", "warning": "doubt", "note": "dim"}
ALIKE_TOLD = 5  # subjects that are named behind the first of its like
SKIPS_TOLD = 8


def write_report(paper: Paper, report: Report) -> None:
    """All that was found, and the sum of it."""
    groups: dict[tuple[str, str], list[Found]] = {}
    for one in report.found:
        groups.setdefault((one.severity, one.rule.id), []).append(one)
    for (severity, _), found in groups.items():
        paper.print(
            span(severity, STYLES[severity]), "  ", span(found[0].rule.id, "head"), f": {found[0].rule.title}"
        )
        for alike in _alike(found):
            _write(paper, report, alike)
    _write_skipped(paper, report)
    for failed in report.failed:
        fold_text(
            paper, (), f"failed: {failed.rule}: {failed.error} (this is a fault of nswire: report it)", "down"
        )
    fold_text(paper, (), _sum(report), "" if report.found else "up")


def _alike(found: Iterable[Found]) -> list[list[Found]]:
    """Findings that differ in nothing but whom they are about."""
    groups: dict[object, list[Found]] = {}
    for one in found:
        facts = tuple((fact.name, fact.value) for fact in one.finding.facts)
        groups.setdefault((one.finding.cause.code, facts, len(one.consequences)), []).append(one)
    return list(groups.values())


def _write(paper: Paper, report: Report, alike: list[Found]) -> None:
    first, topology = alike[0], report.topology
    subject = handle(topology, first.finding.subjects[0])
    start = line("  ", span(subject, "name"), ": ")
    fold_text(paper, start, first.finding.cause.text)
    if first.finding.confidence == "inferred":
        paper.print("    ", Span("inferred, not proved: ask `nswire peer` why", "doubt"))
    if first.finding.mend is not None:
        fold_text(paper, line("    "), mended(topology, first.finding.mend))
    if first.owners:
        fold_text(paper, line("    "), f"hits {words.owners(first.owners)}", "owner")
    for rule, number in _counts(first.consequences).items():
        paper.print("    ", Span(f"from this follows: {number} of {rule}", "dim"))
    rest = [handle(topology, one.finding.subjects[0]) for one in alike[1:]]
    if rest:
        more = f" and {len(rest) - ALIKE_TOLD} more" if len(rest) > ALIKE_TOLD else ""
        fold_text(paper, line("    "), f"and {len(rest)} like this: {', '.join(rest[:ALIKE_TOLD])}{more}")


def _counts(found: Iterable[Found]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in found:
        counts[one.rule.id] = counts.get(one.rule.id, 0) + 1
        for rule, number in _counts(one.consequences).items():
            counts[rule] = counts.get(rule, 0) + number
    return counts


def _write_skipped(paper: Paper, report: Report) -> None:
    """What could not be judged: by gap, since one gap is often that of many rules."""
    rules: dict[str, list[str]] = {}
    for one in report.skipped:
        rules.setdefault(one.gap.text_with_hint, []).append(one.rule)
    for text, names in list(rules.items())[:SKIPS_TOLD]:
        fold_text(paper, (), f"skipped: {', '.join(dict.fromkeys(names))}: {text}", "dim")
    if len(rules) > SKIPS_TOLD:
        paper.print(Span(f"and {len(rules) - SKIPS_TOLD} more: --json shows all", "dim"))


def _sum(report: Report) -> str:
    asked = f"by {words.counted(len(report.rules), 'rule')}"
    skipped = len({one.rule for one in report.skipped})
    quiet = f"; {len(report.suppressed)} suppressed" if report.suppressed else ""
    partly = f"; {words.counted(skipped, 'rule')} could not be judged everywhere" if skipped else ""
    partly = quiet + partly
    if not report.found:
        return f"nothing found {asked}{partly}"
    counts = [
        words.counted(number, severity)
        for severity in SEVERITIES
        if (number := sum(one.severity == severity for one in report.found))
    ]
    return f"{', '.join(counts)} {asked}{partly}"


def write_rules(paper: Paper, rules: Iterable[Rule]) -> None:
    """The table of rules."""
    for rule in rules:  # our own words: padding from outside would be made visible
        paper.print(
            Span(f"{rule.id:20}", "name"), Span(f"{rule.severity:9}", STYLES[rule.severity]), rule.title
        )


def write_page(paper: Paper, rule: Rule) -> None:
    """The published page of a rule."""
    paper.print(span(rule.id, "head"), f" ({rule.severity})")
    paper.print()
    for text in rule.page.split("\n"):
        paper.print(Span(visible(text)))
