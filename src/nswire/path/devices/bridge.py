"""A Linux bridge: VLANs, STP, forwarding table, flooding, isolation, and what is for the bridge itself.

net/bridge: br_input.c (br_handle_frame_finish), br_forward.c (should_deliver, br_flood), br_vlan.c, br_device.c
(br_dev_xmit), br_netfilter_hooks.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from nswire import kinds
from nswire.model.reasons import Cause, Reason
from nswire.model.values import End
from nswire.path import mtu, netfilter
from nswire.path.devices import bridge_dnat, bridge_port
from nswire.path.devices.bridge_port import FORWARDING, LEARNING, Passing
from nswire.path.devices.device import Device
from nswire.path.netfilter import Place, verdict
from nswire.path.netfilter.fields import Sight
from nswire.path.values import Ended, Frame, Going, Landing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.topology import Link
    from nswire.path.context import PathContext
    from nswire.path.values import Steps

IPV6 = 6

NOT_SEEN = Reason("bridge.not_seen", "the bridge of {port} cannot be seen", unknown=True)
BUT = Reason("bridge.port_refuses", "{why}, but {refusal}")
SELF_NOT_IN_VLAN = Reason("bridge.self_not_in_vlan", "the bridge {bridge} itself is not in VLAN {vlan}")
TOO_LARGE = Reason(
    "bridge.too_large",
    "it has {size} bytes, and the MTU of port {port} is {mtu}: dropped without a word",
    "PKT_TOO_BIG",
)
NOT_SPLIT = Reason(
    "bridge.not_split",
    "it has {size} bytes and must not be split, and the MTU of port {port} is {mtu}: br_netfilter drops it without a word",
    "PKT_TOO_BIG",
)


def arrive(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """A frame that comes in by a port."""
    bridge = link.master
    if bridge is None:
        yield ctx.l2.unknown(link, frame, steps, NOT_SEEN(port=link.ifname))
        return
    state = bridge_port.state(link)
    takes_nothing = bridge_port.TAKES_NOTHING(port=link.ifname, bridge=bridge.ifname, state=state)
    if state not in (FORWARDING, LEARNING):
        yield ctx.l2.lost(link, frame, steps, takes_nothing)
        return
    passing = bridge_port.admitted(ctx, Passing(bridge, link, 0, frame))
    refusal = passing if isinstance(passing, Cause) else bridge_port.locks_out(ctx, passing)
    if refusal is not None or isinstance(passing, Cause):
        yield ctx.l2.lost(link, frame, steps, refusal or takes_nothing)
        return
    if _learns(link, bridge) and frame.src:
        ctx.learned[bridge.end, passing.vlan, frame.src] = link.end
    in_vlan = bridge_port.vlan_state(ctx, link, passing.vlan)
    if LEARNING in (state, in_vlan):
        in_vlan_alone = bridge_port.VLAN_TAKES_NOTHING(
            port=link.ifname, bridge=bridge.ifname, state=in_vlan, vlan=passing.vlan
        )
        yield ctx.l2.lost(link, frame, steps, takes_nothing if state == LEARNING else in_vlan_alone)
        return
    if not ctx.l2.light:
        try:
            passing, steps = _filter(ctx, passing, steps, "prerouting", tagged=frame)
        except Ended as ended:
            yield ended.landing
            return
        if passing.frame.packet.flow.dst != frame.packet.flow.dst:
            onward = bridge_dnat.onward(ctx, bridge, passing.frame, steps)
            if onward is None:
                frame = replace(passing.frame, dst=bridge.fact.address)
                yield from _up(ctx, passing._replace(frame=frame), steps)
                return
            if isinstance(onward, Landing):
                yield onward
                return
            passing, steps = passing._replace(frame=onward[0]), onward[1]
    yield from _on(ctx, passing, steps)


def _learns(port: Link, bridge: Link) -> bool:
    """Whether the sources of what comes in by a port are remembered: by none of a hub (br_fdb_update)."""
    return bool(kinds.port_details(port.fact).get("learning", True)) and (
        kinds.details(bridge.fact).get("ageing_time") != 0
    )


def send(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """A frame that the stack sends out of the bridge's own link."""
    passing = bridge_port.admitted(ctx, Passing(link, None, 0, frame))
    if isinstance(passing, Cause):
        yield ctx.l2.lost(link, frame, steps, passing)
        return
    yield from _on(ctx, passing, steps)


