"""From where to where: what handles stand for, as ends of a path."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NamedTuple

from nswire.model.values import RT_SCOPE_LINK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nswire.model.topology import Link, Topology
    from nswire.model.values import End, Namespace, NsKey

OUT = {4: "1.1.1.1", 6: "2606:4700:4700::1111"}
"""Addresses that stand for the internet: everybody routes them alike."""

FAMILIES = {2: 4, 10: 6}


class Impossible(ValueError):
    """No path can begin or end there; the message says why, `hint` what would help, `subject` the word that it is about."""

    def __init__(self, message: str, hint: str = "", subject: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        self.subject = subject

    def of(self, subject: str) -> Impossible:
        """The same, of that word."""
        return Impossible(str(self), self.hint, subject)


class Sender(NamedTuple):
    """Where a path begins. `addresses` are those that it may have as its source (none: whatever the routes choose).

    `by`: the packet comes in by that link, from something that is no stack of this host. `note` says what was assumed.
    """

    ns: NsKey
    addresses: tuple[str, ...] = ()
    by: End | None = None
    note: str = ""


class Receiver(NamedTuple):
    """Where a path ends: `ns` is None for an address that is meant wherever it is."""

    address: str
    ns: NsKey | None = None


def sender(topology: Topology, word: str, links: Sequence[Link], namespace: Namespace | None) -> Sender:
    """The sender that a handle stands for. Impossible."""
    literal = address(word)
    if literal and links:
        return Sender(links[0].end.ns, (literal,))
    if namespace is not None:
        return Sender(namespace.key)
    if not links:
        raise Impossible(
            "it has no namespace of its own, so it sends as the host does", "give the host's namespace"
        )
    spaces = {link.end.ns for link in links}
    if len(links) > 1:
        if len(spaces) > 1:
            raise Impossible("it has links in several namespaces", "give one of its links")
        return Sender(links[0].end.ns)
    link = links[0]
    own = addresses_of(link)
    if own:
        return Sender(link.end.ns, own)
    return _without_address(topology, link)


def _without_address(topology: Topology, link: Link) -> Sender:
    """A link that has no address is a way for others: whoever is at its other end is the sender."""
    peer = link.peer
    if peer is not None and addresses_of(peer):
        where = topology.title(peer.netns)
        note = f"{link.ifname} has no address: it starts at its other end, {peer.ifname} in {where}"
        return Sender(peer.end.ns, addresses_of(peer), note=note)
    served = [wire.to for wire in link.late_wires("tap") if wire.to is not None]
    if served:
        note = f"it starts at the process behind {link.ifname} ({served[0].name or served[0].pid})"
        return Sender(link.end.ns, (), link.end, note)
    return Sender(link.end.ns)


def receiver(links: Sequence[Link], family: int) -> Receiver:
    """The receiver that these links stand for; `family` 0: whichever they have. Impossible."""
    found = [(one, link) for link in links for one in addresses_of(link)]
    wanted = [pair for pair in found if not family or (6 if ":" in pair[0] else 4) == family]
    if not wanted:
        raise Impossible(f"it has no IPv{family} address" if family else "it has no address")
    chosen, link = min(wanted, key=lambda pair: ":" in pair[0])
    return Receiver(chosen, link.end.ns)


def address(word: str) -> str:
    """The address that a word is, as it is written shortest; empty if it is none."""
    try:
        return str(ipaddress.ip_address(word.removeprefix("[").removesuffix("]")))
    except ValueError:
        return ""


def addresses_of(link: Link) -> tuple[str, ...]:
    """The addresses of a link that count beyond its segment, IPv4 first."""
    return tuple(
        one.ip for one in sorted(link.addresses, key=lambda one: one.family) if one.scope < RT_SCOPE_LINK
    )
