"""What a bridge's port lets in and out: VLANs, STP (of the port, or of a VLAN), locked ports, isolation, flags of floods.

net/bridge: br_vlan.c (br_allowed_ingress, br_allowed_egress), br_mst.c, br_input.c (br_handle_frame_finish), br_forward.c
(should_deliver, br_flood), br_arp_nd_proxy.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from nswire import kinds
from nswire.model.reasons import Cause, Reason
from nswire.model.routing import VALID, PortVlans
from nswire.model.values import End

if TYPE_CHECKING:
    from nswire.model.routing import FdbEntry
    from nswire.model.topology import Link
    from nswire.path.context import PathContext
    from nswire.path.values import Frame

TAKES_NOTHING = Reason(
    "bridge.port_takes_nothing",
    "port {port} of {bridge} is {state}, and takes nothing in",
    "BRIDGE_INGRESS_STP_STATE",
)
VLAN_TAKES_NOTHING = Reason(
    "bridge.vlan_takes_nothing",
    "port {port} of {bridge} is {state} in VLAN {vlan}, and takes nothing in",
    "BRIDGE_INGRESS_STP_STATE",
)
PORT_STATE = Reason("bridge.port_state", "port {port} of {bridge} is {state}")
VLAN_STATE = Reason("bridge.vlan_state", "port {port} of {bridge} is {state} in VLAN {vlan}")
LOCKED = Reason(
    "bridge.locked", "port {port} of {bridge} is locked, and the forwarding table does not have {mac} there"
)
LOCKED_ENTRY = Reason(
    "bridge.locked_entry",
    "port {port} of {bridge} is locked, and so is the entry of its forwarding table for {mac}",
)
SAME_PORT = Reason("bridge.no_hairpin", "that is the port it came by ({port}), which has no hairpin mode")
ISOLATED = Reason("bridge.isolated", "ports {port} and {other} of {bridge} are isolated from each other")
NO_FLOOD = Reason("bridge.no_flood", "port {port} of {bridge} has {flag} off")
PROXY_ARP = Reason("bridge.proxy_arp", "port {port} of {bridge} has proxy_arp on: nothing is flooded there")
SUPPRESSED = Reason(
    "bridge.neigh_suppress",
    "port {port} of {bridge} has neigh_suppress on: a question that {bridge} knows the answer to is not flooded there",
)
NOT_IN_VLAN = Reason("bridge.not_in_vlan", "port {port} of {bridge} is not in VLAN {vlan}")
TAG_NOT_ADMITTED = Reason(
    "bridge.tag_not_admitted", "port {port} of {bridge} is not in VLAN {vlan}, which the frame is tagged with"
)
NO_PVID = Reason("bridge.no_pvid", "port {port} of {bridge} has no PVID, so nothing untagged comes in")

NO_VLANS = PortVlans(0, (), ())
FORWARDING, LEARNING = "forwarding", "learning"


class Passing(NamedTuple):
    """A frame inside a bridge: by which port it came (None: from the bridge's own stack), in which VLAN (0: there are none).

    `suppressed`: it is a question that the bridge has answered, or could, so that ports with neigh_suppress do not get it.
    """

    bridge: Link
    port: Link | None
    vlan: int
    frame: Frame
    suppressed: bool = False


def state(port: Link) -> str:
    """The STP state of a port; with MST those of its VLANs count alone (br_mst_is_enabled)."""
    master = port.master
    if master is not None and kinds.details(master.fact).get("mst_enabled"):
        return FORWARDING
    return str(kinds.port_details(port.fact).get("state", FORWARDING))


def vlan_state(ctx: PathContext, at: Link, vlan: int) -> str:
    """The state of a port, or of the bridge itself, in a VLAN (Linux 5.6)."""
    if not vlan:
        return FORWARDING
    ranges = ctx.lookups.vlan_states(at.end.ns).get(at.ifindex, ())
    return next((one.state for one in ranges if one.first <= vlan <= one.last), FORWARDING)


def admitted(ctx: PathContext, passing: Passing) -> Passing | Cause:
    """The VLAN that a frame is in, its tag taken off; or why it may not come in (br_allowed_ingress)."""
    bridge, frame = passing.bridge, passing.frame
    if not kinds.details(bridge.fact).get("vlan_filtering"):
        return passing
    at = passing.port or bridge
    vlans = _vlans(ctx, at)
    if frame.vlans and frame.vlans[-1][0] == protocol(bridge):
        number = frame.vlans[-1][1]
        if not _within(vlans.untagged, number) and not _within(vlans.tagged, number):
            return TAG_NOT_ADMITTED(port=at.ifname, bridge=bridge.ifname, vlan=number)
        passing = passing._replace(vlan=number, frame=replace(frame, vlans=frame.vlans[:-1]))
    elif vlans.pvid:
        passing = passing._replace(vlan=vlans.pvid)
    else:
        return NO_PVID(port=at.ifname, bridge=bridge.ifname)
    found = vlan_state(ctx, at, passing.vlan)
    if found not in (FORWARDING, LEARNING):
        return VLAN_TAKES_NOTHING(port=at.ifname, bridge=bridge.ifname, state=found, vlan=passing.vlan)
    return passing


def locks_out(ctx: PathContext, passing: Passing) -> Cause | None:
    """Why a locked port does not take the frame: it takes only sources that the forwarding table has there already."""
    port, bridge, mac = passing.port, passing.bridge, passing.frame.src
    if port is None or ctx.l2.light or not kinds.port_details(port.fact).get("locked"):
        return None
    learned = ctx.learned.get((bridge.end, passing.vlan, mac))
    entry = entry_of(ctx, passing, mac)
    fine = (
        learned == port.end
        if learned is not None
        else entry is not None and not entry.own and entry.ifindex == port.ifindex
    )
    if not fine:
        return LOCKED(port=port.ifname, bridge=bridge.ifname, mac=mac)
    if learned is None and entry is not None and entry.locked:
        return LOCKED_ENTRY(port=port.ifname, bridge=bridge.ifname, mac=mac)
    return None


def entry_of(ctx: PathContext, passing: Passing, mac: str) -> FdbEntry | None:
    """What the forwarding table has of a MAC in the frame's VLAN."""
    bridge, best = passing.bridge, None
    for entry in ctx.lookups.fdb(bridge.end.ns, mac):
        if entry.master != bridge.ifindex or entry.vlan not in (0, passing.vlan):
            continue
        if best is None or entry.vlan:
            best = entry
    return best


def refuses(ctx: PathContext, passing: Passing, port: Link, *, flood: bool = False) -> Cause | None:
    """Why a port does not get the frame; None if it does (should_deliver)."""
    bridge, vlan = passing.bridge, passing.vlan
    details = kinds.port_details(port.fact)
    if port == passing.port and not details.get("hairpin"):
        return SAME_PORT(port=port.ifname)
    found = state(port)
    if found != FORWARDING:
        return PORT_STATE(port=port.ifname, bridge=bridge.ifname, state=found)
    if (
        details.get("isolated")
        and passing.port is not None
        and kinds.port_details(passing.port.fact).get("isolated")
    ):
        return ISOLATED(port=passing.port.ifname, other=port.ifname, bridge=bridge.ifname)
    if flood:
        refusal = _refuses_flood(ctx, passing, port)
        if refusal is not None:
            return refusal
    if vlan and tagged_out(ctx, port, vlan) is None:
        return NOT_IN_VLAN(port=port.ifname, bridge=bridge.ifname, vlan=vlan)
    found = vlan_state(ctx, port, vlan)
    if found != FORWARDING:
        return VLAN_STATE(port=port.ifname, bridge=bridge.ifname, state=found, vlan=vlan)
    return None


def _refuses_flood(ctx: PathContext, passing: Passing, port: Link) -> Cause | None:
    """The same of what goes to all ports (br_flood)."""
    bridge, details = passing.bridge, kinds.port_details(port.fact)
    what = _flood_flag(passing.frame)
    # what the bridge itself sends to many goes everywhere
    if details.get(what) is False and (passing.port is not None or what == "flood"):
        return NO_FLOOD(port=port.ifname, bridge=bridge.ifname, flag=what)
    if details.get("proxy_arp"):
        return PROXY_ARP(port=port.ifname, bridge=bridge.ifname)
    if passing.suppressed and (details.get("proxy_arp_wifi") or suppresses(ctx, port, passing.vlan)):
        return SUPPRESSED(port=port.ifname, bridge=bridge.ifname)
    return None


def _flood_flag(frame: Frame) -> str:
    if not frame.to_all:
        return "flood"
    return "bcast_flood" if frame.dst == "ff:ff:ff:ff:ff:ff" else "mcast_flood"


# -- questions that a bridge answers itself ------------------------------------------------------------------------


def suppresses(ctx: PathContext, port: Link, vlan: int) -> bool:
    """Whether a port has neigh_suppress, of itself or (neigh_vlan_suppress) in that VLAN (br_is_neigh_suppress_enabled)."""
    details = kinds.port_details(port.fact)
    if not details.get("neigh_vlan_suppress"):
        return bool(details.get("neigh_suppress"))
    ranges = ctx.lookups.vlan_states(port.end.ns).get(port.ifindex, ())
    return bool(vlan) and any(one.neigh_suppress for one in ranges if one.first <= vlan <= one.last)


def answers(ctx: PathContext, passing: Passing) -> tuple[str, bool]:
    """The MAC that the bridge itself answers a question with (empty: it does not), and whether it knows the answer.

    br_do_proxy_suppress_arp, br_do_suppress_nd: it looks into the neighbour table of its own link, or of the VLAN's on it.
    """
    bridge, port, frame = passing.bridge, passing.port, passing.frame
    every = [kinds.port_details(one.fact) for one in bridge.ports]
    on = any(one.get("neigh_suppress") or one.get("neigh_vlan_suppress") for one in every)
    proxied = ":" not in frame.asks and (
        on or any(one.get("proxy_arp") or one.get("proxy_arp_wifi") for one in every)
    )
    if (
        frame.tells
        or not (on or proxied)
        or (on and port is not None and suppresses(ctx, port, passing.vlan))
    ):
        return "", False
    if on and frame.packet.flow.src in ("", frame.asks):
        return "", True
    at = bridge if not passing.vlan else _vlan_on(bridge, passing.vlan)
    if at is None:
        return "", False
    if on and any(address.ip == frame.asks for address in at.addresses):
        return "", True
    known = next(
        (
            one.lladdr
            for one in ctx.lookups.neighbours(at.end.ns)
            if (one.ifindex, one.address, one.proxy) == (at.ifindex, frame.asks, False) and one.state & VALID
        ),
        "",
    )
    entry = entry_of(ctx, passing, known) if known else None
    if entry is None:
        return "", False
    behind = ctx.topology.get(End(bridge.end.ns, entry.ifindex)) if not entry.own else None
    asked = (
        port is not None and ":" not in frame.asks and bool(kinds.port_details(port.fact).get("proxy_arp"))
    )
    wifi = behind is not None and bool(kinds.port_details(behind.fact).get("proxy_arp_wifi"))
    replied = asked or wifi or (behind is not None and suppresses(ctx, behind, passing.vlan))
    return known if replied else "", replied or on


def _vlan_on(bridge: Link, vlan: int) -> Link | None:
    """The link of a VLAN that stands on the bridge."""
    return next(
        (one for one in bridge.uppers if one.kind == "vlan" and kinds.details(one.fact).get("id") == vlan),
        None,
    )


# -- VLANs -----------------------------------------------------------------------------------------------------------


def protocol(bridge: Link) -> str:
    """Of the tags that a bridge looks at."""
    return str(kinds.details(bridge.fact).get("vlan_protocol", "802.1Q"))


def tagged_out(ctx: PathContext, port: Link, vlan: int) -> bool | None:
    """Whether a VLAN leaves tagged by a port; None if it does not at all."""
    vlans = _vlans(ctx, port)
    if _within(vlans.untagged, vlan):
        return False
    return True if _within(vlans.tagged, vlan) else None


def _vlans(ctx: PathContext, port: Link) -> PortVlans:
    return ctx.lookups.vlans(port.end.ns).get(port.ifindex, NO_VLANS)


def _within(ranges: tuple[tuple[int, int], ...], number: int) -> bool:
    return any(first <= number <= last for first, last in ranges)
