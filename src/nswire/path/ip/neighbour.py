"""The neighbour: which MAC the next hop has. From the table, or from whoever on the segment would answer the question.

net/ipv4/arp.c (arp_solicit, arp_process), net/ipv6/ndisc.c (ndisc_recv_ns).
"""

from __future__ import annotations

import functools
import ipaddress
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nswire.model.reasons import Reason
from nswire.model.routing import FAILED, VALID
from nswire.model.tables import NotKnown, Query
from nswire.model.values import DADFAILED, RT_SCOPE_LINK
from nswire.path import netfilter
from nswire.path.ip import proxy_arp, refusals, routing, source_address
from nswire.path.netfilter import Place
from nswire.path.netfilter.fields import Sight
from nswire.path.values import BROADCAST, ICMPV6, Flow, Frame, Landing, Packet, ends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nswire.model.reasons import Cause
    from nswire.model.topology import Link
    from nswire.model.values import End
    from nswire.path.context import PathContext
    from nswire.path.values import Mend, Steps

    Carry = Callable[[Frame, Steps], Landing]

GOES_ELSEWHERE = Reason("neighbour.goes_elsewhere", "it goes elsewhere")
ANSWER_LOST = Reason("neighbour.answer_lost", "the answer does not come back: {cause}", "NEIGH_FAILED")
FILTERED = Reason("neighbour.filtered", "{what} is lost in {netns}: {hook}: {cause}", "NEIGH_FAILED")
NOARP = Reason("neighbour.noarp", "{place} answers nothing: NOARP", "NEIGH_FAILED")
NOT_ON_LINK = Reason("neighbour.not_on_link", "{address} is not on {place}", "NEIGH_FAILED")
ARP_FILTERED = Reason("neighbour.arp_filtered", "{place} does not answer: {cause}", "NEIGH_FAILED")
ARP_IGNORE = Reason("neighbour.arp_ignore", "{place} ignores it (arp_ignore={arp_ignore})", "NEIGH_FAILED")
NOBODY_ASKS = Reason(
    "neighbour.no_link_local",
    "{link} has no link-local address from which {address} could be asked for",
    "NEIGH_CREATEFAIL",
)
ARP_FILTER = Reason(
    "neighbour.arp_filter",
    "{place} ignores it (arp_filter=1): its way to {address} is by another link",
    "NEIGH_FAILED",
)
NO_ANSWER = Reason("neighbour.no_answer", "{place} does not answer for {address}", "NEIGH_FAILED")
NO_ANSWER_SINCE = Reason(
    "neighbour.no_answer_since", "{place} does not answer for {address}: {cause}", "NEIGH_FAILED"
)
WHO_UNKNOWN = Reason("neighbour.who_unknown", "who has {address} cannot be told: {cause}", unknown=True)
FAILED_BEFORE = Reason(
    "neighbour.failed",
    "{address} did not answer when it was last asked (FAILED); whether it would now is not known",
    unknown=True,
)
MANY_WAYS_OUT = Reason(
    "neighbour.many_ways_out",
    "{address} may be behind any of {count} links that lead out of what can be seen",
    unknown=True,
)
NOBODY = Reason(
    "neighbour.nobody", "nobody answers the {asked} for {address} on the segment of {link}", "NEIGH_FAILED"
)
NOBODY_SINCE = Reason(
    "neighbour.nobody_since",
    "nobody answers the {asked} for {address} on the segment of {link}: {cause}",
    "NEIGH_FAILED",
)

IFF_NOARP = 0x80
ONLY_OWN, ONLY_OWN_SUBNET, NEVER = 1, 2, 8  # arp_ignore
MANY = 8  # ways out of a segment that are worth walking for each
ETHERNET = 1  # ARPHRD_ETHER
SOLICITATION, ADVERTISEMENT = 135, 136  # ICMPv6 types


