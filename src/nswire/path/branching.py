"""What cannot be known while walking: each possibility is walked once, by walking again from the start."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from nswire.model.reasons import Reason
from nswire.model.tables import NotKnown
from nswire.path import bounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")

TOO_LONG = Reason(
    "path.too_long", "the walk was given up after {seconds} seconds of processor time", unknown=True
)
LONG = 10  # seconds of processor time for all walks of one question
SOME = 256  # frames sent between two looks at the clock
MOST = 64  # walks; where more would be needed, what is left out makes the verdict unknown


class Choice(NamedTuple):
    """One choice that was made: which of how many, and in words."""

    taken: int
    of: int
    text: str


class Chooser:
    """Makes the choices of one walk: first those of a script, then always the first possibility."""

    def __init__(self, script: Sequence[int] = (), began: float | None = None) -> None:
        self._script = script
        self._began = time.process_time() if began is None else began
        self._frames = self._passed = 0
        self.made: list[Choice] = []
        self._kept: dict[object, int] = {}

    def sends(self) -> None:
        """A frame is sent: somebody's network may be one in which that never ends. NotKnown: it takes too long."""
        self._frames += 1
        if self._frames % SOME == 0 and time.process_time() - self._began > LONG:
            raise NotKnown(TOO_LONG(seconds=LONG))

    def passes(self) -> None:
        """A frame goes through a link, which leaves a step behind. NotKnown: that is one too many for a walk."""
        self._passed += 1
        if self._passed > bounds.PASSED:
            raise NotKnown(bounds.TOO_MANY_LINKS(count=bounds.PASSED))

    def choose(self, possibilities: Sequence[str]) -> int:
        """The number of the possibility that this walk takes; where there is but one, nothing is chosen."""
        if len(possibilities) == 1:
            return 0
        at = len(self.made)
        taken = self._script[at] if at < len(self._script) else 0
        self.made.append(Choice(taken, len(possibilities), possibilities[taken]))
        return taken

    def choose_once(self, subject: object, possibilities: Sequence[str]) -> int:
        """The same of what stays as it is for the whole walk: chosen when it first matters, and remembered by its subject."""
        if subject not in self._kept:
            self._kept[subject] = self.choose(possibilities)
        return self._kept[subject]


def explore(walk: Callable[[Chooser], T]) -> Iterator[tuple[T, bool]]:
    """Walk for each combination of choices: the result, and whether others were left out."""
    script: list[int] = []
    began = time.process_time()
    for count in range(MOST):
        chooser = Chooser(script, began)
        result = walk(chooser)
        script = [choice.taken for choice in chooser.made]
        totals = [choice.of for choice in chooser.made]
        while script and script[-1] + 1 >= totals[len(script) - 1]:
            script.pop()
        if script:
            script[-1] += 1
        last = count == MOST - 1 or time.process_time() - began > LONG
        yield result, bool(script) and last
        if not script or last:
            return
