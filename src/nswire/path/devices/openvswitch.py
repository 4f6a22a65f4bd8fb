"""Open vSwitch: its own `ofproto/trace` says what becomes of a frame; it is asked, and changes nothing.

ovs-vswitchd(8), ofproto(7). The datapath actions of the answer are numbers of ports, or names in newer versions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from nswire.codec.checked import is_decimal
from nswire.model.reasons import Reason
from nswire.path.devices import openvswitch_flow, tunnel
from nswire.path.devices.device import Device
from nswire.path.values import UDP, Flow, Landing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nswire.model.topology import Link
    from nswire.model.values import Value
    from nswire.path.context import PathContext
    from nswire.path.values import Frame, Steps

BRIDGE_UNKNOWN = Reason("ovs.bridge_unknown", "which bridge {link} is a port of cannot be seen", unknown=True)
NOT_TOLD = Reason("ovs.not_told", "Open vSwitch does not tell what {bridge} does with it", unknown=True)
DROPPED = Reason("ovs.dropped", "the flows of {bridge} drop it (ovs-appctl ofproto/trace {bridge} …)")
ACTION = Reason("ovs.action", "{bridge} does more with it than output: {action}", unknown=True)
TO_CONTROLLER = Reason("ovs.controller", "{bridge} gives it to its controller: {action}", unknown=True)
PORT_UNKNOWN = Reason("ovs.port_unknown", "port {port} of the datapath cannot be seen", unknown=True)
OUTER_ARRIVES = Reason(
    "ovs.outer_arrives",
    "its outer packet arrives in {netns}: what is done with it there is not followed",
    unknown=True,
)

ACTIONS = re.compile(r"^Datapath actions: (.*)$", re.MULTILINE)
SIMPLE = re.compile(r"^(?:\d+|ct_clear)$")
CONTROLLER = re.compile(r"^userspace\(.*controller\(")

TUNNEL = re.compile(r"^set\(tunnel\((?:.*,)?dst=([0-9a-f.:]+),(?:.*tp_dst=(\d+))?.*\)\)$")
OVERHEAD = 50  # Ethernet, IPv4, UDP and vxlan headers


def switches(ctx: PathContext, link: Link) -> bool:
    """Whether what comes in by a link goes to ovs-vswitchd's own datapath, which no master tells."""
    seat = _seat(ctx, link)
    return bool(seat.get("bridge")) and seat.get("type") != "internal"


def serves(ctx: PathContext, link: Link) -> bool:
    """Whether a tap is a port that ovs-vswitchd's own datapath gives to the stack."""
    return _seat(ctx, link).get("type") == "internal"


def _seat(ctx: PathContext, link: Link) -> Mapping[str, Value]:
    return ctx.lookups.details(link.end, "ovs")


def arrive(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """A frame that comes in by a port of a bridge."""
    yield from _switched(ctx, link, frame, steps)


def send(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """A frame that the stack sends out of an internal port: into the switch."""
    yield from _switched(ctx, link, frame, steps)


def _switched(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    seat = _seat(ctx, link)
    bridge, ofport = str(seat.get("bridge", "")), seat.get("ofport")
    if not bridge or not isinstance(ofport, int):
        yield ctx.l2.unknown(link, frame, steps, BRIDGE_UNKNOWN(link=link.ifname))
        return
    said = ctx.lookups.switched(bridge, openvswitch_flow.flow(ofport, frame))
    found = ACTIONS.search(said) if said is not None else None
    if found is None:
        yield ctx.l2.unknown(link, frame, steps, NOT_TOLD(bridge=bridge))
        return
    actions = found[1].strip()
    because = (f"ofproto/trace {bridge}: {actions}",)
    if actions == "drop":
        steps += ctx.step("ovs", f"{bridge} drops it", link.end.ns, link.end, because=because)
        reason = DROPPED(bridge=bridge)
        yield Landing("dropped", steps, link.end.ns, frame, link.end, frame.packet, reason=reason)
        return
    words = _split(actions)
    for word in words:
        strange = _strange(word)
        if strange is not None:
            yield ctx.l2.unknown(link, frame, steps, strange(bridge=bridge, action=word))
            return
    remote = None
    for word in words:
        if (tunnel := TUNNEL.match(word)) is not None:
            remote = Flow(tunnel[1], "", UDP, 0, int(tunnel[2] or 0))
        elif not is_decimal(word):
            frame = openvswitch_flow.changed(frame, word)
        else:
            yield from _output(ctx, link, frame, steps, _Onward(bridge, word, because, remote))


class _Onward(NamedTuple):
    """An output: by which bridge, to which port of the datapath, why, and to which tunnel's end, if one was set."""

    bridge: str
    port: str
    because: tuple[str, ...]
    remote: Flow | None


def _strange(word: str) -> Reason | None:
    """Why an action is not followed; None if it is."""
    if SIMPLE.match(word) or TUNNEL.match(word) or openvswitch_flow.understood(word):
        return None
    return TO_CONTROLLER if CONTROLLER.match(word) else ACTION


def _output(ctx: PathContext, link: Link, frame: Frame, steps: Steps, onward: _Onward) -> Iterator[Landing]:
    """Out by a port of the datapath."""
    target = _port(ctx, str(_seat(ctx, link).get("datapath", "")), int(onward.port))
    # what a tunnel was set for is the next port that is one: the ordinary ones do not look at it
    if onward.remote is not None and (target is None or target.kind in tunnel.METADATA):
        text = f"{onward.bridge} puts it into a tunnel to {onward.remote.dst}"
        told = steps + ctx.step("ovs", text, link.end.ns, link.end, because=onward.because)
        yield _tunnelled(ctx, link, frame, told, onward.remote)
        return
    if target is None:
        yield ctx.l2.unknown(link, frame, steps, PORT_UNKNOWN(port=onward.port))
        return
    text = f"{onward.bridge} sends it to port {target.ifname}"
    told = steps + ctx.step(
        "ovs", text, link.end.ns, link.end, because=onward.because, flow=frame.packet.flow
    )
    internal = _seat(ctx, target).get("type") == "internal"
    if internal:  # internal_dev_recv: what another namespace knew of it, a connection, stays there
        frame = replace(frame, packet=replace(frame.packet, conn=None, prerouted=False, looped=False))
    yield from (ctx.l2.arrive if internal else ctx.l2.send)(target, frame, told)


def _tunnelled(ctx: PathContext, link: Link, frame: Frame, steps: Steps, outer: Flow) -> Landing:
    """The way of the outer packet. What takes it apart at its end is another switch, which is not followed."""
    landing = tunnel.encapsulated(ctx, link, outer, frame, steps, ns=link.end.ns, overhead=OVERHEAD)
    if landing.fate != "delivered":
        return landing
    reason = OUTER_ARRIVES(netns=ctx.name(landing.ns))
    return replace(landing, fate="unknown", reason=reason, outer=True)


def _port(ctx: PathContext, datapath: str, number: int) -> Link | None:
    """The link that has that number in the datapath."""
    for link in ctx.topology.links():
        seat = _seat(ctx, link)
        if seat.get("datapath_port") == number and seat.get("datapath") == datapath:
            return link
    return None


def _split(actions: str) -> list[str]:
    """Actions between commas that are not inside parentheses."""
    words, depth, word = [], 0, ""
    for character in actions:
        depth += (character == "(") - (character == ")")
        if character == "," and not depth:
            words.append(word)
            word = ""
        else:
            word += character
    return [*words, word]


DEVICES = (Device(("openvswitch",), transmit=send, from_port=arrive),)
