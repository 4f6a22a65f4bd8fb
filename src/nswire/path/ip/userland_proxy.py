"""Programs that listen for somebody else: what they take goes on, as a packet of a socket of their own, to whom they serve.

Docker's docker-proxy connects to the container by the routes of its own namespace. pasta has two ways (fwd.c, tcp_splice.c): what
comes from a loopback address it gives to a socket inside of the namespace, all else it writes to the tap.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from nswire.model.reasons import Reason
from nswire.path.ip import sockets
from nswire.path.values import TCP, USUAL_TTL, Flow, Frame, Landing, Packet, ProxyRelay

if TYPE_CHECKING:
    from nswire.model.topology import Link
    from nswire.model.values import NsKey
    from nswire.path.context import PathContext
    from nswire.path.ip.sockets import Taken
    from nswire.path.values import Steps

TOO_MANY = Reason(
    "process.too_many_proxies",
    "more than {count} processes, each of which hands on what it takes to the next",
    unknown=True,
)
ACCEPTED_ALONE = Reason(
    "process.accepted_alone",
    "{process} (pid {pid}) accepts the connection on {socket}, but what it sends on to {to} is lost: {cause}",
)
ANSWERED_ALONE = Reason(
    "process.answered_alone",
    "{process} accepts the connection, but the answer to what it sent on to {to} is lost: {cause}",
)
MOST = 4
"""Processes in a row that are followed."""


class _Start(NamedTuple):
    """How it goes on: from a socket in `ns`, or, with `tap`, as a frame that the process writes to that."""

    ns: NsKey
    flow: Flow
    uid: int | None = None
    tap: Link | None = None


def hands_on(ctx: PathContext, link: Link, landing: Landing, taken: Taken) -> Landing:
    """Where a packet goes on that such a process has taken; the same landing, if where to is not known, or nowhere.

    A client of TCP is accepted whatever becomes of the second connection, so that this is where the path ends if that is lost;
    a datagram is where the second one is.
    """
    packet, process = landing.packet, taken.process
    start = None if packet is None or process is None else _start(ctx, landing.ns, packet, taken)
    if packet is None or process is None or start is None:
        return landing
    before = len(ctx.relays)
    if sum(isinstance(one, ProxyRelay) for one in ctx.relays) >= MOST:
        return replace(landing, fate="unknown", reason=TOO_MANY(count=MOST))
    text = f"{process.name} sends it on from a {'tap' if start.tap else 'socket of its own'} in {ctx.name(start.ns)}: {packet.flow.text} becomes {start.flow.text}"
    steps = landing.steps + ctx.step("process", text, start.ns, flow=start.flow, evidence="inferred")
    relay = ProxyRelay(
        link.end, packet, landing.ns, start.ns, start.flow, process.name, str(taken.cause.values["to"])
    )
    ctx.relays.append(relay)
    mtus = len(ctx.mtus)
    # its own connection has an MTU of its own, and a socket's datagrams are split
    ended = _sent(ctx, start, Packet(start.flow, size=0, whole=False, uid=start.uid), steps)
    del ctx.mtus[mtus:]
    source = next((one.flow for one in ended.steps[len(steps) :] if one.type == "source" and one.flow), None)
    ctx.relays[before] = replace(relay, sent=source or start.flow)
    if packet.flow.proto != TCP or ended.fate != "dropped":
        return ended
    del ctx.relays[before:]
    told = {name: taken.cause.values[name] for name in ("process", "pid", "socket", "to")}
    reason = ACCEPTED_ALONE(**told, cause=ended.reason or taken.cause)
    return replace(landing, steps=ended.steps, reason=reason, mend=ended.mend)


def answered(ctx: PathContext, relay: ProxyRelay, size: int, steps: Steps) -> Landing:
    """The answer that such a process gives to who asked it."""
    flow = relay.taken.flow.reverse
    text = f"{relay.process} sends it back from the socket that took it: {flow.text}"
    steps += ctx.step("process", text, relay.ns, flow=flow, evidence="inferred")
    oif = sockets.answers_by(ctx, ctx.topology.at(relay.link), relay.taken.flow)
    return ctx.l3.originate(relay.ns, Packet(flow, answer=True, size=size), steps, oif=oif)


def answered_alone(ctx: PathContext, landing: Landing, size: int) -> Landing | None:
    """The answer to a client of TCP, where the second connection's is lost; None if there is no such connection."""
    lost = landing.reason
    relay = next((one for one in ctx.relays if isinstance(one, ProxyRelay)), None)
    if relay is None or relay.taken.flow.proto != TCP or landing.fate != "dropped" or lost is None:
        return None
    landing = answered(ctx, relay, size, landing.steps)
    if landing.fate != "delivered":
        return landing
    return replace(landing, reason=ANSWERED_ALONE(process=relay.process, to=relay.to, cause=lost))


def _start(ctx: PathContext, ns: NsKey, packet: Packet, taken: Taken) -> _Start | None:
    """How it goes on from `ns`, if that is known."""
    forward = taken.forwards[0] if taken.forwards is not None and len(taken.forwards) == 1 else None
    if forward is None or forward.keeps or not forward.port:
        return None
    flow = Flow(forward.address, "", packet.flow.proto, 0, forward.port)
    if forward.ns is None:
        known = ctx.lookups.credentials(taken.process.pid) if taken.process is not None else None
        return _Start(ns, flow, None if known is None else known.uid)
    tap = ctx.topology.at(forward.tap)
    if tap is None:
        return None
    guest = next(
        (one.ip for one in tap.addresses if (":" in one.ip) == (packet.flow.family == 6) and not one.scope),
        "",
    )
    if ipaddress.ip_address(packet.flow.src).is_loopback:
        loopback = "::1" if packet.flow.family == 6 else "127.0.0.1"
        inside = [loopback]
        if guest and not forward.loopback:
            # pasta since 2024_10 connects to the namespace's own address, unless --host-lo-to-ns-lo
            inside.append(guest)
        names = [f"{taken.process.name if taken.process else '?'} connects to {one} inside" for one in inside]
        return _Start(forward.ns, replace(flow, dst=inside[ctx.chooser.choose(names)]))
    source = packet.flow.src
    if ctx.has(ns, source):  # one of the host's own addresses is the guest's, too: its gateway stands for it
        ways = (one.address for one in ctx.topology.gateways(forward.ns))
        source = next((one for one in ways if one and (":" in one) == (packet.flow.family == 6)), "")
    return _Start(forward.ns, replace(flow, dst=guest, src=source), None, tap) if guest and source else None


def _sent(ctx: PathContext, start: _Start, packet: Packet, steps: Steps) -> Landing:
    if start.tap is None:
        return ctx.l3.originate(start.ns, packet, steps)
    packet = replace(packet, hops=USUAL_TTL)
    frame = Frame("", start.tap.fact.address, packet)
    for landing in ctx.l2.arrive(start.tap, frame, steps):
        return ctx.l3.arrived(landing)
    return Landing("unknown", steps, start.ns, packet=packet)
