"""systemd-nspawn and machined (/run/systemd/machines), LXC, LXD and Incus (their control groups)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nswire.model.values import Owner
from nswire.owners.asked import away, files, namespaces, number, process, readable, text
from nswire.owners.owner import Claim, Source
from nswire.owners.units import unescaped

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nswire.model.values import Gap, NsKey
    from nswire.owners.owner import Asking

MACHINES = "run/systemd/machines/*"
KEYS = ("NAME", "SERVICE", "LEADER", "CLASS")
HOSTED = "systemd-nspawn"
# lxc.payload.NAME is LXC's own form since 4.0, lxc/NAME that of before; LXD and Incus put their project before the name
LXC = re.compile(r"(?:^|/)(?:lxc\.payload\.|lxc/)([^/]+)")
NSPAWN = re.compile(r"(?:^|/)(?:systemd-nspawn@(.+)\.service|machine-(.+)\.scope)(?=/|$)")
QEMU = "qemu-"  # a VM's scope is called machine-qemu\x2d1\x2dNAME: vms.py knows it


def find(asking: Asking, _: Collection[NsKey]) -> Iterator[Claim | Gap]:
    """The containers by the control group of their processes, with machined's word where it has one."""
    places = namespaces(asking)
    told: set[str] = set()
    for path, said in files(asking, "settings", MACHINES, *KEYS):
        leader = number(int(said["LEADER"])) if readable(said) and text(said.get("LEADER")).isdigit() else 0
        there = process(asking, leader) if leader else None
        if there is None or said.get("CLASS") == "vm":
            continue
        name = text(said.get("NAME")) or path.rsplit("/", 1)[1]
        told.add(name)
        by = "nspawn" if said.get("SERVICE") == "nspawn" else "machined"
        ns = there.ns if there.ns in asking.facts.links and there.ns != asking.facts.home else None
        yield Claim(Owner("container", name, name, by, leader), ns)
    for pid, path in away(asking):
        for name, by in _by_cgroup(path):
            if name not in told:
                told.add(name)
                ns = places.get(pid)
                yield Claim(Owner("container", name, name, by, pid), None if ns == asking.facts.home else ns)


def _by_cgroup(path: str) -> Iterator[tuple[str, str]]:
    match = LXC.search(path)
    if match:
        yield match[1], "lxc"
    match = NSPAWN.search(path)
    name = unescaped(match[1] or match[2]) if match else ""
    if name and not name.startswith(QEMU):
        yield name, "nspawn"


SOURCE = Source("machines", find)
