"""JUnit XML, as CI systems read it: one test suite, the host; one test case a rule, failed with all that it found.

There is no schema that all agree on; this is what Jenkins' xunit plugin and Ant have in common.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from nswire.check.naming import all_of, full
from nswire.escape import visible
from nswire.show.text_path import fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check import Found, Report


def write(report: Report) -> Iterator[str]:
    """The document, a test case at a time."""
    found: dict[str, list[Found]] = {}
    for one in all_of(report):
        found.setdefault(one.rule.id, []).append(one)
    failed = {one.rule: one.error for one in report.failed}
    gaps: dict[str, list[str]] = {}
    for skip in report.skipped:
        gaps.setdefault(skip.rule, []).append(f"{skip.gap.where}: {skip.gap.what}: {skip.gap.why}")
    failures = [rule for rule in report.rules if rule in found]
    errors = [rule for rule in report.rules if rule in failed and rule not in found]
    skipped = [rule for rule in report.rules if rule in gaps and rule not in found and rule not in failed]
    taken = report.topology.taken
    counts = f'tests="{len(report.rules)}" failures="{len(failures)}" errors="{len(errors)}" skipped="{len(skipped)}"'
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites {counts}>\n'
    yield f'<testsuite name="nswire check" {counts} time="{taken.duration:.3f}"'
    yield f' timestamp="{taken.time[:19]}" hostname={_attribute(taken.hostname)}>\n'
    for rule in report.rules:
        yield f'<testcase classname="nswire.check" name={_attribute(rule)} time="0">'
        if rule in found:
            yield from _failure(report, found[rule])
        elif rule in failed:
            yield f'<error type="nswire" message={_attribute(failed[rule])}/>'
        elif rule in gaps:
            yield f"<skipped message={_attribute('; '.join(gaps[rule]))}/>"
        yield "</testcase>\n"
    yield "</testsuite>\n</testsuites>\n"


def _failure(report: Report, found: list[Found]) -> Iterator[str]:
    title = f"{found[0].rule.title}: {len(found)}"
    yield f"<failure type={_attribute(found[0].severity)} message={_attribute(title)}>"
    for one in found:
        subject = full(report.topology, one.finding.subjects[0])
        command = fix(report.topology, one.finding.mend)
        told = f"{one.severity} {one.finding.cause.code} {subject}: {one.finding.cause.text}"
        yield _text(told + (f" [{command}]" if command else "")) + "\n"
    yield "</failure>"


def _text(text: str) -> str:
    """Text from outside, in which XML allows hardly any control character: they are shown as their numbers."""
    return escape(visible(text))


def _attribute(text: str) -> str:
    return quoteattr(visible(text))
