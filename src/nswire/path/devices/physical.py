"""Ends of what can be seen: a NIC, behind which is another machine; the loopback; links that swallow what they get.

drivers/net/loopback.c (loopback_xmit), vrf.c (vrf_local_xmit).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.model.reasons import Reason
from nswire.path import mtu
from nswire.path.devices.device import Device
from nswire.path.values import Landing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.topology import Link
    from nswire.path.context import PathContext
    from nswire.path.values import Frame, Steps

LEAVES = Reason("nic.leaves", "it leaves by {link}")
LEAVES_TAGGED = Reason("nic.leaves_tagged", "it leaves by {link}, VLAN {vlan}")
NOT_FOR_ITSELF = Reason(
    "nic.not_for_itself", "{link} brings back only what is for {netns} itself, and {address} is not"
)
VRF_ITSELF = Reason("nic.vrf_itself", "what is sent to the VRF {link} itself is not followed", unknown=True)
SWALLOWED = Reason("nic.swallowed", "{link} is a {kind}: what it gets is gone")


def send(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """Out of this machine."""
    if link.loopback:
        yield from _loop(ctx, link, frame, steps)
        return
    mtu.note(ctx, link, link.fact.mtu, frame)
    vlan = frame.vlans[-1][1] if frame.vlans else None
    reason = LEAVES(link=link.ifname) if vlan is None else LEAVES_TAGGED(link=link.ifname, vlan=vlan)
    yield Landing("leaves", steps, link.end.ns, frame, link.end, frame.packet, reason=reason)


def _loop(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """Back in by the same link, if it is for this namespace itself; what else is routed there goes round until it ends (ip_forward)."""
    if frame.packet.looped:
        yield from ctx.l2.arrive(link, frame, steps)
        return
    netns, address = ctx.name(link.end.ns), frame.packet.flow.dst
    reason = NOT_FOR_ITSELF(link=link.ifname, netns=netns, address=address)
    yield ctx.l2.lost(link, frame, steps, reason)


def looped(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """A VRF brings back what is for an address in it, as lo does; what else is sent to it is routed again in its table."""
    if frame.packet.looped:
        yield from ctx.l2.arrive(link, frame, steps)
        return
    yield ctx.l2.unknown(link, frame, steps, VRF_ITSELF(link=link.ifname))


def swallow(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """A dummy and its like have no other side."""
    yield ctx.l2.lost(link, frame, steps, SWALLOWED(link=link.ifname, kind=link.kind))


DEVICES = (
    Device(("",), transmit=send),
    Device(("vrf",), transmit=looped),
    Device(("dummy", "ifb", "nlmon"), transmit=swallow),
)