def send(
    ctx: PathContext, link: Link, packet: Packet, target: str, steps: Steps, *, carry: Carry | None = None
) -> Landing:
    """Send a packet to a next hop that is on the segment of that link; `carry`: by something else than out of the link."""
    carry = carry or functools.partial(_carry, ctx, link)
    if link.fact.type != ETHERNET:
        return carry(Frame("", "", packet), steps)
    known, failed = ctx.learned_neighbours.get((link.end, target), ""), False
    asked = ctx.askers.get((link.end, target), "")
    for one in () if known else ctx.lookups.neighbours(link.end.ns):
        if (one.ifindex, one.address, one.proxy) == (link.ifindex, target, False):
            failed = bool(one.state & FAILED)
            if one.state & VALID and one.lladdr:
                known = one.lladdr
                text, because = f"{target} is at {one.lladdr}", ("the neighbour table",)
                steps += ctx.step("neighbour", text, link.end.ns, link.end, because=because)
    if asked and not known:
        known = asked
        text = f"{target} is at {asked}: it asked for the MAC of {link.ifname} before"
        steps += ctx.step("neighbour", text, link.end.ns, link.end, evidence="inferred")
    if not known and link.fact.flags & IFF_NOARP:  # arp_constructor: it sends to its own MAC
        known = link.fact.address
        text = f"{link.ifname} asks for no MAC (NOARP): it sends to its own"
        steps += ctx.step("neighbour", text, link.end.ns, link.end)
    if known:
        return carry(Frame(link.fact.address, known, packet), steps)
    return _Question(ctx, link, packet, target, carry, failed=failed).ask(steps)


