"""What a look may cost, and each namespace in it: who has a lot to say may not take the others' share. The standard library alone.

Home is the administrator's own, and has no limit here. What is passed by is refused: EFBIG where there was too much
of it, ETIME where it took too long.
"""

from __future__ import annotations

ANSWER = 64 << 20  # bytes of one answer: 60 000 links, a million routes
SPACE = 96 << 20  # of all that a namespace says
SECONDS = 3.0  # of processor time for what one namespace is asked, the kernel's work included
PROGRAMS = 20.0  # seconds of processor time for programs that take longer than most, in one look
MOST, LEAST = 3.0, 0.25  # of one run: a ruleset of 50 000 rules takes one, most take a hundredth


class Budget:
    """What is left. Numbers are those of one look: see `again`."""

    def __init__(self) -> None:
        self._programs = PROGRAMS
        self._spent: dict[int, tuple[int, float]] = {}

    def again(self) -> None:
        """A look begins."""
        self._programs = PROGRAMS
        self._spent.clear()

    def left(self, inode: int) -> tuple[int, float]:
        """Bytes and seconds that a namespace may still take."""
        size, seconds = self._spent.get(inode, (0, 0.0))
        return SPACE - size, SECONDS - seconds

    def spend(self, inode: int, size: int, seconds: float) -> None:
        """It took so much."""
        before = self._spent.get(inode, (0, 0.0))
        self._spent[inode] = (before[0] + size, before[1] + seconds)

    def share(self) -> float:
        """Seconds that the next program may run. Each gets the least of them, however much others took."""
        return min(MOST, max(LEAST, self._programs / 2))

    def ran(self, seconds: float) -> None:
        """A program took so long."""
        self._programs -= max(0.0, seconds - LEAST)
