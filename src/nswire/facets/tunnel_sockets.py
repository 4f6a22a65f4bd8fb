"""Tunnels that keep their socket's namespace to themselves: WireGuard, geneve, gtp, bareudp.

Their UDP socket stays in the namespace that they were made in, wherever the link goes, and no attribute names it. But it is
listed in /proc/net/udp of that namespace, with an inode that no process has open, since it is the kernel's own. A tunnel's
port in one namespace alone tells which it is; in several, all of them are candidates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire import kinds
from nswire.codec import procfs
from nswire.codec.netlink import wireguard
from nswire.facets.facet import Detail, Facet
from nswire.facets.query import decoded, of_each, refused
from nswire.host import requests
from nswire.host.failures import refusal
from nswire.model.gaps import ADMINISTER, HOST, Gap, Unseen, counted
from nswire.model.reasons import Reason
from nswire.model.values import Far, Loose, Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from nswire.host.client import Client
    from nswire.model.values import End, LinkFact, NsKey, Value

GENEVE_PORT, GTP_PORTS = 6081, (2152, 3386)


def _number(link: LinkFact, name: str, otherwise: int) -> tuple[int, ...]:
    value = kinds.details(link).get(name, otherwise)
    return (value,) if isinstance(value, int) and value else ()


PORTS: dict[str, Callable[[LinkFact], tuple[int, ...]]] = {
    "geneve": lambda link: _number(link, "port", GENEVE_PORT),
    "bareudp": lambda link: _number(link, "dstport", 0),
    "gtp": lambda _: GTP_PORTS,
    "wireguard": lambda _: (),  # asked for
}
BY_PROCESS = ("gtp",)  # whose sockets may be those of a process
ASKED = "wireguard"
PORTS_UNREAD = Unseen("wireguard.ports", "the ports of WireGuard links", ADMINISTER)
KERNEL_SOCKETS = Unseen("host.kernel_sockets", "which sockets are the kernel's own")
SOCKET = Unseen("tunnel.socket", "whether a tunnel's socket is there")
HIDDEN = Reason("scan.netns_hidden", "they cannot be entered")


def ask(client: Client, ends: Collection[End]) -> Iterator[Wire | Loose | Detail | Gap]:
    """A wire to the one namespace that has a socket with the tunnel's port, or all that have one as candidates."""
    links = client.facts.links
    ports = {end: PORTS[links[end.ns][end.ifindex].kind](links[end.ns][end.ifindex]) for end in ends}
    failures = []
    asked = [end for end in ends if links[end.ns][end.ifindex].kind == ASKED]
    for end, (answer,) in of_each(client, asked, lambda link: (requests.wireguard_device(link.ifindex),)):
        device = decoded(answer, wireguard.decode)
        if isinstance(device, int):
            failures.append((end.ns, device))
            continue
        ports[end] = (device.port,) if device.port else ()
        yield Detail(end, _told(device))
    yield from refused(client, failures, PORTS_UNREAD)
    up = {end: found for end, found in ports.items() if found}
    if not up:
        return
    sockets = _sockets(client)
    answer = client.host("socket-inodes")
    held: frozenset[int] | None = None
    if isinstance(answer, bytes):
        held = procfs.inodes(answer)
    else:
        yield KERNEL_SOCKETS(HOST, *refusal(answer.errno))
    if client.facts.hidden:
        hidden = counted(len(client.facts.hidden), "hidden namespaces", "hidden namespaces")
        yield SOCKET(hidden, HIDDEN())
    for end, wanted in up.items():
        by_process = links[end.ns][end.ifindex].kind in BY_PROCESS
        fits = tuple(
            ns
            for ns, rows in sockets.items()
            if any(
                port in wanted and (by_process or (held is not None and inode not in held))
                for port, inode in rows
            )
        )
        yield from _concluded(end, wanted, fits)


def _concluded(end: End, ports: tuple[int, ...], fits: tuple[NsKey, ...]) -> Iterator[Wire | Loose]:
    port = " or ".join(map(str, ports))
    if len(fits) == 1:
        said_by = f"no other namespace has a socket of the kernel's with UDP port {port}"
        yield Wire(
            "underlay", end, None, "inferred", said_by, Far("namespace", ns=fits[0], data=(("port", port),))
        )
    elif fits:
        yield Loose(end, "underlay", "ambiguous", None, None, spaces=fits)
    else:
        yield Loose(end, "underlay", "not visible", None, None)


def _told(device: wireguard.Device) -> dict[str, Value]:
    said: dict[str, Value] = {"port": device.port, "peers": device.peers}
    if device.fwmark:
        said["fwmark"] = device.fwmark
    if device.endpoints:
        said["endpoints"] = " ".join(device.endpoints)
    return said


def _sockets(client: Client) -> dict[NsKey, set[tuple[int, int]]]:
    """(port, inode) of the UDP sockets of each namespace that can be entered."""
    seen = (ns for ns in client.facts.links if ns not in client.facts.hidden)
    answers = client.query(dict.fromkeys(seen, requests.UDP))
    return {
        ns: {row for answer in said if isinstance(answer, bytes) for row in procfs.udp_sockets(answer)}
        for ns, said in answers.items()
    }


FACET = Facet("sockets", lambda link: link.kind in PORTS, ask, wires=("underlay",))
