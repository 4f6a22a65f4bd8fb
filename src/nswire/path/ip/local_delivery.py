"""The last step: a socket of the namespace that has the address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.model.reasons import Reason
from nswire.path.ip import sockets, userland_proxy
from nswire.path.values import ICMP, ICMPV6, Landing, Mend

if TYPE_CHECKING:
    from nswire.model.reasons import Cause
    from nswire.model.topology import Link
    from nswire.model.values import NsKey
    from nswire.path.context import PathContext
    from nswire.path.values import Packet, Steps

ECHO_IGNORED = Reason("local.echo_ignored", "{netns} does not answer an echo request: {sysctl}=1")
DELIVERED = Reason("local.delivered", "{address} is an address of {netns}")

IGNORING = {ICMP: "ipv4/icmp_echo_ignore_all", ICMPV6: "ipv6/icmp/echo_ignore_all"}


def ignores(ctx: PathContext, ns: NsKey, packet: Packet) -> tuple[Cause, Mend] | None:
    """Why a namespace does not answer a packet that has arrived, and what would change that; None if it does."""
    name = IGNORING.get(packet.flow.proto)
    if name is None or not ctx.lookups.sysctl(ns, name):
        return None
    key = f"net.{name.replace('/', '.')}"
    reason = ECHO_IGNORED(netns=ctx.name(ns), sysctl=key)
    return reason, Mend("would answer", ns, ("sysctl", "-w", f"{key}=0"))


def deliver(ctx: PathContext, link: Link, packet: Packet, why: str, steps: Steps) -> Landing:
    """The packet has arrived; whether anybody listens there is told as well.

    Sockets see what came by the loopback as having come by the link of its route (rt_iif, inet_iif).
    """
    ns, flow = link.end.ns, packet.flow
    came = ctx.topology.at(packet.own) if packet.looped else link
    taker = None if packet.answer or came is None else sockets.taken(ctx, came, flow)
    arrived = DELIVERED(address=flow.dst, netns=ctx.name(ns)) if taker is None else taker.cause
    because = [why] if why else []
    steps += ctx.step("local", arrived, ns, link.end, because=tuple(because))
    landing = Landing("delivered", steps, ns, end=link.end, packet=packet, reason=arrived)
    if taker is None or came is None or taker.forwards is None:
        return landing
    return userland_proxy.hands_on(ctx, came, landing, taker)
