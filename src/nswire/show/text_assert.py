"""`nswire assert` for people: a line for each expectation, what is not so below it, the count last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.show.terminal import Span, fold_text, span
from nswire.show.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nswire.check.expect import Outcome
    from nswire.show.terminal import Paper

MARKS = {"holds": ("✔", "up"), "fails": ("✘", "down"), "error": ("?", "doubt")}


def write_outcomes(paper: Paper, outcomes: Sequence[Outcome]) -> None:
    """All of them."""
    for one in outcomes:
        mark, style = MARKS[one.status]
        paper.print(span(mark, style), Span(" "), span(f"{one.kind}: {one.text}"))
        for problem in one.problems:
            fold_text(paper, (Span("  "),), problem, style)
    total, holding = len(outcomes), sum(one.status == "holds" for one in outcomes)
    style = "up" if total == holding else "down"
    paper.print(
        span(
            f"{holding} of {counted(total, 'expectation')} hold" + ("s" if holding == total == 1 else ""),
            style,
        )
    )
