"""Layer 2: where a frame goes that is sent out of a link, or comes in by one. What each kind of link does is its own file's.

net/core/dev.c: __dev_queue_xmit, __netif_receive_skb_core (taps, tc, VLANs, then the receive handler, then the stack).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nswire.model.reasons import Reason
from nswire.path import devices
from nswire.path.devices import openvswitch, qdisc, vlan
from nswire.path.netfilter import tc_bpf
from nswire.path.values import Landing, Mend, ends
from nswire.resolve.carrier import DOWN, NO_CARRIER, PEER_DOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.reasons import Cause
    from nswire.model.topology import Link
    from nswire.path.context import PathContext
    from nswire.path.values import Frame, Steps

NO_PORT = Reason("l2.no_port", "no port of the switch behind {link} takes it")
NO_SUCH_MAC = Reason("l2.no_such_mac", "nobody on the segment of {link} has the MAC {mac}", "OTHERHOST")
LOOP = Reason("l2.loop", "it goes round in a loop")
NO_VLAN = Reason("l2.no_vlan", "no VLAN link on {link} takes tag {vlan} ({protocol})", "OTHERHOST")
OTHER_MAC = Reason("l2.other_mac", "{link} has the MAC {own}, and the frame is for {mac}", "OTHERHOST")

UP, LOWER_UP = 0x1, 0x10000
DEEPEST = 64  # links on one way: more is a loop


class L2:
    """Sends frames. `light`: structure alone counts, so that nothing is asked: to find out where it is worth looking."""

    def __init__(self, ctx: PathContext) -> None:
        self._ctx = ctx
        self.light = False

    def deliver(self, link: Link, frame: Frame, steps: Steps) -> Landing:
        """The one place where a frame for somebody lands: where its MAC is; where it leaves; or where it is lost."""
        if not frame.to_all and frame.along is None:
            found = [one for one in self.explore(link, frame) if one.fate == "up"]
            if len(found) == 1:
                frame = replace(frame, along=ends(found[0].steps))
        landings = list(self.send(link, frame, steps))
        for fate in ("up", "unknown", "leaves", "delivered"):
            for one in landings:
                if one.fate == fate:
                    return one
        if not landings:
            return self.lost(link, frame, steps, NO_PORT(link=link.ifname))
        if len(landings) > 1 and frame.dst:
            return self.lost(link, frame, _in_common(landings), NO_SUCH_MAC(link=link.ifname, mac=frame.dst))
        return landings[0]

    def explore(self, link: Link, frame: Frame) -> Iterator[Landing]:
        """Where a frame may land at all, by structure alone."""
        with self._lightly():
            yield from list(self.send(link, frame, ()))

    def heard(self, link: Link, frame: Frame) -> list[Landing]:
        """Where a frame that comes in by a link may land at all, by structure alone."""
        with self._lightly():
            return list(self.arrive(link, frame, ()))

    @contextmanager
    def _lightly(self) -> Iterator[None]:
        before, self.light = self.light, True
        learned = dict(self._ctx.learned)
        try:
            yield
        finally:
            self.light = before
            self._ctx.learned = learned

    @contextmanager
    def in_full(self) -> Iterator[None]:
        """Ask everything for a while, as for the outer packet of a tunnel."""
        before, self.light = self.light, False
        try:
            yield
        finally:
            self.light = before

    def send(self, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
        """A frame that goes out by a link."""
        self._ctx.chooser.sends()
        stopped = self._stopped(link, frame, steps)
        if stopped is not None:
            yield stopped
            return
        ctx = self._ctx
        if not link.fact.flags & LOWER_UP:
            yield self._no_carrier(link, frame, steps)
            return
        if not self.light:
            turned = tc_bpf.decides(ctx, link, frame, steps, "egress")
            if isinstance(turned, tc_bpf.Changed):
                frame, steps = turned
            elif turned is not None:
                yield from turned
                return
            queued = self._queued(link, frame, steps)
            if queued is not None:
                yield queued
                return
        handler = devices.TRANSMIT.get(link.kind)
        if handler is None:
            reason = devices.not_followed(link.kind)(kind=link.kind)
            yield Landing("unknown", steps, link.end.ns, frame, link.end, reason=reason)
            return
        steps += ctx.step("out", f"out by {link.ifname}", link.end.ns, link.end, way="out")
        yield from handler(ctx, link, frame, steps)

    def _queued(self, link: Link, frame: Frame, steps: Steps) -> Landing | None:
        """Where it ends at the queue of a link; None: it passes."""
        found = qdisc.loses(self._ctx, link)
        if found is None:
            return None
        fate, why = found
        return (
            self.lost(link, frame, steps, why) if fate == "dropped" else self.unknown(link, frame, steps, why)
        )

    def arrive(self, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
        """A frame that comes in by a link."""
        stopped = self._stopped(link, frame, steps)
        if stopped is not None:
            yield stopped
            return
        ctx = self._ctx
        steps += ctx.step("in", f"in by {link.ifname}", link.end.ns, link.end, way="in")
        if not self.light:
            turned = tc_bpf.decides(ctx, link, frame, steps, "ingress")
            if isinstance(turned, tc_bpf.Changed):
                frame, steps = turned
            elif turned is not None:
                yield from turned
                return
        if frame.vlans:
            tagged = vlan.taking(link, frame.vlans[-1])
            if tagged is not None:
                yield from self.arrive(tagged, replace(frame, vlans=frame.vlans[:-1]), steps)
                return
        handler = devices.FROM_PORT.get(link.fact.slave_kind) or next(
            (devices.FROM_LOWER[upper.kind] for upper in link.uppers if upper.kind in devices.FROM_LOWER),
            None,
        )
        taker = devices.taker(link)
        if taker and handler is None:
            yield self.unknown(link, frame, steps, devices.not_followed(taker)(kind=taker))
            return
        if handler is None and openvswitch.switches(ctx, link):
            handler = openvswitch.arrive
        if handler is not None:
            yield from handler(ctx, link, frame, steps)
            return
        yield self.to_stack(link, frame, steps)

    def _stopped(self, link: Link, frame: Frame, steps: Steps) -> Landing | None:
        """What ends a way at any link: it is down, or the way has no end. NotKnown, if it has been followed far enough."""
        self._ctx.chooser.passes()
        if len(steps) > DEEPEST and sum(step.way == "in" for step in steps) > DEEPEST:
            return self.lost(link, frame, steps, LOOP())
        if not link.fact.flags & UP:
            mend = Mend("would bring it up", link.end.ns, ("ip", "link", "set", link.ifname, "up"))
            where = self._ctx.name(link.end.ns)
            return self.lost(link, frame, steps, DOWN(link=link.ifname, netns=where), mend)
        return None

    def to_stack(self, link: Link, frame: Frame, steps: Steps, also: str = "") -> Landing:
        """Up to the IP stack, if the frame is for it. `also`: another MAC that counts as the link's own."""
        if frame.vlans:
            protocol, number = frame.vlans[-1]
            return self.lost(link, frame, steps, NO_VLAN(link=link.ifname, vlan=number, protocol=protocol))
        if frame.dst and not frame.to_all and frame.dst not in (link.fact.address, also):
            reason = OTHER_MAC(link=link.ifname, own=link.fact.address, mac=frame.dst)
            return self.lost(link, frame, steps, reason)
        return Landing("up", steps, link.end.ns, frame, link.end)

    def lost(
        self, link: Link, frame: Frame, steps: Steps, reason: Cause, mend: Mend | None = None
    ) -> Landing:
        """The end of a frame."""
        steps += self._ctx.step("link", reason, link.end.ns, link.end)
        return Landing("dropped", steps, link.end.ns, frame, link.end, frame.packet, reason=reason, mend=mend)

    def _no_carrier(self, link: Link, frame: Frame, steps: Steps) -> Landing:
        netns = self._ctx.name(link.end.ns)
        peer = link.peer
        if peer is None or peer.fact.flags & UP:
            return self.lost(link, frame, steps, NO_CARRIER(link=link.ifname, netns=netns))
        mend = Mend("would bring it up", peer.end.ns, ("ip", "link", "set", peer.ifname, "up"))
        where = self._ctx.name(peer.end.ns)
        reason = PEER_DOWN(link=link.ifname, netns=netns, peer=peer.ifname, peer_netns=where)
        return self.lost(link, frame, steps, reason, mend)

    def unknown(self, link: Link, frame: Frame, steps: Steps, reason: Cause, kind: str = "link") -> Landing:
        """A frame that cannot be followed."""
        steps += self._ctx.step(kind, reason, link.end.ns, link.end)
        return Landing("unknown", steps, link.end.ns, frame, link.end, frame.packet, reason=reason)


def _in_common(landings: list[Landing]) -> Steps:
    """The steps with which all of these ways begin."""
    first, *others = (one.steps for one in landings)
    count = next(
        (at for at, step in enumerate(first) if any(one[at : at + 1] != (step,) for one in others)),
        len(first),
    )
    return first[:count]
