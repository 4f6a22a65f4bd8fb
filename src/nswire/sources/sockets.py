"""The namespaces of sockets: pidfd_getfd (Linux 5.6) and SIOCGSKNS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec import procfs
from nswire.model.gaps import TRACE_ALL, Gap, Unseen
from nswire.sources.source import Found, ask, from_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.host.system import System

ALL = Unseen("host.sockets", "namespaces held by sockets")
EACH = Unseen("process.sockets", "namespaces held only by their sockets", TRACE_ALL)


def find(system: System) -> Iterator[Found | Gap]:
    """The namespaces of sockets (and tun descriptors) that are not where their process is."""
    answer = ask(system, "sockets", ALL)
    yield from from_table(procfs.table(answer), "socket", "", EACH)
