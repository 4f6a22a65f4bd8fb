"""What cannot be known while walking: each possibility is walked once, by walking again from the start."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")

MOST = 24  # walks; where more would be needed, what is left out makes the verdict unknown


class Choice(NamedTuple):
    """One choice that was made: which of how many, and in words."""

    taken: int
    of: int
    text: str


class Chooser:
    """Makes the choices of one walk: first those of a script, then always the first possibility."""

    def __init__(self, script: Sequence[int] = ()) -> None:
        self._script = script
        self.made: list[Choice] = []

    def choose(self, possibilities: Sequence[str]) -> int:
        """The number of the possibility that this walk takes; where there is but one, nothing is chosen."""
        if len(possibilities) == 1:
            return 0
        at = len(self.made)
        taken = self._script[at] if at < len(self._script) else 0
        self.made.append(Choice(taken, len(possibilities), possibilities[taken]))
        return taken


def explore(walk: Callable[[Chooser], T]) -> Iterator[tuple[T, bool]]:
    """Walk for each combination of choices: the result, and whether others were left out."""
    script: list[int] = []
    for count in range(MOST):
        chooser = Chooser(script)
        result = walk(chooser)
        script = [choice.taken for choice in chooser.made]
        totals = [choice.of for choice in chooser.made]
        while script and script[-1] + 1 >= totals[len(script) - 1]:
            script.pop()
        if script:
            script[-1] += 1
        yield result, bool(script) and count == MOST - 1
        if not script:
            return
