"""/run/netns and its like: what `ip netns` lists. An entry may be a mount, a symlink into /proc or a dead file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec import host_info, procfs
from nswire.host.failures import refusal
from nswire.host.system import Refusal
from nswire.model import gaps
from nswire.model.gaps import Gap
from nswire.model.reasons import Reason
from nswire.model.values import Holder
from nswire.sources.mounts import OWN
from nswire.sources.source import Found, ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.host.system import System

ALL = gaps.Unseen("host.names", "names of namespaces")
NAMED = gaps.Unseen("name.netns", "the namespace of that name", gaps.TRACE)
LEFT_OVER = gaps.Unseen("name.left_over", "nothing: the name is left over", hides=False)
NO_NETNS = Reason("scan.no_netns", "it is no network namespace", hint="`ip netns del` removes it")


def find(system: System) -> Iterator[Found | Gap]:
    """The namespaces that have a name without being mounted there. What is mounted there is found as a mount."""
    me = host_info.decode(ask(system, "about", OWN))
    rows = list(procfs.names(ask(system, "names", ALL)))
    table = system.host(f"mountinfo/{me.pid}")
    mounted = None if isinstance(table, Refusal) else {row.path for row in procfs.mounts(table)}
    for row in rows:
        inode, path = row.inode, row.path
        if inode is not None and inode < 0:
            yield NAMED(gaps.path(path), *refusal(-inode))
        elif inode:
            yield Found(inode, Holder("name", path=path), ("path", 0, path))
        elif inode == 0 or (mounted is not None and path not in mounted):
            yield LEFT_OVER(gaps.path(path), NO_NETNS())
