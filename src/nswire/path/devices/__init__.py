"""What each kind of link does with a packet: one row of some kinds, declared by the file that has the model.

A kind of `kinds.TABLE` that has no row here has one in `NOT_FOLLOWED`, which says why; tests/test_vocabularies.py sees to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.model.reasons import Reason
from nswire.path.devices import bond, bridge, ipvlan, macvlan, openvswitch, physical, tap, tunnel, veth, vlan

if TYPE_CHECKING:
    from nswire.model.topology import Link
    from nswire.path.devices.device import Device

TABLE: tuple[Device, ...] = (
    *physical.DEVICES,
    *veth.DEVICES,
    *vlan.DEVICES,
    *macvlan.DEVICES,
    *ipvlan.DEVICES,
    *bond.DEVICES,
    *bridge.DEVICES,
    *openvswitch.DEVICES,
    *tap.DEVICES,
    *tunnel.DEVICES,
)

TRANSMIT = {kind: row.transmit for row in TABLE for kind in row.kinds if row.transmit is not None}
FROM_PORT = {kind: row.from_port for row in TABLE for kind in row.kinds if row.from_port is not None}
FROM_LOWER = {kind: row.from_lower for row in TABLE for kind in row.kinds if row.from_lower is not None}

KIND_NOT_FOLLOWED = Reason(
    "l2.kind_not_followed", "what a link of kind {kind} does with a frame is not known", unknown=True
)
ENCRYPTED = Reason(
    "l2.encrypted",
    "a {kind} encrypts what it sends, and only its keys and policies say for whom",
    unknown=True,
)
MESH = Reason(
    "l2.mesh", "which node of its network a {kind} sends to is up to its own protocol", unknown=True
)
OTHER_MEDIUM = Reason(
    "l2.other_medium", "a {kind} sends no Ethernet frames, and they are not followed", unknown=True
)
SESSIONS = Reason(
    "l2.sessions", "where a {kind} sends a packet is in sessions that are not read", unknown=True
)
METADATA = Reason(
    "l2.metadata", "where a {kind} sends a packet is in the packet's own metadata", unknown=True
)
COPIES = Reason(
    "l2.copies", "a {kind} carries copies of frames, and its headers are not followed", unknown=True
)
NOT_FOLLOWED: dict[str, Reason] = {
    **dict.fromkeys(("wireguard", "ovpn", "xfrm", "vti", "vti6"), ENCRYPTED),
    **dict.fromkeys(("batadv", "hsr"), MESH),
    **dict.fromkeys(("ipoib", "lowpan", "rmnet", "virt_wifi"), OTHER_MEDIUM),
    **dict.fromkeys(("gtp", "amt"), SESSIONS),
    **dict.fromkeys(("erspan", "ip6erspan"), COPIES),
    "bareudp": METADATA,
}
"""Kinds whose packets are not followed, and why."""
RX_HANDLERS = ("hsr", "rmnet", "virt_wifi")
"""Those of them that take all that comes in by the link they stand on (hsr_handle_frame, rmnet_rx_handler, virt_wifi_rx_handler)."""


def taker(link: Link) -> str:
    """The kind of link that takes all that comes in by that one, in a way that is not followed; empty if there is none."""
    above = (link.fact.slave_kind, *(upper.kind for upper in link.uppers))
    return next((kind for kind in above if kind in RX_HANDLERS), "")


def not_followed(kind: str) -> Reason:
    """Why what a link of that kind does with a frame is not known."""
    return NOT_FOLLOWED.get(kind, KIND_NOT_FOLLOWED)
