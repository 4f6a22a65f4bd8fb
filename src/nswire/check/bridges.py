"""Bridges as rules see them: those that filter by VLAN, their ports, and the VLANs of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire import kinds
from nswire.model.routing import PortVlans
from nswire.model.tables import NotKnown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.network import Network
    from nswire.model.topology import Link

NO_VLANS = PortVlans(0, (), ())
RT_SCOPE_SITE = 200  # include/uapi/linux/rtnetlink.h: addresses up to there count beyond their own segment


class Port(NamedTuple):
    """A port of a bridge that filters by VLAN, and its VLANs."""

    link: Link
    bridge: Link
    vlans: PortVlans


def filters(bridge: Link) -> bool:
    """Whether a link is a bridge that filters by VLAN."""
    return bridge.kind == "bridge" and bool(kinds.details(bridge.fact).get("vlan_filtering"))


def filtering(network: Network) -> Iterator[tuple[Link, tuple[Port, ...]]]:
    """The bridges that filter by VLAN, with their ports; where the VLANs cannot be read, that is a gap of the rule."""
    for bridge in network.links("bridge"):
        if filters(bridge) and network.can_read(bridge.netns, "bridge vlans"):
            yield bridge, tuple(Port(port, bridge, vlans_of(network, port)) for port in bridge.ports)


def vlans_of(network: Network, port: Link) -> PortVlans:
    """The VLANs of a port, or of a bridge itself. Whoever asks has made sure that they can be read."""
    try:
        return network.lookups.vlans(port.end.ns).get(port.ifindex, NO_VLANS)
    except NotKnown:
        return NO_VLANS


def within(ranges: tuple[tuple[int, int], ...], vlan: int) -> bool:
    """Whether a VLAN is in one of these ranges."""
    return any(first <= vlan <= last for first, last in ranges)


def carries_vlan(vlans: PortVlans, vlan: int) -> bool:
    """Whether a VLAN leaves by a port, tagged or not."""
    return within(vlans.untagged, vlan) or within(vlans.tagged, vlan)


def listed(ranges: tuple[tuple[int, int], ...]) -> str:
    """Ranges of VLANs as `bridge vlan` shows them: `1 10-20`; `none` without any."""
    return (
        " ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges if first)
        or "none"
    )


def has_address(link: Link) -> bool:
    """Whether it has an address that counts beyond its own segment (no link-local one)."""
    return any(address.scope <= RT_SCOPE_SITE for address in link.addresses)
