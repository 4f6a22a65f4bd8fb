"""Where a packet meets chains, and what a rule there may look at and change."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from nswire.model.values import NsKey
    from nswire.path.context import PathContext
    from nswire.path.netfilter.compare import Known
    from nswire.path.values import Packet


class Fields(Protocol):
    """What a rule can look at of a packet (`path.netfilter.fields`)."""

    def value(self, name: str, place: Place, packet: Packet) -> Known:
        """The value of a key, in the words of `codec.nftables`."""
        ...


class Place(NamedTuple):
    """Where in a namespace a packet meets chains: the hook, the links by their names, and for bridges the ports.

    `family` is `ip` (or `ip6`), `bridge`, `netdev` or `arp`. `gateway` and `oif` are where it will go next, for masquerading.
    `interrupted`: br_netfilter takes the packet in the middle of the hook, and gives it back.
    """

    family: str
    hook: str
    iif: str = ""
    oif: str = ""
    physin: str = ""
    physout: str = ""
    gateway: str = ""
    sight: Fields | None = None
    interrupted: bool = False


class AtHook:
    """A packet at a hook, as rules change it; `notes`: what was done to it, as kind and text."""

    def __init__(self, walk: PathContext, ns: NsKey, place: Place, packet: Packet) -> None:
        self.walk = walk
        self.ns = ns
        self.place = place
        self.packet = packet
        self.notes: list[tuple[str, str]] = []
