"""User-mode networking: slirp4netns, pasta and their like take packets from a tap and send them on from their own sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from nswire.model.reasons import Reason
from nswire.path.values import ICMP, ICMPV6, Landing, Mend, Packet, Relay

if TYPE_CHECKING:
    from nswire.model.topology import Link
    from nswire.model.values import Far
    from nswire.path.context import PathContext
    from nswire.path.values import Frame, Steps

MAY_NOT_PING = Reason(
    "process.may_not_ping",
    "{process} (pid {pid}) may not send ICMP from {netns}: net.ipv4.ping_group_range={range} has no group of it",
)
PING_UNTOLD = Reason(
    "process.ping_untold", "whether {process} (pid {pid}) may send ICMP cannot be told", unknown=True
)
RANGE = "ipv4/ping_group_range"
NET_RAW = 1 << 13  # CAP_NET_RAW
RAW = ("slirp4netns",)  # libslirp's icmp_send falls back to a raw socket; pasta has none
PROGRAMS = ("slirp4netns", "pasta", "pasta.avx2", "passt", "passt.avx2")
"""Processes, as they call themselves, that do nothing else than that."""


def sends_on(ctx: PathContext, link: Link, far: Far, frame: Frame, steps: Steps) -> Landing | None:
    """The packet on its way out of the process's own namespace; None if it is no such process."""
    if far.name not in PROGRAMS or far.ns is None or far.ns == link.end.ns:
        return None
    refused = _may_not_ping(ctx, link, far, frame, steps)
    if refused is not None:
        return refused
    flow = replace(frame.packet.flow, src="", sport=0)
    text = f"{far.name} sends it on from a socket of its own in {ctx.name(far.ns)}: {frame.packet.flow.text} becomes {flow.text}"
    steps += ctx.step("process", text, far.ns, flow=flow, evidence="inferred")
    landing = ctx.l3.originate(
        far.ns, Packet(flow, size=frame.packet.size, hops=frame.packet.hops - 1), steps
    )
    sent = next(
        (step.flow for step in landing.steps[len(steps) :] if step.type == "source" and step.flow), flow
    )
    ctx.relays.append(Relay(link.end, frame, far.ns, sent))
    return landing


def _may_not_ping(ctx: PathContext, link: Link, far: Far, frame: Frame, steps: Steps) -> Landing | None:
    """An echo request needs a ping socket, which takes a group in ping_group_range (net/ipv4/ping.c, ping_init_sock).

    The kernel's default is 1 0: nobody, not even root.
    """
    if frame.packet.flow.proto not in (ICMP, ICMPV6) or far.ns is None or not far.pid:
        return None
    first, last = (ctx.lookups.sysctl(far.ns, name) for name in (RANGE, f"{RANGE}/1"))
    if first is None or last is None:
        return None
    known = ctx.lookups.credentials(far.pid)
    told: dict[str, str | int] = {"process": far.name, "pid": far.pid}
    packet = frame.packet
    if known is None:
        return Landing("unknown", steps, far.ns, frame, link.end, packet, reason=PING_UNTOLD(**told))
    if any(first <= group <= last for group in known.groups):
        return None
    if far.name in RAW and not known.uid and known.capabilities & NET_RAW:
        return None
    told |= {"netns": ctx.name(far.ns), "range": f"{first} {last}"}
    reason = MAY_NOT_PING(**told)
    group = known.groups[0]
    wider = f"{min(group, first)} {max(group, last)}" if first <= last else f"{group} {group}"
    mend = Mend("would let it", far.ns, ("sysctl", "-w", f"net.{RANGE.replace('/', '.')}={wider}"))
    return Landing("dropped", steps, far.ns, frame, link.end, packet, reason=reason, mend=mend)
