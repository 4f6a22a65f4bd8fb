"""This machine without the network namespace of the front: that one is part of the page, not of what it shows."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nswire.host.system import Answer, Errand, System

# Answers of lines with net:[INODE] in them (`host.proc`).
LISTS = frozenset({"processes", "threads", "fds", "sockets", "cgroups"})


class LeftOut:
    """Whose namespace is left out; none until `pid` is set."""

    def __init__(self) -> None:
        self.pid = 0

    def of(self, system: System) -> Without:
        """That system, without it."""
        return Without(system, self)


class Without:
    """A system without the namespace in which a process is that shares it with nobody."""

    def __init__(self, system: System, left_out: LeftOut) -> None:
        self._system = system
        self._left_out = left_out

    def host(self, name: str) -> Answer:
        """What the system says, without the lines about that namespace."""
        answer = self._system.host(name)
        if not self._left_out.pid or isinstance(answer, tuple) or name not in LISTS:
            return answer
        try:
            theirs, ours = (os.readlink(f"/proc/{one}/ns/net") for one in (self._left_out.pid, "self"))
        except OSError:  # it has ended, and we are about to
            return answer
        mark = theirs.encode()
        if theirs == ours or mark not in answer:
            return answer
        return b"".join(line for line in answer.splitlines(keepends=True) if mark not in line.split())

    def visit(self, errands: Iterable[Errand], deliver: Callable[[Errand, list[Answer]], None]) -> None:
        """What the system says."""
        self._system.visit(errands, deliver)
