"""How a packet gets from here to there: step by step, with the reason for each, and a verdict.

A walk goes the packet's way: `ip/` through IP stacks, `l2` and `devices/` through links and switches, with one file for each step.
Where the way depends on what cannot be known (a hash, a rule that cannot be decided), it is walked for each possibility,
and the verdict counts only if all of them agree.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nswire.model.reasons import Reason
from nswire.model.tables import NotKnown
from nswire.path import branching
from nswire.path.bounds import TOO_DEEP, deep
from nswire.path.context import PathContext
from nswire.path.fib import Fib
from nswire.path.ip import local_delivery, sockets, userland_proxy
from nswire.path.ip.stack import IpStack
from nswire.path.l2 import L2
from nswire.path.values import (
    BROADCAST,
    ICMP,
    ICMPV6,
    USUAL_TTL,
    WITH_PORTS,
    Flow,
    Frame,
    Hop,
    Landing,
    Packet,
    ProxyRelay,
    Trace,
    Way,
    Ways,
    ends,
)

if TYPE_CHECKING:
    from nswire.model.tables import Lookups
    from nswire.model.topology import Link, Topology
    from nswire.model.values import End, NsKey
    from nswire.path.branching import Chooser
    from nswire.path.values import Fate, Relay, Steps

DELIVERED_ELSEWHERE = Reason(
    "path.delivered_elsewhere",
    "it is delivered to {netns}, which has that address as well, and not to {meant}",
)
ANSWER_OF_ANOTHER = Reason(
    "answer.of_another",
    "the answer comes as {got}, which is no answer to {asked}: no socket takes it",
    "NO_SOCKET",
)
ANSWER_ELSEWHERE = Reason("path.answer_elsewhere", "the answer is delivered to {netns}, and not to {meant}")
ANSWER_UNKNOWN = Reason("path.answer_unknown", "where an answer would come in is not known", unknown=True)
NO_GATEWAY = Reason(
    "path.no_gateway",
    "nobody on the segment of {link} has {address} or forwards, so where it would be sent is not known",
    unknown=True,
)
NO_OTHER_PORT = Reason("path.no_other_port", "no other port of the switch of {link} takes it")
LINK_GONE = Reason("path.link_gone", "the link that it would come in by is gone", unknown=True)

__all__ = ["Flow", "Trace", "trace"]

IPV6 = 6
RELAYS = 8  # processes in a row


def trace(
    topology: Topology,
    lookups: Lookups,
    start: NsKey,
    flow: Flow,
    *,
    to: NsKey | None = None,
    by: End | None = None,
    oif: int = 0,
    mark: int = 0,
    size: int = 0,
    uid: int | None = None,
    gid: int | None = None,
    reply: bool = True,
) -> Trace:
    """The way of the first packet of a flow that the namespace `start` sends, and of the answer.

    `oif`: the link that its socket is bound to, such as a VRF (0: none).
    `to`: the namespace that is meant (None: whoever has the address). `by`: the packet does not come from the stack, but in
    by that link, as from a VM behind it. `size` in bytes, with "don't fragment" (0: small enough for everything).
    """
    fib = Fib(topology, lookups)
    mtus: list[tuple[int, End]] = []

    def walked(chooser: Chooser) -> tuple[Way, Way | None]:
        ctx = walker(topology, lookups, fib, chooser)
        packet = Packet(flow, mark, size=size, uid=uid, gid=gid)
        try:
            there = _meant(ctx, _sent(ctx, start, packet, by, oif), to)
        except NotKnown as missing:
            there = Landing("unknown", (), start, packet=packet, reason=missing.cause)
        except RecursionError:
            there = Landing("unknown", (), start, packet=packet, reason=TOO_DEEP())
        if there.fate in ("delivered", "leaves"):
            # a link that only heard who is asked for, or got a copy of a flood, does not count
            passed = ends(there.steps)
            mtus.extend(one for one in ctx.mtus if one[1] in passed)
        forward = _way(there, flow, chooser)
        if not reply or there.fate not in ("delivered", "leaves"):
            return forward, None
        try:
            back = _answered(ctx, there, start, by)
        except NotKnown as missing:
            back = Landing("unknown", (), there.ns, reason=missing.cause)
        except RecursionError:
            back = Landing("unknown", (), there.ns, reason=TOO_DEEP())
        if back is None:
            return forward, None
        first = there.packet.flow.reverse if there.packet is not None else flow.reverse
        return forward, _way(back, first, chooser)

    forwards: dict[Way, None] = {}
    replies: dict[Way, None] = {}
    more = False
    with deep():
        for (forward, back), left in branching.explore(walked):
            forwards.setdefault(forward)
            if back is not None:
                replies.setdefault(back)
            more |= left
    mtu, mtu_at = min(mtus, key=lambda one: one[0], default=(0, None))
    return Trace(
        flow=flow,
        start=start,
        forward=Ways(_distinct(forwards), more),
        reply=Ways(_distinct(replies), more) if replies else None,
        mtu=mtu,
        mtu_at=mtu_at,
    )


def walker(topology: Topology, lookups: Lookups, fib: Fib, chooser: Chooser) -> PathContext:
    """A walk that may begin."""
    ctx = PathContext(topology, lookups, fib, chooser)
    ctx.l2 = L2(ctx)
    ctx.l3 = IpStack(ctx)
    return ctx


def _sent(ctx: PathContext, start: NsKey, packet: Packet, by: End | None, oif: int) -> Landing:
    link = ctx.topology.at(by)
    if link is None:
        return ctx.l3.originate(start, packet, oif=oif)
    packet = replace(packet, hops=USUAL_TTL)
    source = "" if link.guest is None else link.guest.mac
    if link.master is None:
        return _arrived(ctx, link.end, Frame(source, link.fact.address, packet), ())
    return _on_segment(ctx, link, Frame(source, BROADCAST, packet, asks=packet.flow.dst))


def _on_segment(ctx: PathContext, link: Link, asked: Frame) -> Landing:
    """What somebody behind a port of a switch sends: to whoever has the address there, or to one that forwards, as a gateway of his."""
    packet = asked.packet
    heard = ctx.l2.heard(link, asked)
    stacks = list({one.end: one for one in heard if one.fate == "up"}.values())
    meant = [one for one in stacks if ctx.has(one.ns, packet.flow.dst)]
    family = "ipv6" if packet.flow.family == IPV6 else "ipv4"
    for one in () if meant else stacks:
        at = ctx.topology.at(one.end)
        if at is not None and ctx.setting(at, f"{family}/conf/{{}}/forwarding"):
            meant.append(one)
    meant += [
        one
        for one in heard
        if one.fate == "leaves" and not any(ctx.has(s.ns, packet.flow.dst) for s in stacks)
    ]
    if not meant and len(heard) == 1 and heard[0].fate == "dropped":  # the port itself takes nothing in
        return heard[0]
    if not meant:
        reason = NO_GATEWAY(link=link.ifname, address=packet.flow.dst)
        return Landing("unknown", (), link.end.ns, None, link.end, packet, reason)
    names = [f"it sends it to {_called(ctx, one.end)}" for one in meant]
    chosen = meant[ctx.chooser.choose(names)]
    to = ctx.topology.at(chosen.end) if chosen.fate == "up" else None
    frame = Frame(asked.src, to.fact.address if to is not None else "", packet, along=ends(chosen.steps))
    return _arrived(ctx, link.end, frame, ())


def _called(ctx: PathContext, end: End | None) -> str:
    link = ctx.topology.at(end)
    return f"{link.ifname} in {ctx.name(link.end.ns)}" if link is not None else "somebody outside"


def _meant(ctx: PathContext, landing: Landing, to: NsKey | None) -> Landing:
    """What is delivered to somebody else has not arrived."""
    if landing.fate != "delivered" or to is None or landing.ns == to:
        return landing
    if any(isinstance(one, ProxyRelay) and one.ns == to for one in ctx.relays):
        return landing
    reason = DELIVERED_ELSEWHERE(netns=ctx.name(landing.ns), meant=ctx.name(to))
    steps = landing.steps + ctx.step("local", reason, landing.ns, landing.end)
    return replace(landing, fate="dropped", steps=steps, reason=reason)


def _answered(ctx: PathContext, there: Landing, start: NsKey, by: End | None) -> Landing | None:
    """The way of the answer: from the socket that got the packet, or from outside, back to where it was sent."""
    packet = there.packet
    if packet is None or there.outer:
        return None
    silent = local_delivery.ignores(ctx, there.ns, packet) if there.fate == "delivered" else None
    if silent is not None:
        return Landing("dropped", (), there.ns, packet=packet, reason=silent[0], mend=silent[1])
    # icmp_sk_init: echo replies may be split (IP_PMTUDISC_DONT); the others' sockets do path MTU discovery
    whole = packet.flow.proto != ICMP
    answer = Packet(packet.flow.reverse, answer=True, size=packet.size, whole=whole)
    ctx.learned_neighbours.clear()
    if there.fate == "delivered":
        mark = sockets.answers_with(ctx, there.ns, ctx.topology.at(there.end), packet)
        answer = replace(answer, mark=mark)
        # icmpv6_echo_reply; no socket can be bound to one, but may send from it (IPV6_PKTINFO)
        names = ("the socket answers from its route's source", f"it answers from {packet.flow.dst}")
        if ctx.fib.anycast(there.ns, packet.flow.dst) and (
            packet.flow.proto == ICMPV6 or not ctx.chooser.choose(names)
        ):
            answer = replace(answer, flow=replace(answer.flow, src=""))
    if there.fate == "leaves":
        landing = _from_outside(ctx, there, answer)
    else:
        oif = sockets.answers_by(ctx, ctx.topology.at(there.end), packet.flow)
        landing = ctx.l3.originate(there.ns, answer, oif=oif)
    for _ in range(RELAYS):
        relay = _asker(ctx, landing)
        if relay is None:
            break
        ctx.relays.remove(relay)
        if isinstance(relay, ProxyRelay):
            landing = userland_proxy.answered(ctx, relay, packet.size, landing.steps)
            continue
        back = replace(answer, flow=relay.taken.packet.flow.reverse)
        frame = Frame("", relay.taken.src, back)
        landing = _arrived(ctx, relay.link, frame, landing.steps)
    landing = userland_proxy.answered_alone(ctx, landing, packet.size) or landing
    if landing.fate == "delivered" and landing.ns != start and by is None:
        reason = ANSWER_ELSEWHERE(netns=ctx.name(landing.ns), meant=ctx.name(start))
        return replace(landing, fate="dropped", reason=reason)
    return _taken(landing, there) if by is None else landing


def _asker(ctx: PathContext, landing: Landing) -> Relay | ProxyRelay | None:
    """The process that an answer is for, if it is for one that sent on what others asked it."""
    packet = landing.packet
    if landing.fate != "delivered" or packet is None:
        return None
    return next((one for one in ctx.relays if one.answers(landing.ns, packet.flow)), None)


def _taken(landing: Landing, there: Landing) -> Landing:
    """The answer, if the socket that asked takes it: one that has another source than was asked is somebody else's."""
    own = itertools.takewhile(lambda step: step.type != "process", there.steps)
    sent = next((step.flow for step in own if step.type == "source"), None)
    packet = landing.packet
    if landing.fate != "delivered" or sent is None or packet is None or sent.proto not in WITH_PORTS:
        return landing
    got = packet.flow
    wrong = (got.src, got.sport) != (sent.dst, sent.dport) if sent.dport else got.src != sent.dst
    if not wrong and got.dst == sent.src:
        return landing
    reason = ANSWER_OF_ANOTHER(got=got.text, asked=sent.text)
    return replace(landing, fate="dropped", reason=reason)


