"""/proc/PID/task/TID/ns/net: a thread may be elsewhere than its process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec import procfs
from nswire.model.gaps import Gap, Unseen
from nswire.sources.source import Found, ask, from_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.host.system import System

ALL = Unseen("host.threads", "namespaces of single threads")


def find(system: System) -> Iterator[Found | Gap]:
    """The namespaces of threads that are not where their leader is."""
    answer = ask(system, "threads", ALL)
    seen = [row for row in procfs.table(answer) if row.net > 0]  # an unreadable one is its process's gap
    yield from from_table(seen, "thread", "/proc/{pid}/task/{number}/ns/net", ALL)
