"""/run/netns and its like: what `ip netns` lists. An entry may be a mount, a symlink into /proc or a dead file."""

from __future__ import annotations

from errno import EACCES, EPERM
from os import strerror
from typing import TYPE_CHECKING

from nswire.codec import about, procfs
from nswire.host.system import Refusal
from nswire.model.values import Gap, Holder
from nswire.sources.found import Found, ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.host.system import System


def find(system: System) -> Iterator[Found | Gap]:
    """The namespaces that have a name without being mounted there. What is mounted there is found as a mount."""
    me = about.decode(ask(system, "about", "which mount namespace is our own"))
    rows = list(procfs.names(ask(system, "names", "names of namespaces")))
    table = system.host(f"mountinfo/{me.pid}")
    mounted = None if isinstance(table, Refusal) else {row.path for row in procfs.mounts(table)}
    for row in rows:
        inode, path = row.inode, row.path
        if inode is not None and inode < 0:
            hint = "it takes root (CAP_SYS_PTRACE)" if -inode in (EACCES, EPERM) else ""
            yield Gap(path, "the namespace of that name", strerror(-inode), hint)
        elif inode:
            yield Found(inode, Holder("name", path=path), ("path", 0, path))
        elif inode == 0 or (mounted is not None and path not in mounted):
            yield Gap(
                path,
                "nothing: the name is left over",
                "it is no network namespace",
                "`ip netns del` removes it",
            )
