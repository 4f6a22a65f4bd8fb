"""Every nsfs bind mount in every mount namespace: the inode is in mountinfo, so nothing is entered to find it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nswire.codec import host_info, procfs
from nswire.host.system import Refusal
from nswire.model.gaps import TRACE_ALL, Gap, Unseen
from nswire.model.values import Holder
from nswire.sources.source import Found, ask, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.host.system import System

TRIES = 5  # processes asked for one mount namespace's table before giving up on it

OWN = Unseen("host.own_mounts", "which mount namespace is our own")
ALL = Unseen("host.mounts", "mount namespaces")
MOUNTED = Unseen("mounts.netns", "the namespaces mounted in them", TRACE_ALL)


def find(system: System) -> Iterator[Found | Gap]:
    """The namespaces that are mounted somewhere, our own mount namespace first."""
    me = host_info.decode(ask(system, "about", OWN))
    answer = ask(system, "processes", ALL)
    own = procfs.namespace(me.mnt) or 0
    members: dict[int, list[int]] = {own: [me.pid]}
    for pid, _, mnt in procfs.processes(answer):
        if mnt > 0:
            members.setdefault(mnt, []).append(pid)
    errors: Counter[int] = Counter()
    for mnt, pids in members.items():
        refusal = None
        for pid in sorted(pids[:TRIES], key=lambda pid: mnt != own and system.host(f"root/{pid}") != b"/"):
            table = system.host(f"mountinfo/{pid}")
            if isinstance(table, Refusal):
                refusal = table
                continue
            refusal = None
            for row in procfs.mounts(table):
                holder = Holder("mount", 0 if mnt == own else pid, row.path, own=mnt == own)
                yield Found(row.inode, holder, ("mount", pid, row.path))
            if mnt == own or system.host(f"root/{pid}") == b"/":
                break  # else it is chrooted, and its table leaves out what is mounted elsewhere
        if refusal is not None:
            errors[refusal.errno] += 1
    yield from unreadable(errors, ("mount namespace", "mount namespaces"), MOUNTED)