def _carry(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Landing:
    """Send a frame, and go on where it comes up."""
    return ctx.l3.arrived(ctx.l2.deliver(link, frame, steps))


class _Question:
    """Who has an address? Asked of the whole segment of a link. `failed`: the kernel has asked lately, in vain."""

    def __init__(
        self, ctx: PathContext, link: Link, packet: Packet, target: str, carry: Carry, *, failed: bool
    ) -> None:
        self._ctx = ctx
        self._carry = carry
        self._link = link
        self._packet = packet
        self._target = target
        self._failed = failed
        self._asker = self._asking_address()
        asked = self._solicitation() if ":" in target else packet
        self._frame = Frame(link.fact.address, _asked_at(target), asked, asks=target, asker=self._asker)

    def ask(self, steps: Steps) -> Landing:
        """The way on: to whoever would answer, of all that would hear the question."""
        ctx, link, target = self._ctx, self._link, self._target
        if ":" in target and not self._asker:
            return self._end("dropped", NOBODY_ASKS(address=target, link=link.ifname), steps)
        heard = list(ctx.l2.explore(link, self._frame))
        failures: list[Landing] = []
        found: dict[str, Link] = {}
        stacks = [one for one in heard if one.fate == "up" and one.end != link.end and not one.mac]
        for one in heard:  # a bridge on the way that knows the answer
            bridge = ctx.topology.at(one.end) if one.mac else None
            if bridge is not None:
                found[one.mac] = bridge
        # whoever answers for others is asked for only if nobody has it
        for likely in (_owns, proxy_arp.stands_in):
            for one in () if found else stacks:
                if not likely(ctx, one.end, target):
                    continue
                answerer = self._answerer(one)
                if isinstance(answerer, Landing):
                    failures.append(answerer)
                else:
                    found.setdefault(answerer.fact.address, answerer)
        if not found:
            return self._nobody([*failures, *heard], steps)
        macs = list(found)
        names = [f"{_place(ctx, found[mac])} answers for {target} first" for mac in macs]
        mac = macs[ctx.chooser.choose(names)]
        text = f"{target} is at {mac}: {_place(ctx, found[mac])} answers on this segment"
        steps += ctx.step("neighbour", text, link.end.ns, link.end, evidence="inferred")
        ctx.learned_neighbours[link.end, target] = mac
        return self._carry(Frame(link.fact.address, mac, self._packet), steps)

    def _answerer(self, heard: Landing) -> Link | Landing:
        """The link that answers, if the question gets there in full, is answered, and the answer comes back."""
        ctx, link, frame = self._ctx, self._link, self._frame
        along = ends(heard.steps)
        lost = self._filtered(link, frame, out=True)
        if lost is not None:
            return lost
        there = _landed(ctx.l2.send(link, replace(frame, along=along), ()), heard.end)
        answerer = ctx.topology.at(there.end) if there is not None else None
        if there is None or there.fate != "up" or answerer is None:
            return there or heard
        refusal = self._refuses(answerer)
        if refusal is not None:
            reason, mend = refusal
            return Landing("dropped", there.steps, there.ns, end=there.end, reason=reason, mend=mend)
        answer = Frame(
            answerer.fact.address,
            frame.src,
            self._advertisement(),
            asks=self._target,
            tells=self._asker,
            along=along | {link.end},
        )
        lost = None if frame.arp else self._filtered(answerer, frame, out=False)
        lost = lost or self._filtered(answerer, answer, out=True)
        if lost is not None:
            return lost
        back = _landed(ctx.l2.send(answerer, answer, ()), link.end)
        if back is not None and back.fate == "up" and back.end == link.end:
            lost = self._filtered(link, answer, out=False)
            if lost is None and self._asker:  # neigh_event_ns
                ctx.askers[answerer.end, self._asker] = link.fact.address
            return lost or answerer
        why = back.reason if back is not None and back.reason else GOES_ELSEWHERE()
        return Landing("dropped", there.steps, there.ns, reason=ANSWER_LOST(cause=why))

    def _asking_address(self) -> str:
        """The address that the question comes from: the packet's own, if it is from here, or one of the link's."""
        src = self._packet.flow.src
        if ":" not in self._target:
            here = self._ctx.has(self._link.end.ns, src)
            return (
                src if here else source_address.select(self._ctx, self._link.end, self._target, self._target)
            )
        own = {one.ip: one.scope for one in self._link.addresses if not one.flags & DADFAILED}
        return src if src in own else next((one for one, scope in own.items() if scope == RT_SCOPE_LINK), "")

    def _solicitation(self) -> Packet:
        group = f"ff02::1:ff{ipaddress.IPv6Address(self._target).exploded[-7:]}"
        return Packet(Flow(str(ipaddress.IPv6Address(group)), self._asker, ICMPV6), icmp=SOLICITATION)

    def _advertisement(self) -> Packet:
        if ":" not in self._target:
            return self._packet
        return Packet(Flow(self._asker, self._target, ICMPV6), icmp=ADVERTISEMENT)

    def _filtered(self, link: Link, frame: Frame, *, out: bool) -> Landing | None:
        """Where netfilter stops the question or its answer; None: it does not.

        Solicitations are packets as any other; ARP has a family of its own with two hooks (arp_xmit, arp_rcv).
        """
        ns = link.end.ns
        hooks = ("output", "postrouting") if out else ("prerouting", "input")
        packet = frame.packet
        for hook in (hooks[0] if out else hooks[-1],) if frame.arp else hooks:
            names = ("", link.ifname) if out else (link.ifname, "")
            place = Place("arp" if frame.arp else "ip6", hook, *names, sight=Sight(self._ctx, ns, frame))
            outcome = netfilter.traverse(self._ctx, ns, place, packet)
            packet = outcome.packet  # untracked since the first hook, and with the mark that it got there
            if outcome.verdict != "accept":
                fate = "unknown" if outcome.verdict == "queue" else "dropped"
                asked = "the ARP request" if frame.arp else "the neighbour solicitation"
                what = "its answer" if frame.tells or frame.packet.icmp == ADVERTISEMENT else asked
                reason = FILTERED(what=what, netns=self._ctx.name(ns), hook=hook, cause=outcome.reason)
                return Landing(fate, (), ns, None, link.end, frame.packet, reason, outcome.mend)  # type: ignore[arg-type]
        return None

    def _refuses(self, answerer: Link) -> tuple[Cause, Mend | None] | None:
        """Why a stack that hears the question does not answer, and what would change that; None if it does. NotKnown."""
        ctx, target = self._ctx, self._target
        where = _place(ctx, answerer)
        if answerer.fact.flags & IFF_NOARP:
            return NOARP(place=where), None
        if ":" in target:
            here = next((one for one in answerer.addresses if one.ip == target), None)
            if here is not None and not here.usable:
                return refusals.unusable(ctx, answerer.end.ns, here), None
            own = here is not None or ctx.fib.anycast(answerer.end.ns, target, answerer.ifindex)
            fine = own or proxy_arp.stands_in6(ctx, answerer, target)
            return None if fine else (NOT_ON_LINK(address=target, place=where), None)
        ns = answerer.end.ns
        place = Place("arp", "input", answerer.ifname, sight=Sight(ctx, ns, self._frame))
        filtered = netfilter.traverse(ctx, ns, place, self._packet)
        if filtered.verdict == "queue":
            raise NotKnown(filtered.reason)
        if filtered.verdict != "accept":
            return ARP_FILTERED(place=where, cause=filtered.reason), filtered.mend
        ignore = ctx.setting(answerer, "ipv4/conf/{}/arp_ignore")
        if _ignored(answerer, target, self._asker, ignore):
            return ARP_IGNORE(place=where, arp_ignore=ignore), None
        decision = routing.kind_of(ctx, ns, Query(target, self._asker, answerer.ifindex))
        if decision.type == "local":
            if not ctx.setting(answerer, "ipv4/conf/{}/arp_filter"):
                return None
            # arp_filter: the way to whoever asks has to be by the link that he was heard by
            back = routing.kind_of(ctx, ns, Query(self._asker, target)) if self._asker else decision
            return None if back.link == answerer.end else (ARP_FILTER(place=where, address=self._asker), None)
        if decision.type == "unicast" and proxy_arp.answers_for(ctx, answerer, target, decision.link):
            return None
        if decision.cause is None:
            return NO_ANSWER(place=where, address=target), decision.mend
        return NO_ANSWER_SINCE(place=where, address=target, cause=decision.cause), decision.mend

    def _nobody(self, heard: list[Landing], steps: Steps) -> Landing:
        """Nobody who can be seen answers: somebody outside may, or somebody that cannot be followed to."""
        ctx, link, target = self._ctx, self._link, self._target
        unknown = next((one for one in heard if one.fate == "unknown"), None)
        outside = list({one.end: one for one in heard if one.fate == "leaves"}.values())
        asked = "neighbour solicitation" if ":" in target else "ARP request"
        if unknown is not None:
            return self._end(
                "unknown", WHO_UNKNOWN(address=target, cause=unknown.reason or GOES_ELSEWHERE()), steps
            )
        if outside and self._failed:
            return self._end("unknown", FAILED_BEFORE(address=target), steps)
        if len(outside) > MANY:
            return self._end("unknown", MANY_WAYS_OUT(address=target, count=len(outside)), steps)
        if outside:
            names = [f"{target} is outside: {one.reason}" for one in outside]
            taken = outside[ctx.chooser.choose(names)]
            text = f"{target} is nobody's who can be seen, so somebody's outside"
            steps += ctx.step("neighbour", text, link.end.ns, link.end, evidence="inferred")
            onward = Frame(link.fact.address, "", self._packet, along=ends(taken.steps))
            return self._carry(onward, steps)
        half = self._half(heard)
        if half is not None:
            return replace(self._end("dropped", half[0], steps), mend=half[1])
        reason = NOBODY(asked=asked, address=target, link=link.ifname)
        # of all places where the question is lost, the one that tells why: where it was asked for in full, or the only one
        died = next((one for one in heard if one.fate == "dropped"), None)
        if died is not None and (died in heard[:1] or len(heard) == 1):
            why = died.reason or GOES_ELSEWHERE()
            since = NOBODY_SINCE(asked=asked, address=target, link=link.ifname, cause=why)
            return replace(self._end("dropped", since, steps), mend=died.mend)
        return self._end("dropped", reason, steps)

    def _half(self, heard: list[Landing]) -> tuple[Cause, Mend] | None:
        """Somebody who hears the question and would answer for others, if his discovery proxy were not half of one."""
        if ":" not in self._target:
            return None
        found = (proxy_arp.half(self._ctx, one.end, self._target) for one in heard if one.fate == "up")
        return next((one for one in found if one is not None), None)

    def _end(self, fate: str, reason: Cause, steps: Steps) -> Landing:
        end = self._link.end
        steps += self._ctx.step("neighbour", reason, end.ns, end)
        return Landing(fate, steps, end.ns, None, end, self._packet, reason)  # type: ignore[arg-type]


def _ignored(link: Link, target: str, asker: str, level: int) -> bool:
    """Whether a link does not answer for an address that its namespace has (arp_ignore, ip-sysctl.rst)."""
    own = [one for one in link.addresses if one.ip == target]
    if level == ONLY_OWN:
        return not own
    if level == ONLY_OWN_SUBNET:
        return not any(
            asker and ipaddress.ip_address(asker) in ipaddress.ip_interface(one.address).network
            for one in own
        )
    return level == NEVER


def _asked_at(target: str) -> str:
    """The MAC that the question is sent to: everybody's, or (IPv6) that of the solicited-node multicast group."""
    if ":" not in target:
        return BROADCAST
    return "33:33:ff:" + ipaddress.IPv6Address(target).packed[-3:].hex(":")


def _place(ctx: PathContext, link: Link) -> str:
    return f"{link.ifname} in {ctx.name(link.end.ns)}"


def _owns(ctx: PathContext, end: End | None, target: str) -> bool:
    """Whether the namespace behind a link has the address."""
    return end is not None and (ctx.has(end.ns, target) or ctx.fib.anycast(end.ns, target, end.ifindex))


def _landed(landings: Iterable[Landing], end: End | None) -> Landing | None:
    """Of all places where something lands, the one that is meant; else the first."""
    first = None
    for one in landings:
        if one.fate == "up" and one.end == end:
            return one
        first = first or one
    return first