def _on(ctx: PathContext, passing: Passing, steps: Steps) -> Iterator[Landing]:
    """On from a bridge: up to itself, by the port that has the MAC, or by all."""
    bridge, frame = passing.bridge, passing.frame
    if frame.to_all:
        if frame.asks:
            mac, suppressed = bridge_port.answers(ctx, passing)
            passing = passing._replace(suppressed=suppressed)
            if mac:
                yield Landing("up", steps, bridge.end.ns, frame, bridge.end, mac=mac)
        if passing.port is not None:
            yield from _up(ctx, passing, steps)
        yield from _flood(ctx, passing, steps)
        return
    if passing.port is not None and frame.dst == bridge.fact.address:
        yield from _up(ctx, passing, steps)
        return
    found, why = _port_of(ctx, passing)
    if found == bridge.end and passing.port is not None:
        yield from _up(ctx, passing, steps)
        return
    port = ctx.topology.at(found) if found is not None else None
    if port is not None and frame.dst:
        refusal = bridge_port.refuses(ctx, passing, port)
        if refusal:
            yield ctx.l2.lost(port, frame, steps, BUT(why=why, refusal=refusal) if why else refusal)
            return
        if not ctx.l2.light:
            text = f"{bridge.ifname} sends it to port {port.ifname}"
            steps += ctx.step("bridge", text, bridge.end.ns, bridge.end, because=(why,))
        yield from _out(ctx, passing, port, steps)
        return
    yield from _flood(ctx, passing, steps)


def _port_of(ctx: PathContext, passing: Passing) -> tuple[End | None, str]:
    """The port behind which the MAC is, and who says so; None if nobody knows."""
    bridge, mac = passing.bridge, passing.frame.dst
    learned = ctx.learned.get((bridge.end, passing.vlan, mac))
    if ctx.l2.light:
        return learned, ""
    best = bridge_port.entry_of(ctx, passing, mac)
    # br_fdb_update moves all others
    if learned is not None and (best is None or not (best.own or best.sticky)):
        return learned, f"{mac} was just heard there"
    if best is None:
        return None, ""
    if best.own:
        return bridge.end, "its forwarding table has it as an address of its own"
    return End(bridge.end.ns, best.ifindex), f"its forwarding table has {mac} there"


def _flood(ctx: PathContext, passing: Passing, steps: Steps) -> Iterator[Landing]:
    """Out by all ports that may have it, but the one that it came by."""
    bridge, frame = passing.bridge, passing.frame
    ports = [port for port in bridge.ports if frame.along is None or port.end in frame.along]
    if not ctx.l2.light:
        what = "it is for all" if frame.to_all else f"it does not know where {frame.dst or 'its MAC'} is"
        text = f"{bridge.ifname} floods it to all its ports: {what}"
        steps += ctx.step("flood", text, bridge.end.ns, bridge.end)
    for port in ports:
        refusal = bridge_port.refuses(ctx, passing, port, flood=True)
        if not refusal:
            yield from _out(ctx, passing, port, steps)
        elif port != passing.port:
            yield ctx.l2.lost(port, frame, steps, refusal)


def _out(ctx: PathContext, passing: Passing, port: Link, steps: Steps) -> Iterator[Landing]:
    """Out by a port: tagged or not, if it fits, if the filters let it."""
    frame = passing.frame
    if passing.vlan and bridge_port.tagged_out(ctx, port, passing.vlan):
        frame = replace(frame, vlans=(*frame.vlans, (bridge_port.protocol(passing.bridge), passing.vlan)))
    if not ctx.l2.light:
        try:
            for hook in ("forward" if passing.port is not None else "output", "postrouting"):
                passing, steps = _filter(ctx, passing, steps, hook, port, tagged=frame)
        except Ended as ended:
            yield ended.landing
            return
        frame = replace(frame, packet=passing.frame.packet)
    split = _called(ctx, passing) if not ctx.l2.light else ""
    size = mtu.too_large(port, frame, exactly=bool(split))
    if split and size and not frame.packet.whole and frame.packet.flow.family != IPV6:
        limit = port.fact.mtu
        text = f"br_netfilter splits {size} bytes for port {port.ifname}, whose MTU is {limit}"
        steps += ctx.step("mtu", text, port.end.ns, port.end, because=(f"{split}=1",))
        frame = replace(frame, packet=replace(frame.packet, size=limit))
    elif size:
        told = NOT_SPLIT if split else TOO_LARGE
        reason = told(size=size, port=port.ifname, mtu=port.fact.mtu)
        yield ctx.l2.lost(port, frame, steps, reason)
        return
    mtu.note(ctx, port, port.fact.mtu + (0 if split else mtu.VLAN_HEADER), frame)
    yield from ctx.l2.send(port, frame, steps)