def _from_outside(ctx: PathContext, there: Landing, answer: Packet) -> Landing:
    """What comes back by the link that the packet left by, if whoever got it answers."""
    frame = there.frame
    if frame is None or there.end is None:
        return Landing("unknown", (), there.ns, reason=ANSWER_UNKNOWN())
    link = ctx.topology.at(there.end)
    text = f"an answer to {answer.flow.dst} would come in by {link.ifname if link is not None else 'that link'}, if it finds its way back"
    steps = ctx.step("in", text, there.ns, there.end, evidence="inferred")
    return _arrived(ctx, there.end, Frame("", frame.src, answer, vlans=frame.vlans), steps)


def _arrived(ctx: PathContext, end: End, frame: Frame, steps: Steps) -> Landing:
    link = ctx.topology.at(end)
    if link is None:
        return Landing("unknown", steps, end.ns, reason=LINK_GONE())
    landings = list(ctx.l2.arrive(link, frame, steps))
    if not landings:
        return Landing("dropped", steps, end.ns, None, end, frame.packet, NO_OTHER_PORT(link=link.ifname))
    for fate in ("up", "unknown", "delivered", "leaves"):
        for one in landings:
            if one.fate == fate:
                return ctx.l3.arrived(one) if fate == "up" else one
    return max(landings, key=lambda one: len(one.steps))


