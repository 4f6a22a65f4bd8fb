"""Processes that listen for somebody else: to whom they hand on what comes to a port, by their command lines, taps and children.

docker-proxy says it; pasta and passt are told which port is which, and serve the tap of the namespace; slirp4netns serves such a tap,
too; rootlessport and rootlesskit have a child in the namespace. Podman's conmon, as root, only keeps the port from others, while
the firewall translates it: so does its child, the container, tell where that leads.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, NamedTuple

from nswire.model.sockets import MAPPED, Forward
from nswire.model.values import End
from nswire.owners.state_files import away, number, process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nswire.codec.process import Process
    from nswire.host.client import Client
    from nswire.model.sockets import Listener
    from nswire.model.values import NsKey

# one specification of pasta's -t and -u: [ADDRESS[%LINK]/]PORT[-PORT][:PORT[-PORT]]
PORTS = re.compile(
    r"(?:(?P<address>[0-9a-fA-F.:]*)(?:%(?P<link>[^/]+))?/)?(?P<first>\d{1,5})(?:-(?P<last>\d{1,5}))?(?::(?P<to>\d{1,5})(?:-\d{1,5})?)?"
)
OPTIONS = {"tcp": ("-t", "--tcp-ports"), "udp": ("-u", "--udp-ports")}


class Waiting(NamedTuple):
    """The socket of such a program; the name of the link that it is bound to, empty if to none."""

    protocol: str
    address: str
    port: int
    link: str = ""


def _docker_proxy(_: Client, one: Process, waiting: Waiting) -> Iterator[Forward]:
    """-proto tcp -host-ip 0.0.0.0 -host-port 8080 -container-ip 172.17.0.2 -container-port 80."""
    words = {
        name: one.option(f"-{name}", f"--{name}") for name in ("proto", "container-ip", "container-port")
    }
    port = number(words["container-port"])
    if words["proto"] == waiting.protocol and words["container-ip"] and port:
        yield Forward(None, words["container-ip"], port)


def _pasta(client: Client, one: Process, waiting: Waiting) -> Iterator[Forward]:
    """What its options say of that port; of `auto` and `all` it is the same number."""
    port = mapped(one, waiting)
    for tap in _taps(client, one):
        yield Forward(tap.ns, "", port, tap=tap, loopback="--host-lo-to-ns-lo" in one.cmdline)


def mapped(one: Process, waiting: Waiting) -> int:
    """The port inside of the namespace; 0 if nothing is said of it."""
    short, long = OPTIONS[waiting.protocol]
    told = [
        word
        for at, name in enumerate(one.cmdline)
        if name in (short, long) and at + 1 < len(one.cmdline)
        for word in one.cmdline[at + 1].split(",")
    ]
    for name in one.cmdline:
        if name.startswith(f"{long}="):
            told += name.partition("=")[2].split(",")
    for word in told:
        match = PORTS.fullmatch(word)
        if match is None or not _same_socket(match["address"] or "", match["link"] or "", waiting):
            continue
        first = int(match["first"])
        if first <= waiting.port <= int(match["last"] or first):
            return waiting.port - first + int(match["to"] or first)
    return waiting.port if {"auto", "all"} & set(told) or any(word.startswith("~") for word in told) else 0


def _same_socket(address: str, link: str, waiting: Waiting) -> bool:
    """Whether a specification's address and link are those of a socket; without an address it is everybody's."""
    if link != waiting.link:
        return False
    try:
        wanted = ipaddress.ip_address(address) if address else None
        bound = ipaddress.ip_address(waiting.address.removeprefix(MAPPED))
    except ValueError:
        return False
    return bound.is_unspecified if wanted is None or wanted.is_unspecified else wanted == bound


def _slirp(client: Client, one: Process, _: Waiting) -> Iterator[Forward]:
    """Which port it is inside was said over its API, and nowhere else."""
    for tap in _taps(client, one):
        yield Forward(tap.ns, tap=tap)


def _taps(client: Client, one: Process) -> list[End]:
    """The taps that it serves."""
    found = (
        End(ns, link.ifindex)
        for ns, links in client.facts.links.items()
        for link in links.values()
        if link.kind == "tun"
        for wire in client.wires(End(ns, link.ifindex), ("tap",))
        if wire.to is not None and wire.to.pid == one.pid
    )
    return sorted(set(found), key=lambda end: (end.ns, end.ifindex))


def _child(client: Client, one: Process, _: Waiting) -> Iterator[Forward]:
    """Of rootlessport itself: it is in the container's namespace itself, but for the thread that listens."""
    yield from (Forward(ns) for ns in sorted({one.ns, *_childrens(client, one)}))


def _keeper(client: Client, one: Process, _: Waiting) -> Iterator[Forward]:
    yield from (Forward(ns, keeps=True) for ns in sorted(_childrens(client, one)))


def _childrens(client: Client, one: Process) -> set[NsKey]:
    """The namespaces of its children."""
    found = set()
    for row in away(client):
        child = process(client, row.pid) if row.ns is not None else None
        if child is not None and child.ppid == one.pid and child.ns == row.ns:
            found.add(child.ns)
    return found


class Forwarder(NamedTuple):
    """A program that listens for somebody else, as it calls itself (15 characters), and where it hands on what comes."""

    name: str
    find: Callable[[Client, Process, Waiting], Iterator[Forward]]


TABLE = (
    Forwarder("docker-proxy", _docker_proxy),
    Forwarder("pasta", _pasta),
    Forwarder("pasta.avx2", _pasta),
    Forwarder("passt", _pasta),
    Forwarder("passt.avx2", _pasta),
    Forwarder("slirp4netns", _slirp),
    Forwarder("rootlessport", _child),
    Forwarder("rootlesskit", _child),
    Forwarder("conmon", _keeper),
)


def forwards(client: Client, ns: NsKey, pid: int, listener: Listener) -> tuple[Forward, ...] | None:
    """Where a process hands on what comes to that socket of its, which is in `ns`; None: it is no such program.

    Empty: where to is not known.
    """
    one = process(client, pid)
    bound = client.facts.links.get(ns, {}).get(listener.ifindex)
    waiting = Waiting(
        listener.protocol, listener.address, listener.port, bound.ifname if bound is not None else ""
    )
    for row in TABLE:
        if one is not None and one.comm == row.name:
            return tuple(said for said in row.find(client, one, waiting) if said.ns != ns)
    return None
