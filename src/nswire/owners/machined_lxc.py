"""systemd-nspawn and machined (/run/systemd/machines), LXC, LXD and Incus (their control groups)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nswire.model.values import Owner
from nswire.owners.owner import Claim, Source
from nswire.owners.state_files import (
    away,
    documents,
    number,
    part,
    process,
    readable,
    text,
    unreadable,
    unseen,
)
from nswire.owners.units import unescaped, unit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nswire.host.client import Client
    from nswire.model.gaps import Gap
    from nswire.model.values import NsKey

MACHINES = "run/systemd/machines/*"
KEYS = ("NAME", "SERVICE", "LEADER", "CLASS", "SCOPE")  # machine_save() in src/machine/machine.c
# lxc.payload.NAME is LXC's own form since 4.0, lxc/NAME that of before
LXC = re.compile(r"(?:^|/)(?:lxc\.payload\.|lxc/)([^/]+)")
NSPAWN = re.compile(r"systemd-nspawn@(.+)\.service|machine-(.+)\.scope")
QEMU = "qemu-"  # a VM's scope is called machine-qemu\x2d1\x2dNAME: vms.py knows it
NAMES_UNREAD = unseen("machined.names", "names of machines")


def find(client: Client, left: Collection[NsKey]) -> Iterator[Claim | Gap]:
    """The containers by machined's word, and by the control group of their processes."""
    listed = documents(client, "settings", MACHINES, *KEYS)
    for path, said in listed:
        if readable(said) and said.get("CLASS") != "vm":
            yield from _registered(client, part(path, -1), said)
    yield from unreadable(listed, NAMES_UNREAD)
    for row in away(client):
        for name, by in _by_cgroup(row.cgroup) if row.ns in left else ():
            yield Claim(Owner("container", name, name, by, row.pid), row.ns)


def _registered(client: Client, name: str, said: dict[str, str]) -> Iterator[Claim]:
    """A machine, if its leader still is who it was: in the unit that was made for it."""
    leader = number(text(said.get("LEADER")))
    there = process(client, leader) if leader else None
    made = text(said.get("SCOPE")).replace("\\\\", "\\")  # a C string
    if there is None or (made and made not in there.cgroup.split("/")) or there.ns not in client.facts.links:
        return
    name = text(said.get("NAME")) or name
    by = text(said.get("SERVICE")).removeprefix("systemd-") or "machined"
    yield Claim(Owner("container", name, name, by, there.pid), there.ns)


def _by_cgroup(path: str) -> Iterator[tuple[str, str]]:
    inside = LXC.findall(path)
    if inside:
        yield inside[-1], "lxc"
    of = unit(path)
    match = NSPAWN.fullmatch(of.name) if of is not None and of.uid is None else None
    name = unescaped(match[1] or match[2]) if match else ""
    if name and not name.startswith(QEMU):
        yield name, "nspawn"


SOURCE = Source("machines", find, last=True)