def _way(landing: Landing, flow: Flow, chooser: Chooser) -> Way:
    fate: Fate = "unknown" if landing.fate == "up" else landing.fate
    if fate == "delivered" and landing.reason is not None and landing.reason.reason in sockets.REFUSED:
        fate = "refused"
    made = tuple(choice.text for choice in chooser.made)
    return Way(fate, _hops(landing.steps, flow), landing.reason, landing.mend, made, landing.end)


def _hops(steps: Steps, flow: Flow) -> tuple[Hop, ...]:
    """Steps by the namespaces that they happen in."""
    hops: list[Hop] = []
    for step in steps:
        if not hops or hops[-1].ns != step.ns:
            came_by = step.end if step.way == "in" else None
            hops.append(Hop(step.ns, came_by, (), flow, flow))
        flow = step.flow or flow
        last = hops[-1]
        hops[-1] = Hop(last.ns, last.end, (*last.steps, step), last.enters, flow)
    return tuple(hops)


def _distinct(ways: dict[Way, None]) -> tuple[Way, ...]:
    """Ways that differ in more than in what was assumed: what changes nothing is not worth telling."""
    seen: dict[tuple[object, ...], Way] = {}
    for way in ways:
        seen.setdefault((way.fate, way.hops, way.reason), way)
    return tuple(seen.values())
