"""/proc/PID/fd: descriptors that are network namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec import procfs
from nswire.model.values import Gap
from nswire.sources.found import Found, ask, from_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.host.system import System


def find(system: System) -> Iterator[Found | Gap]:
    """The namespaces that processes hold open."""
    answer = ask(system, "fds", "namespaces held by open descriptors")
    yield from from_table(procfs.table(answer), "fd", "/proc/{pid}/fd/{number}")
