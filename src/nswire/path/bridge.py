"""A Linux bridge: VLANs, STP, forwarding table, flooding, isolation, and what is for the bridge itself.

net/bridge: br_input.c (br_handle_frame_finish), br_forward.c (should_deliver, br_flood), br_vlan.c, br_device.c
(br_dev_xmit), br_netfilter_hooks.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from nswire import kinds
from nswire.model.reasons import Cause, Reason
from nswire.model.routing import PortVlans
from nswire.model.values import End
from nswire.path import mtu, netfilter
from nswire.path.netfilter import Place
from nswire.path.netfilter.fields import Sight
from nswire.path.values import Ended, Frame, Going

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.topology import Link
    from nswire.model.values import Value
    from nswire.path.values import Landing, Steps
    from nswire.path.walk import Walk

NOT_SEEN = Reason("bridge.not_seen", "the bridge of {port} cannot be seen")
TAKES_NOTHING = Reason(
    "bridge.port_takes_nothing",
    "port {port} of {bridge} is {state}, and takes nothing in",
    "BRIDGE_INGRESS_STP_STATE",
)
PORT_STATE = Reason("bridge.port_state", "port {port} of {bridge} is {state}")
BUT = Reason("bridge.port_refuses", "{why}, but {refusal}")
SAME_PORT = Reason("bridge.no_hairpin", "that is the port it came by ({port}), which has no hairpin mode")
ISOLATED = Reason("bridge.isolated", "ports {port} and {other} of {bridge} are isolated from each other")
NO_FLOOD = Reason("bridge.no_flood", "port {port} of {bridge} has {flag} off")
NOT_IN_VLAN = Reason("bridge.not_in_vlan", "port {port} of {bridge} is not in VLAN {vlan}")
SELF_NOT_IN_VLAN = Reason("bridge.self_not_in_vlan", "the bridge {bridge} itself is not in VLAN {vlan}")
TAG_NOT_ADMITTED = Reason(
    "bridge.tag_not_admitted", "port {port} of {bridge} is not in VLAN {vlan}, which the frame is tagged with"
)
NO_PVID = Reason("bridge.no_pvid", "port {port} of {bridge} has no PVID, so nothing untagged comes in")
TOO_LARGE = Reason(
    "bridge.too_large",
    "it has {size} bytes, and the MTU of port {port} is {mtu}: dropped without a word",
    "PKT_TOO_BIG",
)

NO_VLANS = PortVlans(0, (), ())
FORWARDING, LEARNING = "forwarding", "learning"


class _Passing(NamedTuple):
    """A frame inside a bridge: by which port it came (None: from the bridge's own stack), in which VLAN (0: there are none)."""

    bridge: Link
    port: Link | None
    vlan: int
    frame: Frame


def arrive(walk: Walk, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """A frame that comes in by a port."""
    bridge = link.master
    if bridge is None:
        yield walk.segment.unknown(link, frame, steps, NOT_SEEN(port=link.ifname))
        return
    details = kinds.port_details(link.fact)
    state = str(details.get("state", FORWARDING))
    if state not in (FORWARDING, LEARNING):
        reason = TAKES_NOTHING(port=link.ifname, bridge=bridge.ifname, state=state)
        yield walk.segment.lost(link, frame, steps, reason)
        return
    passing = _admitted(walk, _Passing(bridge, link, 0, frame))
    if isinstance(passing, Cause):
        yield walk.segment.lost(link, frame, steps, passing)
        return
    if details.get("learning", True) and frame.src:
        walk.learned[bridge.end, passing.vlan, frame.src] = link.end
    if state == LEARNING:
        reason = TAKES_NOTHING(port=link.ifname, bridge=bridge.ifname, state=state)
        yield walk.segment.lost(link, frame, steps, reason)
        return
    if not walk.segment.light:
        try:
            passing, steps = _filter(walk, passing, steps, "prerouting")
        except Ended as ended:
            yield ended.landing
            return
        if passing.frame.packet.flow.dst != frame.packet.flow.dst:
            # bridged DNAT: what has another destination now is for the stack to route (br_nf_pre_routing_finish)
            yield from _up(walk, passing, steps)
            return
    yield from _on(walk, passing, steps)


def send(walk: Walk, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """A frame that the stack sends out of the bridge's own link."""
    passing = _admitted(walk, _Passing(link, None, 0, frame))
    if isinstance(passing, Cause):
        yield walk.segment.lost(link, frame, steps, passing)
        return
    yield from _on(walk, passing, steps)


def _on(walk: Walk, passing: _Passing, steps: Steps) -> Iterator[Landing]:
    """On from a bridge: up to itself, by the port that has the MAC, or by all."""
    bridge, frame = passing.bridge, passing.frame
    if frame.to_all:
        if passing.port is not None:
            yield from _up(walk, passing, steps)
        yield from _flood(walk, passing, steps)
        return
    if passing.port is not None and frame.dst == bridge.fact.address:
        yield from _up(walk, passing, steps)
        return
    found, why = _port_of(walk, passing)
    if found == bridge.end and passing.port is not None:
        yield from _up(walk, passing, steps)
        return
    port = walk.topology.at(found) if found is not None else None
    if port is not None and frame.dst:
        refusal = _refuses(walk, passing, port)
        if refusal:
            yield walk.segment.lost(port, frame, steps, BUT(why=why, refusal=refusal) if why else refusal)
            return
        if not walk.segment.light:
            text = f"{bridge.ifname} sends it to port {port.ifname}"
            steps += walk.step("bridge", text, bridge.end.ns, bridge.end, because=(why,))
        yield from _out(walk, passing, port, steps)
        return
    yield from _flood(walk, passing, steps)


def _port_of(walk: Walk, passing: _Passing) -> tuple[End | None, str]:
    """The port behind which the MAC is, and who says so; None if nobody knows."""
    bridge, mac = passing.bridge, passing.frame.dst
    learned = walk.learned.get((bridge.end, passing.vlan, mac))
    if walk.segment.light:
        return learned, ""
    best = None
    for entry in walk.lookups.fdb(bridge.end.ns, mac):
        if entry.master != bridge.ifindex or entry.vlan not in (0, passing.vlan):
            continue
        if best is None or entry.vlan:
            best = entry
    # br_fdb_update moves all others
    if learned is not None and (best is None or not (best.own or best.sticky)):
        return learned, f"{mac} was just heard there"
    if best is None:
        return None, ""
    if best.own:
        return bridge.end, "its forwarding table has it as an address of its own"
    return End(bridge.end.ns, best.ifindex), f"its forwarding table has {mac} there"


def _flood(walk: Walk, passing: _Passing, steps: Steps) -> Iterator[Landing]:
    """Out by all ports that may have it, but the one that it came by."""
    bridge, frame = passing.bridge, passing.frame
    ports = [port for port in bridge.ports if frame.along is None or port.end in frame.along]
    if not walk.segment.light:
        what = "it is for all" if frame.to_all else f"it does not know where {frame.dst or 'its MAC'} is"
        text = f"{bridge.ifname} floods it to all its ports: {what}"
        steps += walk.step("flood", text, bridge.end.ns, bridge.end)
    for port in ports:
        refusal = _refuses(walk, passing, port, flood=True)
        if not refusal:
            yield from _out(walk, passing, port, steps)
        elif port != passing.port:
            yield walk.segment.lost(port, frame, steps, refusal)


def _refuses(walk: Walk, passing: _Passing, port: Link, *, flood: bool = False) -> Cause | None:
    """Why a port does not get the frame; None if it does (should_deliver)."""
    bridge = passing.bridge
    details = kinds.port_details(port.fact)
    if port == passing.port and not details.get("hairpin"):
        return SAME_PORT(port=port.ifname)
    state = str(details.get("state", FORWARDING))
    if state != FORWARDING:
        return PORT_STATE(port=port.ifname, bridge=bridge.ifname, state=state)
    if _isolated(details) and passing.port is not None and _isolated(kinds.port_details(passing.port.fact)):
        return ISOLATED(port=passing.port.ifname, other=port.ifname, bridge=bridge.ifname)
    if flood:
        what = _flood_flag(passing.frame)
        if details.get(what) is False:
            return NO_FLOOD(port=port.ifname, bridge=bridge.ifname, flag=what)
    if passing.vlan and _tagged_out(walk, port, passing.vlan) is None:
        return NOT_IN_VLAN(port=port.ifname, bridge=bridge.ifname, vlan=passing.vlan)
    return None


def _flood_flag(frame: Frame) -> str:
    if not frame.to_all:
        return "flood"
    return "bcast_flood" if frame.dst == "ff:ff:ff:ff:ff:ff" else "mcast_flood"


def _isolated(details: dict[str, Value]) -> bool:
    return bool(details.get("isolated"))


def _out(walk: Walk, passing: _Passing, port: Link, steps: Steps) -> Iterator[Landing]:
    """Out by a port: tagged or not, if it fits, if the filters let it."""
    frame = passing.frame
    if passing.vlan and _tagged_out(walk, port, passing.vlan):
        frame = replace(frame, vlans=(*frame.vlans, (_protocol(passing.bridge), passing.vlan)))
    size = mtu.too_large(port, frame)
    if size:
        reason = TOO_LARGE(size=size, port=port.ifname, mtu=port.fact.mtu)
        yield walk.segment.lost(port, frame, steps, reason)
        return
    if not walk.segment.light:
        try:
            for hook in ("forward" if passing.port is not None else "output", "postrouting"):
                passing, steps = _filter(walk, passing, steps, hook, port)
        except Ended as ended:
            yield ended.landing
            return
        frame = replace(frame, packet=passing.frame.packet)
    yield from walk.segment.send(port, frame, steps)


def _up(walk: Walk, passing: _Passing, steps: Steps) -> Iterator[Landing]:
    """Up to the bridge's own link, which has VLANs of its own (br_pass_frame_up)."""
    bridge, frame = passing.bridge, passing.frame
    if passing.vlan:
        tagged = _tagged_out(walk, bridge, passing.vlan)
        if tagged is None:
            reason = SELF_NOT_IN_VLAN(bridge=bridge.ifname, vlan=passing.vlan)
            yield walk.segment.lost(bridge, frame, steps, reason)
            return
        if tagged:
            frame = replace(frame, vlans=(*frame.vlans, (_protocol(bridge), passing.vlan)))
    if not walk.segment.light:
        try:
            changed, steps = _filter(walk, passing._replace(frame=frame), steps, "input")
        except Ended as ended:
            yield ended.landing
            return
        frame = changed.frame
    if passing.port is not None and frame.dst == passing.port.fact.address:
        frame = replace(frame, dst=bridge.fact.address)  # PACKET_HOST already, as it came in by that port
    yield from walk.segment.arrive(bridge, frame, steps)


# -- VLANs -------------------------------------------------------------------------------------------------------


def _protocol(bridge: Link) -> str:
    return str(kinds.details(bridge.fact).get("vlan_protocol", "802.1Q"))


def _admitted(walk: Walk, passing: _Passing) -> _Passing | Cause:
    """The VLAN that a frame is in, its tag taken off; or why it may not come in (br_allowed_ingress)."""
    bridge, frame = passing.bridge, passing.frame
    if not kinds.details(bridge.fact).get("vlan_filtering"):
        return passing
    at = passing.port or bridge
    vlans = _vlans(walk, at)
    if frame.vlans and frame.vlans[-1][0] == _protocol(bridge):
        number = frame.vlans[-1][1]
        if not _within(vlans.untagged, number) and not _within(vlans.tagged, number):
            return TAG_NOT_ADMITTED(port=at.ifname, bridge=bridge.ifname, vlan=number)
        return passing._replace(vlan=number, frame=replace(frame, vlans=frame.vlans[:-1]))
    if not vlans.pvid:
        return NO_PVID(port=at.ifname, bridge=bridge.ifname)
    return passing._replace(vlan=vlans.pvid)


def _tagged_out(walk: Walk, port: Link, vlan: int) -> bool | None:
    """Whether a VLAN leaves tagged by a port; None if it does not at all."""
    vlans = _vlans(walk, port)
    if _within(vlans.untagged, vlan):
        return False
    return True if _within(vlans.tagged, vlan) else None


def _vlans(walk: Walk, port: Link) -> PortVlans:
    return walk.lookups.vlans(port.end.ns).get(port.ifindex, NO_VLANS)


def _within(ranges: tuple[tuple[int, int], ...], number: int) -> bool:
    return any(first <= number <= last for first, last in ranges)


# -- filters -----------------------------------------------------------------------------------------------------


def _filter(
    walk: Walk, passing: _Passing, steps: Steps, hook: str, out: Link | None = None
) -> tuple[_Passing, Steps]:
    """The chains of family bridge, and those of IP where br_netfilter calls them for bridged packets. Ended."""
    bridge, frame = passing.bridge, passing.frame
    ns = bridge.end.ns
    physin = passing.port.ifname if passing.port is not None else ""
    physout = out.ifname if out is not None else ""
    family = "ip6" if frame.packet.flow.family == 6 else "ip"
    called = f"bridge-nf-call-{family}tables"
    bridged = passing.port is not None and hook != "input" and not frame.asks
    routed = bridged and bool(walk.lookups.sysctl(ns, f"bridge/{called}"))
    place = Place(
        "bridge",
        hook,
        physin if hook != "output" else "",
        physout if hook != "input" else "",
        physin,
        physout,
        sight=Sight(walk, ns, frame),
        interrupted=routed and hook in ("prerouting", "forward"),
    )
    going = Going(ns, frame.packet, steps)
    going = walk.filtered(going, netfilter.traverse(walk, ns, place, frame.packet), f"bridge {hook}")
    if routed:
        place = place._replace(
            family=family,
            iif=bridge.ifname if hook != "postrouting" else "",
            oif=bridge.ifname if out is not None else "",
            interrupted=False,
        )
        outcome = netfilter.traverse(walk, ns, place, going.packet)
        going = walk.filtered(going, outcome, f"{hook} ({called}=1)")
        if hook == "prerouting":
            going = going._replace(packet=replace(going.packet, prerouted=True))
    return passing._replace(frame=replace(frame, packet=going.packet)), going.steps
