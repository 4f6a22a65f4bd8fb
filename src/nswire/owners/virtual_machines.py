"""Virtual machines: who serves a tap, by its process, with libvirt's own files for names, UUIDs and the guest's MACs.

A VM's process is in the host's namespace nearly always, and owns its taps only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from nswire.model.values import End, Owner
from nswire.owners.owner import Claim, Source
from nswire.owners.state_files import lists, number, process, text, unreadable, unseen

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from nswire.codec.process import Process
    from nswire.host.client import Client
    from nswire.model.gaps import Gap
    from nswire.model.values import NsKey, Pairs

LIBVIRT = "run/libvirt/*/*.xml"
ELEMENTS = ("domstatus", "domain", "name", "uuid", "mac", "target", "*:name")
CONTAINER = "lxc"  # the type of a domain that is none
NOVA = "*:name"  # in OpenStack's own part of a domain: what its owner calls the VM
MAC = re.compile(
    r"""\bmac"?[=:]"?([0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5})\b"""
)  # also in the JSON of newer libvirts
KINDS = ("tun", "macvtap", "ipvtap")
NAMES_UNREAD = unseen("libvirt.names", "names of libvirt's domains")


class Machine(NamedTuple):
    """A VM: its name, its UUID or whatever it is called by, and what its command line says of its NICs."""

    name: str
    id: str
    by: str
    data: Pairs = ()


def _qemu(one: Process) -> Machine:
    """-name guest=NAME,debug-threads=on or -name NAME; -uuid; the MACs of its NICs."""
    given = [part.replace("\0", ",") for part in one.option("-name").replace(",,", "\0").split(",")]
    named = (part.removeprefix("guest=") for part in given if part.startswith("guest=") or "=" not in part)
    name = next(named, "") or f"{one.comm} {one.pid}"
    return Machine(name, one.option("-uuid") or str(one.pid), "qemu", _macs(one))


def _firecracker(one: Process) -> Machine:
    """--id, which jailer gives, or the socket of its API."""
    name = one.option("--id") or one.option("--api-sock").rpartition("/")[2] or f"{one.comm} {one.pid}"
    return Machine(name, name, one.comm)


def _cloud_hypervisor(one: Process) -> Machine:
    """The socket of its API: it is told no name."""
    socket = one.option("--api-socket").removeprefix("path=").rpartition("/")[2]
    return Machine(
        socket.removesuffix(".sock") or f"{one.comm} {one.pid}", str(one.pid), "cloud-hypervisor", _macs(one)
    )


def _macs(one: Process) -> Pairs:
    macs = dict.fromkeys(match.lower() for word in one.cmdline for match in MAC.findall(word))
    return (("guest_macs", " ".join(macs)),) if macs else ()


# how a hypervisor's process is called (comm: 15 characters at most), and who reads its command line
HYPERVISORS: tuple[tuple[re.Pattern[str], Callable[[Process], Machine]], ...] = (
    (re.compile(r"(?:qemu|kvm).*"), _qemu),
    (re.compile(r"CPU \d+/KVM|.*qemu-system.*"), _qemu),
    (re.compile(r"firecracker"), _firecracker),
    (re.compile(r"cloud-hyperviso?r?"), _cloud_hypervisor),
)


def find(client: Client, _: Collection[NsKey]) -> Iterator[Claim | Gap]:
    """Each VM with the links that its process serves, and those that libvirt says are its own (macvtap, vhost-user)."""
    read = list(lists(client, "xml", LIBVIRT, *ELEMENTS))
    domains = list(_domains(read))
    by_pid = {domain.pid: domain for domain in domains if domain.pid}
    served: dict[int, list[End]] = {}
    for ns, links in client.facts.links.items():
        for link in links.values():
            if link.kind in KINDS:
                end = End(ns, link.ifindex)
                for wire in client.wires(end, ("tap",)):
                    if wire.to is not None and wire.to.pid:
                        served.setdefault(wire.to.pid, []).append(end)
    told: set[Domain] = set()
    for pid, ends in served.items():
        one = process(client, pid)
        machine = None if one is None else _machine(one)
        if machine is None:
            continue
        domain = by_pid.get(pid)
        if domain is not None and domain.id in (machine.id, ""):  # or its pid is another VM's by now
            told.add(domain)
            machine = Machine(domain.name, domain.id, "libvirt", domain.data or machine.data)
        yield Claim(Owner("vm", machine.name, machine.id, machine.by, pid, machine.data), None, tuple(ends))
    for domain in domains:
        if domain not in told:
            yield from _unserved(client, domain)
    yield from unreadable(read, NAMES_UNREAD)


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
    data: Pairs


def _domains(read: Iterable[tuple[str, object]]) -> Iterator[Domain]:
    """/run/libvirt/qemu/NAME.xml: <domstatus pid=...> around the domain, with <target dev='vnet0'/> of each interface."""
    for _, said in read:
        if not isinstance(said, list):
            continue
        first = {name: _first(said, name) for name in ("domstatus", "domain", "name", "uuid", NOVA)}
        macs = [
            text(one.get("address")).lower() for one in said if one.get("") == "mac" and one.get("address")
        ]
        nova = text(first[NOVA].get("text"))
        targets = tuple(text(one.get("dev")) for one in said if one.get("") == "target" and one.get("dev"))
        if text(first["name"].get("text")) and first["domain"].get("type") != CONTAINER:
            yield Domain(
                text(first["name"]["text"]),
                text(first["uuid"].get("text")),
                number(text(first["domstatus"].get("pid"))),
                targets,
                (
                    *((("nova", nova),) if nova else ()),
                    *((("guest_macs", " ".join(macs)),) if macs else ()),
                ),
            )


def _first(said: list[dict[str, Any]], tag: str) -> dict[str, Any]:
    return next((one for one in said if one.get("") == tag), {})


def _unserved(client: Client, domain: Domain) -> Iterator[Claim]:
    """A domain of which no descriptor was seen (this user may not look), by the names of its links at home.

    One without any link, such as one whose network is libvirt's own or a socket, if its process is still there.
    """
    home = client.facts.home
    ends = tuple(
        End(home, link.ifindex)
        for link in client.facts.links.get(home, {}).values()
        if link.kind in KINDS and link.ifname in domain.targets
    )
    one = process(client, domain.pid) if domain.pid else None
    runs = one is not None and one.option("-uuid") == domain.id != ""
    owner = Owner("vm", domain.name, domain.id, "libvirt", domain.pid if runs else None, domain.data)
    if ends:
        yield Claim(owner, None, ends)
    elif runs and one is not None:
        yield Claim(owner, home if one.ns == home else None)


SOURCE = Source("vms", find)
