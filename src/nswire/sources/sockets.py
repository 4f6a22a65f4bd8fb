"""The namespaces of sockets: pidfd_getfd (Linux 5.6) and SIOCGSKNS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec import procfs
from nswire.model.values import Gap
from nswire.sources.found import Found, ask, from_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.host.system import System


def find(system: System) -> Iterator[Found | Gap]:
    """The namespaces of sockets (and tun descriptors) that are not where their process is."""
    answer = ask(system, "sockets", "namespaces held by sockets")
    yield from from_table(procfs.table(answer), "socket", "")
