"""Crossing: what is sent into one end of a veth, vxcan or netkit comes out of the other (drivers/net/veth.c, netkit.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire import kinds
from nswire.model.reasons import Reason
from nswire.path import mtu
from nswire.path.devices.device import Device
from nswire.path.values import Landing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.topology import Link
    from nswire.path.context import PathContext
    from nswire.path.values import Frame, Steps

PEER_UNKNOWN = Reason(
    "pair.peer_unknown", "the other end of {link} is {state}, so where it goes cannot be told", unknown=True
)
SINGLE = Reason("netkit.single", "{link} was made single: it has no other end")
NETKIT_BLACKHOLE = Reason("netkit.blackhole", "{link} passes nothing on: its policy is blackhole")
TOO_LARGE = Reason(
    "pair.too_large",
    "it has {size} bytes, and the MTU of {link} is {mtu}: dropped without a word",
    "PKT_TOO_BIG",
)

NETKIT = "netkit"


def send(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """Out of the other end. Another namespace forgets the mark and the connection (skb_scrub_packet)."""
    peer = link.peer
    if peer is None and kinds.is_single(link.fact):
        yield ctx.l2.lost(link, frame, steps, SINGLE(link=link.ifname))
        return
    if peer is None:
        state = link.loose.state if link.loose is not None else "not known"
        reason = PEER_UNKNOWN(link=link.ifname, state=state)
        yield Landing("unknown", steps, link.end.ns, frame, link.end, frame.packet, reason=reason)
        return
    if link.kind == NETKIT and _blackhole(link):
        reason = NETKIT_BLACKHOLE(link=link.ifname)
        yield ctx.l2.lost(link, frame, steps, reason)
        return
    size = mtu.too_large(peer, frame) if link.kind != NETKIT else 0  # netkit_xmit looks at no MTU
    if size:
        reason = TOO_LARGE(size=size, link=peer.ifname, mtu=peer.fact.mtu)
        yield ctx.l2.lost(peer, frame, steps, reason)
        return
    if link.kind != NETKIT:
        mtu.note(ctx, peer, peer.fact.mtu + mtu.VLAN_HEADER, frame)
    yield from ctx.l2.arrive(peer, frame.crossed(link.end.ns, peer.end.ns), steps)


def _blackhole(link: Link) -> bool:
    """What a netkit does with what no program decides about: the primary's attributes tell it for both ends."""
    details = kinds.details(link.fact)
    return details.get("policy") == "blackhole"


DEVICES = (Device(("veth", "vxcan", NETKIT), transmit=send),)
