"""JUnit XML, as CI systems read it: one test suite, one case for each thing that was judged.

There is no schema that all agree on; this is what Jenkins' xunit plugin and Ant have in common: a case has at most one of
`<failure>`, `<error>` and `<skipped>`, and the suite counts them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from nswire.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nswire.model.values import Taken


class Case(NamedTuple):
    """What was judged (`group`: of which sort), how it ended, in one line (`message`), and a line for each thing that is wrong."""

    group: str
    name: str
    outcome: Literal["passed", "failure", "error", "skipped"] = "passed"
    message: str = ""
    lines: Sequence[str] = ()
    type: str = ""


def write(suite: str, cases: Sequence[Case], taken: Taken) -> Iterator[str]:
    """The document, a case at a time. `taken`: the look that all of it is about."""
    number = {word: sum(case.outcome == word for case in cases) for word in ("failure", "error", "skipped")}
    counts = (
        f'tests="{len(cases)}" failures="{number["failure"]}" errors="{number["error"]}" '
        f'skipped="{number["skipped"]}"'
    )
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites {counts}>\n'
    yield f'<testsuite name={_attribute(suite)} {counts} time="{taken.duration:.3f}"'
    yield f' timestamp="{taken.time[:19]}" hostname={_attribute(taken.hostname)}>\n'
    for case in cases:
        yield f'<testcase classname={_attribute(case.group)} name={_attribute(case.name)} time="0">'
        if case.outcome != "passed":
            kind = f" type={_attribute(case.type)}" if case.type else ""
            inside = "".join(f"{escape(visible(line))}\n" for line in case.lines)
            yield f"<{case.outcome}{kind} message={_attribute(case.message)}>{inside}</{case.outcome}>"
        yield "</testcase>\n"
    yield "</testsuite>\n</testsuites>\n"


def _attribute(text: str) -> str:
    """Text from outside, in which XML allows hardly any control character: they are shown as their numbers."""
    return quoteattr(visible(text))
