"""Where namespaces are found, one file a source, one row here. No source knows of another.

A source yields `Found` (a namespace and what holds it) and `Gap` (what it could not look at). It asks the host
through `System` alone. `eager` sources are asked in every scan. The others cost much more (5 us for each open
descriptor of each process of the host), so they are asked when a link leads to a namespace that nobody has found,
or when somebody wants to know all there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire.sources import fds, mounts, names, processes, sockets, threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nswire.host.system import System
    from nswire.model.gaps import Gap
    from nswire.sources.source import Found


class Source(NamedTuple):
    """A way to find namespaces."""

    name: str
    find: Callable[[System], Iterator[Found | Gap]]
    eager: bool


TABLE = (
    Source("names", names.find, eager=True),
    Source("mounts", mounts.find, eager=True),
    Source("processes", processes.find, eager=True),
    Source("threads", threads.find, eager=True),
    Source("fds", fds.find, eager=False),
    Source("sockets", sockets.find, eager=False),
)

EAGER = tuple(source.name for source in TABLE if source.eager)
ALL = tuple(source.name for source in TABLE)
