"""Ends of what can be seen: a NIC, behind which is another machine; links that swallow what they get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.path import mtu
from nswire.path.values import Landing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.topology import Link
    from nswire.path.values import Frame, Steps
    from nswire.path.walk import Walk


def send(walk: Walk, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """Out of this machine."""
    if link.loopback:
        yield from walk.segment.arrive(link, frame, steps)
        return
    mtu.note(walk, link, link.fact.mtu)
    tag = f", VLAN {frame.vlans[-1][1]}" if frame.vlans else ""
    reason = f"it leaves by {link.ifname}{tag}"
    yield Landing("leaves", steps, link.end.ns, frame, link.end, frame.packet, reason=reason)


def swallow(walk: Walk, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """A dummy and its like have no other side."""
    yield walk.segment.lost(link, frame, steps, f"{link.ifname} is a {link.kind}: what it gets is gone")
