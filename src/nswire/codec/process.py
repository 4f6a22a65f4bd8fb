"""Who a process is: the answers to `process/PID` and `cgroups`, as `Live` gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from nswire.codec.checked import document, is_decimal
from nswire.codec.procfs import LONGEST, namespace

if TYPE_CHECKING:
    from collections.abc import Iterator


class Process(msgspec.Struct, frozen=True):
    """A process: its namespace's inode is `ns` (0: not told); `start` tells it from a later one with the same pid.

    `groups`: the effective one first (none: not told). `capabilities` are the effective ones, as bits.
    """

    pid: int
    comm: str = ""
    cmdline: tuple[str, ...] = ()
    uid: int = -1
    ppid: int = 0
    start: int = 0
    net: str = ""
    cgroup: str = ""
    groups: tuple[int, ...] = ()
    capabilities: int = 0

    @property
    def ns(self) -> int:
        """The inode of its network namespace."""
        return max(0, namespace(self.net) or 0)

    def option(self, *names: str) -> str:
        """The word behind one of these options in its command line, or after its `=`; empty: it is not there."""
        for at, word in enumerate(self.cmdline):
            if word in names:
                return self.cmdline[at + 1] if at + 1 < len(self.cmdline) else ""
            name, equals, value = word.partition("=")
            if equals and name in names:
                return value
        return ""


def decode(answer: bytes) -> Process | None:
    """The process; None if the answer is none."""
    try:
        return document(answer, Process)
    except ValueError:
        return None


class Row(NamedTuple):
    """A process, the namespace that it is in (None: that is not told), and its control group."""

    pid: int
    ns: int | None
    cgroup: str


def cgroups(answer: bytes) -> Iterator[Row]:
    """The rows of `cgroups`."""
    for line in answer.split(b"\n"):
        pid, _, rest = line.partition(b" ")
        net, _, path = rest.partition(b" ")
        if is_decimal(pid) and len(net) <= LONGEST and path:
            inode = namespace(net.decode("ascii", "replace")) or 0
            yield Row(int(pid), inode if inode > 0 else None, path.decode("utf-8", "surrogateescape"))
