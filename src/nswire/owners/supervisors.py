"""Containers by the process that started them and stayed their parent: it has the container's name among its words.

For engines that keep their files where nothing is read as root (a user's own Podman), or no files at all. A process may call
itself what it likes: what it gains is that the namespaces of its own children are called after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.model.values import Owner
from nswire.owners.owner import Claim, Source
from nswire.owners.state_files import away, process, theirs

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from nswire.codec.process import Process
    from nswire.host.client import Client
    from nswire.model.gaps import Gap
    from nswire.model.values import NsKey

LOOKED_AT = 16  # processes of one namespace, the lowest pids
LXC_MONITOR = "[lxc monitor] "  # then its folder, and the container's name
LXC_FOLDERS = (("/incus/", "incus"), ("/lxd/", "lxd"))


def _nspawn(parent: Process, child: Process) -> Owner:
    folder = parent.option("-D", "--directory").rstrip("/")
    name = parent.option("-M", "--machine") or folder.rpartition("/")[2] or f"pid {child.pid}"
    return Owner("container", name, name, "nspawn", child.pid)


def _lxc(parent: Process, child: Process) -> Owner:
    """lxc-start -n NAME, or LXC's monitor, which calls itself `[lxc monitor] /var/lib/lxc NAME`."""
    words = parent.cmdline[0] if parent.cmdline else ""
    folder, _, name = words.removeprefix(LXC_MONITOR).rpartition(" ")
    if not words.startswith(LXC_MONITOR):
        folder, name = "", parent.option("-n", "--name")
    by = next((by for part, by in LXC_FOLDERS if part in f"{folder}/"), "lxc")
    return Owner("container", name, name, by, child.pid)


def _conmon(parent: Process, child: Process) -> Owner:
    by = "cri-o" if any("crio" in word for word in parent.cmdline) else "podman"
    number = parent.option("-c", "--cid")
    return Owner("container", parent.option("-n", "--name") or number[:12], number, by, child.pid)


def _firejail(parent: Process, child: Process) -> Owner:
    return Owner("app", parent.option("--name") or child.comm, str(parent.pid), "firejail", child.pid)


def _bubblewrap(parent: Process, child: Process) -> Owner:
    return Owner("app", child.comm, str(parent.pid), "bubblewrap", child.pid)


PARENTS: dict[str, Callable[[Process, Process], Owner]] = {
    "systemd-nspawn": _nspawn,
    "lxc-start": _lxc,
    "lxc monitor": _lxc,
    "conmon": _conmon,
    "firejail": _firejail,
    "bwrap": _bubblewrap,
}


def find(client: Client, left: Collection[NsKey]) -> Iterator[Claim | Gap]:
    """The containers whose parents are known, also several in one namespace."""
    inside: dict[NsKey, list[int]] = {ns: [] for ns in left}
    for row in away(client):
        if row.ns in inside and len(inside[row.ns]) < LOOKED_AT:
            inside[row.ns].append(row.pid)
    for ns, pids in inside.items():
        for pid in pids:
            child = process(client, pid)
            if child is None or child.ns != ns or child.ppid in pids:  # another one that has this pid by now
                continue
            parent = process(client, child.ppid)
            read = None if parent is None else _reader(parent)
            if parent is None or read is None:
                continue
            owner = read(parent, child)
            if owner.name:
                yield Claim(_with_user(client, owner, parent.uid), ns)


def _reader(parent: Process) -> Callable[[Process, Process], Owner] | None:
    if parent.cmdline and parent.cmdline[0].startswith(LXC_MONITOR):
        return _lxc
    return PARENTS.get(parent.comm)


def _with_user(client: Client, owner: Owner, uid: int) -> Owner:
    return Owner(owner.type, owner.name, owner.id, owner.by, owner.pid, (*owner.data, *theirs(client, uid)))


SOURCE = Source("parents", find, last=True)
