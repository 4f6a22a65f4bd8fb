"""systemd-nspawn and machined (/run/systemd/machines), LXC, LXD and Incus (their control groups)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nswire.model.values import Owner
from nswire.owners.asked import away, files, namespaces, process, readable, text
from nswire.owners.owner import Claim, Source
from nswire.owners.units import unescaped

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nswire.model.values import Gap, NsKey
    from nswire.owners.owner import Asking

MACHINES = "run/systemd/machines/*"
KEYS = ("NAME", "SERVICE", "LEADER", "CLASS")
HOSTED = "nspawn"  # SERVICE= in machined's files
# lxc.payload.NAME is LXC's own form since 4.0, lxc/NAME that of before; LXD and Incus put their project before the name
LXC = re.compile(r"(?:^|/)(?:lxc\.payload\.|lxc/)([^/]+)")
NSPAWN = re.compile(r"(?:^|/)(?:systemd-nspawn@(.+)\.service|machine-(.+)\.scope)(?=/|$)")
QEMU = "qemu-"  # a VM's scope is called machine-qemu\x2d1\x2dNAME: vms.py knows it


def find(asking: Asking, left: Collection[NsKey]) -> Iterator[Claim | Gap]:
    """The containers by machined's word, and by the control group of their processes."""
    places = namespaces(asking)
    told: set[str] = set()

    def claim(name: str, by: str, pid: int, ns: NsKey | None) -> Iterator[Claim]:
        if name not in told:
            told.add(name)
            yield Claim(Owner("container", name, name, by, pid), None if ns == asking.facts.home else ns)

    for path, said in files(asking, "settings", MACHINES, *KEYS):
        leader = text(said.get("LEADER")) if readable(said) and said.get("CLASS") != "vm" else ""
        there = process(asking, int(leader)) if leader.isdigit() else None
        if there is not None and there.ns in asking.facts.links:
            by = "nspawn" if said.get("SERVICE") == HOSTED else "machined"
            yield from claim(text(said.get("NAME")) or path.rsplit("/", 1)[1], by, there.pid, there.ns)
    for pid, path in away(asking):
        ns = places.get(pid)
        for name, by in _by_cgroup(path) if ns in left else ():
            yield from claim(name, by, pid, ns)


def _by_cgroup(path: str) -> Iterator[tuple[str, str]]:
    match = LXC.search(path)
    if match:
        yield match[1], "lxc"
    match = NSPAWN.search(path)
    name = unescaped(match[1] or match[2]) if match else ""
    if name and not name.startswith(QEMU):
        yield name, "nspawn"


SOURCE = Source("machines", find, last=True)