def _up(ctx: PathContext, passing: Passing, steps: Steps) -> Iterator[Landing]:
    """Up to the bridge's own link, which has VLANs of its own (br_pass_frame_up)."""
    bridge, frame = passing.bridge, passing.frame
    if passing.vlan:
        tagged = bridge_port.tagged_out(ctx, bridge, passing.vlan)
        if tagged is None:
            reason = SELF_NOT_IN_VLAN(bridge=bridge.ifname, vlan=passing.vlan)
            yield ctx.l2.lost(bridge, frame, steps, reason)
            return
        if tagged:
            frame = replace(frame, vlans=(*frame.vlans, (bridge_port.protocol(bridge), passing.vlan)))
    if not ctx.l2.light:
        try:
            changed, steps = _filter(ctx, passing._replace(frame=frame), steps, "input")
        except Ended as ended:
            yield ended.landing
            return
        frame = changed.frame
    if passing.port is not None and frame.dst == passing.port.fact.address:
        frame = replace(frame, dst=bridge.fact.address)  # PACKET_HOST already, as it came in by that port
    yield from ctx.l2.arrive(bridge, frame, steps)


# -- filters -----------------------------------------------------------------------------------------------------


def _called(ctx: PathContext, passing: Passing) -> str:
    """The sysctl (or option of the bridge) by which br_netfilter hands a bridged packet to the chains of IP; empty: it does not."""
    bridge, frame = passing.bridge, passing.frame
    name = f"call-{'ip6' if frame.packet.flow.family == IPV6 else 'ip'}tables"
    on = (
        ctx.lookups.sysctl(bridge.end.ns, f"bridge/bridge-nf-{name}")
        if passing.port and not frame.arp
        else None
    )
    own = kinds.details(bridge.fact).get(f"nf_{name.replace('-', '_')}")
    return f"bridge-nf-{name}" if on is not None and (on or own) else ""


def _calls_arp(ctx: PathContext, bridge: Link) -> bool:
    """Whether br_netfilter shows ARP that is bridged to arptables (br_nf_forward_arp)."""
    on = ctx.lookups.sysctl(bridge.end.ns, "bridge/bridge-nf-call-arptables")
    return on is not None and bool(on or kinds.details(bridge.fact).get("nf_call_arptables"))


def _filter(
    ctx: PathContext,
    passing: Passing,
    steps: Steps,
    hook: str,
    out: Link | None = None,
    *,
    tagged: Frame | None = None,
) -> tuple[Passing, Steps]:
    """The chains of family bridge, and those of IP where br_netfilter calls them for bridged packets. Ended.

    `tagged`: the frame with its tag, as it came in, or as it will go out (br_handle_vlan comes before the hooks).
    """
    bridge, frame = passing.bridge, passing.frame
    ns = bridge.end.ns
    physin = passing.port.ifname if passing.port is not None else ""
    physout = out.ifname if out is not None else ""
    called = _called(ctx, passing) if hook != "input" else ""
    routed = bool(called)
    place = Place(
        "bridge",
        hook,
        physin if hook != "output" else "",
        physout if hook != "input" else "",
        physin,
        physout,
        sight=Sight(ctx, ns, tagged or frame),
        interrupted=routed and hook in ("prerouting", "forward"),
    )
    going = Going(ns, frame.packet, steps)
    going = verdict.passed(ctx, going, netfilter.traverse(ctx, ns, place, frame.packet), f"bridge {hook}")
    going = verdict.undisturbed(ctx, going, "bridge", hook)
    if hook == "forward" and frame.arp and _calls_arp(ctx, bridge):
        place = place._replace(family="arp", interrupted=False)
        told = "forward (bridge-nf-call-arptables=1)"
        going = verdict.undisturbed(
            ctx,
            verdict.passed(ctx, going, netfilter.traverse(ctx, ns, place, going.packet), told),
            "arp",
            hook,
        )
    if routed:
        place = place._replace(
            family="ip6" if frame.packet.flow.family == IPV6 else "ip",
            iif=bridge.ifname if hook != "postrouting" else "",
            oif=bridge.ifname if out is not None else "",
            interrupted=False,
        )
        outcome = netfilter.traverse(ctx, ns, place, going.packet)
        going = verdict.undisturbed(
            ctx, verdict.passed(ctx, going, outcome, f"{hook} ({called}=1)"), place.family, hook
        )
        if hook == "prerouting":
            going = going._replace(packet=replace(going.packet, prerouted=True, physin=physin))
    return passing._replace(frame=replace(frame, packet=going.packet)), going.steps


DEVICES = (Device(("bridge",), transmit=send, from_port=arrive),)
