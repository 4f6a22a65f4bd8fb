"""/proc/PID/fd: descriptors that are network namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec import procfs
from nswire.model.gaps import TRACE_ALL, Gap, Unseen
from nswire.sources.source import Found, ask, from_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.host.system import System

ALL = Unseen("host.descriptors", "namespaces held by open descriptors")
EACH = Unseen("process.descriptors", "namespaces held only by their fds", TRACE_ALL)


def find(system: System) -> Iterator[Found | Gap]:
    """The namespaces that processes hold open."""
    answer = ask(system, "fds", ALL)
    yield from from_table(procfs.table(answer), "fd", "/proc/{pid}/fd/{number}", EACH)
