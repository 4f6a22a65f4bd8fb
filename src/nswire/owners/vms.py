"""Virtual machines: who serves a tap, by its process, with libvirt's own files for names, UUIDs and the guest's MACs.

A VM's process is in the host's namespace nearly always, and owns its taps only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from nswire.model.values import End, Owner
from nswire.owners.asked import files, process, readable, text
from nswire.owners.owner import Claim, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from nswire.codec.process import Process
    from nswire.model.values import Gap, NsKey, Pairs
    from nswire.owners.owner import Asking

LIBVIRT = "run/libvirt/*/*.xml"
ELEMENTS = ("domstatus", "name", "uuid", "mac", "target")
KINDS = ("tun", "macvtap", "ipvtap")


class Machine(NamedTuple):
    """A VM: its name, its UUID or whatever it is called by, and what its command line says of its NICs."""

    name: str
    id: str
    by: str
    data: Pairs = ()


def _qemu(one: Process) -> Machine:
    """-name guest=NAME,debug-threads=on or -name NAME; -uuid; the MACs of its NICs."""
    given = one.option("-name")
    parts = dict(part.partition("=")[::2] for part in given.split(","))
    name = parts.get("guest") or given.partition(",")[0] or f"{one.comm} {one.pid}"
    macs = re.findall(r"\bmac(?:addr)?=([0-9a-fA-F:]{17})", " ".join(one.cmdline))
    return Machine(name, one.option("-uuid") or str(one.pid), "qemu", _macs(macs))


def _firecracker(one: Process) -> Machine:
    """--id, which jailer gives, or the socket of its API."""
    name = one.option("--id") or one.option("--api-sock").rpartition("/")[2] or f"{one.comm} {one.pid}"
    return Machine(name, name, one.comm)


def _cloud_hypervisor(one: Process) -> Machine:
    socket = one.option("--api-socket").removeprefix("path=").rpartition("/")[2]
    macs = re.findall(r"\bmac=([0-9a-fA-F:]{17})", " ".join(one.cmdline))
    return Machine(
        socket.removesuffix(".sock") or f"{one.comm} {one.pid}", str(one.pid), one.comm, _macs(macs)
    )


def _macs(macs: list[str]) -> Pairs:
    return (("guest_macs", " ".join(dict.fromkeys(mac.lower() for mac in macs))),) if macs else ()


# how a hypervisor's process is called (comm: 15 characters at most), and who reads its command line
HYPERVISORS: tuple[tuple[re.Pattern[str], Callable[[Process], Machine]], ...] = (
    (re.compile(r"(?:qemu|kvm).*"), _qemu),
    (re.compile(r"CPU \d+/KVM|.*qemu-system.*"), _qemu),
    (re.compile(r"firecracker"), _firecracker),
    (re.compile(r"cloud-hyperviso?r?"), _cloud_hypervisor),
)


def find(asking: Asking, _: Collection[NsKey]) -> Iterator[Claim | Gap]:
    """Each VM with the links that its process serves, and those that libvirt says are its own (macvtap, vhost-user)."""
    domains = list(_domains(asking))
    served: dict[int, list[End]] = {}
    for ns, links in asking.facts.links.items():
        for link in links.values():
            if link.kind in KINDS:
                end = End(ns, link.ifindex)
                for wire in asking.wires(end, ("tap",)):
                    if wire.to is not None and wire.to.pid:
                        served.setdefault(wire.to.pid, []).append(end)
    for pid, ends in served.items():
        one = process(asking, pid)
        machine = None if one is None else _machine(one)
        if machine is None:
            continue
        domain = domains_by_pid(domains).get(pid)
        if domain is not None:
            machine = Machine(domain.name, domain.id, "libvirt", machine.data)
        yield Claim(Owner("vm", machine.name, machine.id, machine.by, pid, machine.data), None, tuple(ends))
    yield from _unserved(asking, domains, set(served))


def _machine(one: Process) -> Machine | None:
    for pattern, read in HYPERVISORS:
        if pattern.fullmatch(one.comm) or (
            one.cmdline and pattern.fullmatch(one.cmdline[0].rpartition("/")[2])
        ):
            return read(one)
    return None


class Domain(NamedTuple):
    """A running domain of libvirt."""

    name: str
    id: str
    pid: int
    targets: tuple[str, ...]


def _domains(asking: Asking) -> Iterator[Domain]:
    """/run/libvirt/qemu/NAME.xml: <domstatus pid=...> around the domain, with <target dev='vnet0'/> of each interface."""
    for _, said in files(asking, "xml", LIBVIRT, *ELEMENTS):
        if not readable(said) or not isinstance(said, list):
            continue
        first = {name: _first(said, name) for name in ("domstatus", "name", "uuid")}
        pid = text(first["domstatus"].get("pid"))
        targets = tuple(text(one.get("dev")) for one in said if one.get("") == "target" and one.get("dev"))
        if text(first["name"].get("text")):
            yield Domain(
                text(first["name"]["text"]),
                text(first["uuid"].get("text")),
                int(pid) if pid.isdigit() else 0,
                targets,
            )


def _first(said: list[dict[str, Any]], tag: str) -> dict[str, Any]:
    return next((one for one in said if one.get("") == tag), {})


def domains_by_pid(domains: list[Domain]) -> dict[int, Domain]:
    """Domains by the process that runs them."""
    return {domain.pid: domain for domain in domains if domain.pid}


def _unserved(asking: Asking, domains: list[Domain], seen: set[int]) -> Iterator[Claim]:
    """Domains of which no descriptor was seen (this user may not look): by the names of their links at home."""
    home = asking.facts.home
    for domain in domains:
        if domain.pid in seen:
            continue
        ends = tuple(
            End(home, link.ifindex)
            for link in asking.facts.links.get(home, {}).values()
            if link.kind in KINDS and link.ifname in domain.targets
        )
        if ends:
            yield Claim(Owner("vm", domain.name, domain.id, "libvirt", domain.pid or None), None, ends)


SOURCE = Source("vms", find)
