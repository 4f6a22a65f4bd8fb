"""From where to where: what handles stand for, as ends of a path."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NamedTuple

from nswire import kinds
from nswire.errors import PathQueryError
from nswire.model import owner_types
from nswire.model.values import RT_SCOPE_LINK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nswire.model.topology import Link, Topology
    from nswire.model.values import End, Namespace, NsKey, Owner

OUT = {4: "1.1.1.1", 6: "2606:4700:4700::1111"}
"""Addresses that stand for the internet: everybody routes them alike."""

TOLD = 8  # links of one who has several
FAMILIES = {2: 4, 10: 6}


class Sender(NamedTuple):
    """Where a path begins. `addresses` are those that it may have as its source (none: whatever the routes choose).

    `oif`: the VRF that it is bound to. `by`: the packet comes in by that link, from something that is no stack of this host. `note` says what was assumed.
    """

    ns: NsKey
    addresses: tuple[str, ...] = ()
    by: End | None = None
    note: str = ""
    oif: int = 0


class Receiver(NamedTuple):
    """Where a path ends: `ns` is None for an address that is meant wherever it is."""

    address: str
    ns: NsKey | None = None


def host_and_port(word: str) -> tuple[str, int]:
    """`HOST:PORT` and `[ADDRESS]:PORT` in two; a port of 0: it is neither. A handle may look so, too (`pid:812`): ask first."""
    host, _, port = word.rpartition(":")
    if not host or address(word) or not (port.isascii() and port.isdigit() and len(port) < 6):
        return word, 0
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host and address(host):
        return word, 0
    return (host, int(port)) if 0 < int(port) < 1 << 16 else (word, 0)


class Destination(NamedTuple):
    """A destination as people type it, in parts. A port of 0, an empty `proto`: none is said."""

    host: str
    port: int = 0
    proto: str = ""


def split(word: str) -> Destination:
    """`tcp:10.0.0.5:80`, `udp:[fd00::5]:53`, `web:80` in its parts; without a port it is one word. A handle may look so, too: ask first."""
    proto, _, rest = word.partition(":")
    proto, rest = (proto, rest) if proto in PORTED else ("", word)
    host, port = host_and_port(rest)
    return Destination(host, port, proto) if port else Destination(word)


PORTED = ("tcp", "udp")


def sender(
    topology: Topology,
    word: str,
    links: Sequence[Link],
    namespace: Namespace | None,
    owner: Owner | None = None,
) -> Sender:
    """The sender that a handle stands for; `owner`: it names him. PathQueryError."""
    literal = address(word)
    if links and means_guest(word, links, owner):
        return _one_of(topology, links, (literal,) if literal else ())
    if literal and links:
        return _in_vrf(links[0], Sender(links[0].end.ns, (literal,)))
    if namespace is not None:
        return Sender(namespace.key)
    if not links:
        raise PathQueryError(
            "it has no namespace of its own, so it sends as the host does", "give the host's namespace"
        )
    spaces = {link.end.ns for link in links}
    if len(links) > 1:
        if len(spaces) > 1:
            raise PathQueryError("it has links in several namespaces", "give one of its links")
        return _one_of(topology, links)
    link = links[0]
    own = addresses_of(link)
    if own or vrf_of(link) is link:
        return _in_vrf(link, Sender(link.end.ns, own))
    return _without_address(topology, link)


def vrf_of(link: Link | None) -> Link | None:
    """The VRF that a link is, or is a port of."""
    master = link.master if link is not None else None
    return next((one for one in (link, master) if one is not None and kinds.of(one.kind).routes), None)


def bound(topology: Topology, begin: Sender, source: str) -> Sender:
    """The sender, bound to the VRF that the source address is in, if it is in one."""
    links = topology.links(begin.ns)
    owner = next((link for link in links if any(one.ip == source for one in link.addresses)), None)
    return begin if owner is None else _in_vrf(owner, begin)


def _in_vrf(link: Link, begin: Sender) -> Sender:
    """Who sends from a VRF, one of its ports or an address in it is bound to it, as `ip vrf exec` does: else he has no route there."""
    vrf = vrf_of(link)
    if vrf is None:
        return begin
    return begin._replace(oif=vrf.ifindex, note=f"it is sent by a program that is bound to {vrf.ifname}")


def _without_address(topology: Topology, link: Link) -> Sender:
    """A link that has no address is a way for others: whoever is at its other end is the sender."""
    peer = link.peer
    if peer is not None and addresses_of(peer):
        where = topology.title(peer.netns)
        note = f"{link.ifname} has no address: it starts at its other end, {peer.ifname} in {where}"
        return Sender(peer.end.ns, addresses_of(peer), note=note)
    if _is_served(link):
        return _guest(topology, link)
    return Sender(link.end.ns)


def _is_served(link: Link) -> bool:
    return link.guest is not None or bool(link.late_wires("tap"))


def _guest(topology: Topology, link: Link, only: tuple[str, ...] = ()) -> Sender:
    """Behind a tap: a VM, or whatever process serves it."""
    vm = next(
        (owner for owner in topology.owners_of_link(link.end) if owner_types.of(owner.type).is_guest), None
    )
    guest = link.guest
    if vm is not None:
        mac = f", {guest.mac}" if guest is not None else ""
        note = f"it starts in the VM {vm.name}, behind {link.ifname}{mac}"
    else:
        served = [wire.to for wire in link.late_wires("tap") if wire.to is not None]
        who = (served[0].name or served[0].pid) if served else "a VM"
        note = f"it starts at the process behind {link.ifname} ({who})"
    known = tuple(one for one in guest.addresses if not one.startswith("fe80:")) if guest is not None else ()
    if known and not only:
        note += f" (others here know {', '.join(known[:TOLD])} of it)"
    return Sender(link.end.ns, only or known, link.end, note)


def means_guest(word: str, links: Sequence[Link], owner: Owner | None) -> bool:
    """True if a word means what is behind these links, and not the links: a VM, the MAC of its NIC, an address of it."""
    if owner is not None:
        return owner_types.of(owner.type).is_guest
    link = links[0] if len(links) == 1 else None
    if link is None or word == link.ifname or address(word) in addresses_of(link):
        return False
    guest = link.guest
    return guest is not None and (address(word) in guest.addresses or _digits(word) == _digits(guest.mac))


def _digits(mac: str) -> str:
    return mac.lower().translate(str.maketrans("", "", ":-."))


def _one_of(topology: Topology, links: Sequence[Link], only: tuple[str, ...] = ()) -> Sender:
    """Of somebody who has several links in one namespace: in the host's they are ways to him, such as the taps of a VM."""
    ways = [link for link in links if _is_served(link)]
    if len(ways) == 1:
        return _guest(topology, ways[0], only)
    if not ways and links[0].end.ns != topology.home:
        return Sender(links[0].end.ns)
    told = [f"{link.ifname}{_known_of(link)}" for link in ways or links]
    more = f" and {len(told) - TOLD} more" if len(told) > TOLD else ""
    raise PathQueryError(f"it has {len(told)} links", f"give one of them: {', '.join(told[:TOLD])}{more}")


