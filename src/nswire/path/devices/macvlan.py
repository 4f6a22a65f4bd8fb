"""macvlan and macvtap: each with its own MAC on one lower link. Between them: by mode; never to the lower link's own stack.

drivers/net/macvlan.c: macvlan_queue_xmit, macvlan_handle_frame, macvlan_broadcast.
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

LOWER_UNKNOWN = Reason("macvlan.lower_unknown", "what {link} stands on cannot be seen", unknown=True)
SOURCE_MODE = Reason("macvlan.source_mode", "a macvlan of mode source on {link} may take it", unknown=True)

KINDS = ("macvlan", "macvtap")
UP = 1


def send(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """To siblings directly, in mode bridge; everything else out by the lower link, as if it came from there."""
    lower = link.lower
    if lower is None:
        yield ctx.l2.unknown(link, frame, steps, LOWER_UNKNOWN(link=link.ifname))
        return
    if _mode(link) == "bridge":
        bridged = [one for one in _on(lower) if _mode(one) == "bridge" and one.fact.flags & UP]
        if frame.to_all:
            for one in bridged:
                if one != link:
                    yield from ctx.l2.arrive(one, frame.crossed(link.end.ns, lower.end.ns), steps)
        else:
            to = next((one for one in bridged if one.fact.address == frame.dst), None)
            if to is not None:
                yield from ctx.l2.arrive(lower, frame.crossed(link.end.ns, lower.end.ns), steps)
                return
    yield from ctx.l2.send(lower, frame, steps)


def arrive(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """What comes in by the lower link: to the one that has the MAC; to all, and the lower link itself, what is for all."""
    uppers = _on(link)
    through = next((one for one in uppers if _mode(one) == "passthru"), None)
    if through is not None:
        yield from _to(ctx, through, frame, steps)
        return
    if frame.to_all:
        source = next((one for one in uppers if one.fact.address == frame.src), None)
        for one in uppers:
            # what one of them sent comes back only from outside: siblings in mode bridge had it already
            if (
                one.fact.flags & UP
                and one != source
                and not (source is not None and _mode(source) == _mode(one) == "bridge")
            ):
                yield from _to(ctx, one, frame, steps)
        yield ctx.l2.to_stack(link, frame, steps)
        return
    to = next((one for one in uppers if one.fact.address == frame.dst and _mode(one) != "source"), None)
    if to is None and any(_mode(one) == "source" for one in uppers):
        yield ctx.l2.unknown(link, frame, steps, SOURCE_MODE(link=link.ifname))
    elif to is None:
        yield ctx.l2.to_stack(link, frame, steps)
    else:
        yield from _to(ctx, to, frame, steps)


def _to(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """Up to the stack above one of them; that of a macvtap is a process."""
    if link.kind == "macvtap":
        from nswire.path.devices import tap

        yield from tap.taken(ctx, link, frame, steps)
        return
    yield from ctx.l2.arrive(link, frame, steps)


def _on(lower: Link) -> list[Link]:
    return [upper for upper in lower.uppers if upper.kind in KINDS]


def _mode(link: Link) -> str:
    return str(kinds.details(link.fact).get("mode", ""))


DEVICES = (Device(KINDS, transmit=send, from_lower=arrive),)
