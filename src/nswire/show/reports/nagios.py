"""A line for Nagios, Icinga and their kin, with performance data behind the bar, and the findings below it.

Monitoring Plugins Development Guidelines: exit 0, 1, 2, 3 are OK, WARNING, CRITICAL, UNKNOWN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.check import SEVERITIES
from nswire.check.naming import full
from nswire.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check import Report

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
SHOWN = 20  # findings below the line


def status(report: Report) -> int:
    """What an agent is told: an error is critical; what broke is not known."""
    worst = {one.severity for one in report.found}
    if "error" in worst:
        return CRITICAL
    if report.failed:
        return UNKNOWN
    return WARNING if "warning" in worst else OK


def write(report: Report) -> Iterator[str]:
    """The line, and the first findings."""
    counts = {severity: sum(one.severity == severity for one in report.found) for severity in SEVERITIES}
    told = ", ".join(f"{number} {word}{'s' * (number != 1)}" for word, number in counts.items() if number)
    skipped = len({one.rule for one in report.skipped})
    partly = f", {skipped} rules not judged everywhere" if skipped else ""
    data = (
        f"errors={counts['error']};;1 warnings={counts['warning']};1 notes={counts['note']} skipped={skipped}"
    )
    yield f"NSWIRE {WORDS[status(report)]} - {told or 'nothing found'}{partly} | {data}\n"
    for one in report.found[:SHOWN]:
        subject = full(report.topology, one.finding.subjects[0])
        yield _plain(f"{one.severity} {one.finding.cause.code} {subject}: {one.finding.cause.text}") + "\n"
    if len(report.found) > SHOWN:
        yield f"and {len(report.found) - SHOWN} more\n"


def _plain(text: str) -> str:
    """A bar would begin performance data."""
    return visible(text).replace("|", "\\x7c")
