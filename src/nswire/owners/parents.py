"""Containers by the process that started them and stayed their parent: it has the container's name among its words.

For engines that keep their files where nothing is read as root (a user's own Podman), or no files at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.model.values import Owner
from nswire.owners.asked import namespaces, process
from nswire.owners.owner import Claim, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from nswire.codec.process import Process
    from nswire.model.values import Gap, NsKey
    from nswire.owners.owner import Asking

LOOKED_AT = 16  # processes of one namespace, the lowest pids


def _nspawn(parent: Process, child: Process) -> Owner:
    name = (
        parent.option("-M", "--machine") or parent.option("-D", "--directory").rstrip("/").rpartition("/")[2]
    )
    return Owner("container", name or f"pid {child.pid}", name, "nspawn", child.pid)


def _lxc(parent: Process, child: Process) -> Owner:
    """lxc-start -n NAME, or LXC's monitor, which calls itself `[lxc monitor] /var/lib/lxc NAME`."""
    name = parent.option("-n", "--name") or (parent.cmdline[-1].split(" ")[-1] if parent.cmdline else "")
    return Owner("container", name, name, "lxc", child.pid)


def _conmon(parent: Process, child: Process) -> Owner:
    words = " ".join(parent.cmdline)
    by = "cri-o" if "crio" in words else "podman"
    number = parent.option("-c", "--cid")
    return Owner("container", parent.option("-n", "--name") or number[:12], number, by, child.pid)


def _firejail(parent: Process, child: Process) -> Owner:
    name = parent.option("--name") or child.comm
    return Owner("app", name, str(parent.pid), "firejail", child.pid)


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


def find(asking: Asking, left: Collection[NsKey]) -> Iterator[Claim | Gap]:
    """The containers whose parents are known, also several in one namespace."""
    inside: dict[NsKey, list[int]] = {ns: [] for ns in left}
    for pid, ns in sorted(namespaces(asking).items()):
        if ns in inside and len(inside[ns]) < LOOKED_AT:
            inside[ns].append(pid)
    for ns, pids in inside.items():
        for pid in pids:
            child = process(asking, pid)
            parent = None if child is None or child.ppid in pids else process(asking, child.ppid)
            if child is not None and parent is not None and parent.comm in PARENTS:
                owner = PARENTS[parent.comm](parent, child)
                if owner.name:
                    yield Claim(owner, ns)


SOURCE = Source("parents", find, last=True)
