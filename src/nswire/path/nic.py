"""Ends of what can be seen: a NIC, behind which is another machine; links that swallow what they get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.model.reasons import Reason
from nswire.path import mtu
from nswire.path.values import Landing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.topology import Link
    from nswire.path.values import Frame, Steps
    from nswire.path.walk import Walk

LEAVES = Reason("nic.leaves", "it leaves by {link}")
LEAVES_TAGGED = Reason("nic.leaves_tagged", "it leaves by {link}, VLAN {vlan}")
SWALLOWED = Reason("nic.swallowed", "{link} is a {kind}: what it gets is gone")


def send(walk: Walk, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """Out of this machine."""
    if link.loopback:
        yield from walk.segment.arrive(link, frame, steps)
        return
    mtu.note(walk, link, link.fact.mtu)
    vlan = frame.vlans[-1][1] if frame.vlans else None
    reason = LEAVES(link=link.ifname) if vlan is None else LEAVES_TAGGED(link=link.ifname, vlan=vlan)
    yield Landing("leaves", steps, link.end.ns, frame, link.end, frame.packet, reason=reason)


def swallow(walk: Walk, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """A dummy and its like have no other side."""
    yield walk.segment.lost(link, frame, steps, SWALLOWED(link=link.ifname, kind=link.kind))
