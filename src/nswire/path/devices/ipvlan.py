"""ipvlan: addresses of their own, the lower link's MAC. Between them by address; the lower link's stack hears none of them.

drivers/net/ipvlan/ipvlan_core.c: ipvlan_queue_xmit, ipvlan_handle_frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire import kinds
from nswire.model.reasons import Reason
from nswire.path.devices.device import Device

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.topology import Link
    from nswire.path.context import PathContext
    from nswire.path.values import Frame, Landing, Steps

LOWER_UNKNOWN = Reason("ipvlan.lower_unknown", "what {link} stands on cannot be seen", unknown=True)
PRIVATE = Reason("ipvlan.private", "{link} and {other} are private: nothing passes between them")

KINDS = ("ipvlan", "ipvtap")


def send(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """In mode l2 by MAC and address; in l3 and l3s by address, and the rest by the routes of the lower link's namespace."""
    lower = link.lower
    if lower is None:
        yield ctx.l2.unknown(link, frame, steps, LOWER_UNKNOWN(link=link.ifname))
        return
    wanted = frame.tells or frame.asks or frame.packet.flow.dst
    details = kinds.details(link.fact)
    if _mode(link) != "l2":
        yield from _routed(ctx, link, lower, frame, steps)
    elif frame.to_all:
        for one in _on(lower):
            if one != link:
                yield from ctx.l2.arrive(one, frame.crossed(link.end.ns, lower.end.ns), steps)
        yield from ctx.l2.send(lower, frame, steps)
    elif frame.dst == link.fact.address and not details.get("vepa"):
        to = _having(lower, wanted)
        if to is not None and details.get("private"):
            yield ctx.l2.lost(link, frame, steps, PRIVATE(link=link.ifname, other=to.ifname))
            return
        # what is for that MAC, but for none of their addresses, is the lower link's own
        yield from ctx.l2.arrive(to or lower, frame.crossed(link.end.ns, lower.end.ns), steps)
    else:
        yield from ctx.l2.send(lower, frame, steps)


def arrive(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """What comes in by the lower link: to the one that has the address; to all, what is for all."""
    if frame.to_all:
        for one in _on(link):
            yield from ctx.l2.arrive(one, frame, steps)
        yield ctx.l2.to_stack(link, frame, steps)
        return
    to = (
        _having(link, frame.tells or ("" if frame.asks else frame.packet.flow.dst))
        if frame.dst in ("", link.fact.address)
        else None
    )
    if to is None:
        yield ctx.l2.to_stack(link, frame, steps)
    else:
        yield from ctx.l2.arrive(to, frame, steps)


def _routed(ctx: PathContext, link: Link, lower: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """Modes l3 and l3s: what is for none of them is routed by the lower link's namespace (ipvlan_process_outbound)."""
    details = kinds.details(link.fact)
    to = _having(lower, frame.packet.flow.dst) if not details.get("vepa") else None
    if to is not None and details.get("private"):
        yield ctx.l2.lost(link, frame, steps, PRIVATE(link=link.ifname, other=to.ifname))
        return
    if to is not None:
        yield from ctx.l2.arrive(to, frame.crossed(link.end.ns, lower.end.ns), steps)
        return
    if ctx.l2.light:
        return
    text = f"{link.ifname} is in mode {_mode(link)}: {ctx.name(lower.end.ns)} routes it"
    steps += ctx.step("crossing", text, lower.end.ns, lower.end)
    packet = frame.packet.crossed(link.end.ns, lower.end.ns)
    # by FLOWI_FLAG_ANYSRC the source need be no address of that namespace
    yield ctx.l3.originate(lower.end.ns, packet, steps, lower.end.ifindex, anysrc=True)


def _having(lower: Link, address: str) -> Link | None:
    return next(
        (one for one in _on(lower) if any(a.ip == address for a in one.addresses)),
        None,
    )


def _on(lower: Link) -> list[Link]:
    return [upper for upper in lower.uppers if upper.kind in KINDS]


def _mode(link: Link) -> str:
    return str(kinds.details(link.fact).get("mode", "l3"))


DEVICES = (Device(KINDS, transmit=send, from_lower=arrive),)
