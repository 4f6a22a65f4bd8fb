"""/proc/PID/task/TID/ns/net: a thread may be elsewhere than its process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec import procfs
from nswire.model.values import Gap
from nswire.sources.found import Found, ask, from_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.host.system import System


def find(system: System) -> Iterator[Found | Gap]:
    """The namespaces of threads that are not where their leader is."""
    answer = ask(system, "threads", "namespaces of single threads")
    seen = [row for row in procfs.table(answer) if row.net > 0]  # an unreadable one is its process's gap
    yield from from_table(seen, "thread", "/proc/{pid}/task/{number}/ns/net")