def _known_of(link: Link) -> str:
    guest = link.guest
    return "" if guest is None else f" ({', '.join((guest.mac, *guest.addresses[:1]))})"


def receiver(links: Sequence[Link], family: int, *, guest: bool = False) -> Receiver:
    """The receiver that these links stand for; `family` 0: whichever they have. `guest`: whoever is behind them. PathQueryError."""
    found: list[tuple[str, NsKey | None]] = []
    if not guest:
        found = [(one, link.end.ns) for link in links for one in addresses_of(link)]
    if not found:  # a guest's, wherever its frames go
        found = [(one, None) for link in links if link.guest is not None for one in link.guest.addresses]
    wanted = [pair for pair in found if not family or (6 if ":" in pair[0] else 4) == family]
    if not wanted:
        raise PathQueryError(f"it has no IPv{family} address" if family else "it has no address")
    chosen, ns = min(wanted, key=lambda pair: ":" in pair[0])
    return Receiver(chosen, ns)


def address(word: str) -> str:
    """The address that a word is, as it is written shortest; empty if it is none."""
    try:
        return str(ipaddress.ip_address(word.removeprefix("[").removesuffix("]")))
    except ValueError:
        return ""


def is_loopback(word: str) -> bool:
    """Whether a word is an address that everybody has for himself: of 127.0.0.0/8, or ::1."""
    literal = address(word)
    return literal != "" and ipaddress.ip_address(literal).is_loopback


def addresses_of(link: Link) -> tuple[str, ...]:
    """The addresses of a link that count beyond its segment, IPv4 first."""
    return tuple(
        one.ip for one in sorted(link.addresses, key=lambda one: one.family) if one.scope < RT_SCOPE_LINK
    )
