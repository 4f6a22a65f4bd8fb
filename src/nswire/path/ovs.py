"""Open vSwitch: its own `ofproto/trace` says what becomes of a frame; it is asked, and changes nothing.

ovs-vswitchd(8), ofproto(7). The datapath actions of the answer are numbers of ports, or names in newer versions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nswire.model.reasons import Reason
from nswire.path import tunnels
from nswire.path.values import ICMP, ICMPV6, TCP, UDP, Flow, Landing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nswire.model.topology import Link
    from nswire.model.values import Value
    from nswire.path.values import Frame, Steps
    from nswire.path.walk import Walk

BRIDGE_UNKNOWN = Reason("ovs.bridge_unknown", "which bridge {link} is a port of cannot be seen")
NOT_TOLD = Reason("ovs.not_told", "Open vSwitch does not tell what {bridge} does with it")
DROPPED = Reason("ovs.dropped", "the flows of {bridge} drop it (ovs-appctl ofproto/trace {bridge} …)")
ACTION = Reason("ovs.action", "{bridge} does more with it than output: {action}")
PORT_UNKNOWN = Reason("ovs.port_unknown", "port {port} of the datapath cannot be seen")
OUTER_ARRIVES = Reason(
    "ovs.outer_arrives", "its outer packet arrives in {netns}: what is done with it there is not followed"
)

ACTIONS = re.compile(r"^Datapath actions: (.*)$", re.MULTILINE)
PROTOCOLS = {ICMP: "icmp", ICMPV6: "icmp6", TCP: "tcp", UDP: "udp"}
SIMPLE = re.compile(r"^(?:\d+|push_vlan\(vid=(\d+),pcp=\d+\)|pop_vlan)$")

TUNNEL = re.compile(r"^set\(tunnel\((?:.*,)?dst=([0-9a-f.:]+),(?:.*tp_dst=(\d+))?.*\)\)$")
OVERHEAD = 50  # Ethernet, IPv4, UDP and vxlan headers


def switches(walk: Walk, link: Link) -> bool:
    """Whether what comes in by a link goes to ovs-vswitchd's own datapath, which no master tells."""
    seat = _seat(walk, link)
    return bool(seat.get("bridge")) and seat.get("type") != "internal"


def serves(walk: Walk, link: Link) -> bool:
    """Whether a tap is a port that ovs-vswitchd's own datapath gives to the stack."""
    return _seat(walk, link).get("type") == "internal"


def _seat(walk: Walk, link: Link) -> Mapping[str, Value]:
    return walk.lookups.details(link.end, "ovs")


def arrive(walk: Walk, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """A frame that comes in by a port of a bridge."""
    yield from _switched(walk, link, frame, steps)


def send(walk: Walk, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """A frame that the stack sends out of an internal port: into the switch."""
    yield from _switched(walk, link, frame, steps)


def _switched(walk: Walk, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    seat = _seat(walk, link)
    bridge, ofport = str(seat.get("bridge", "")), seat.get("ofport")
    if not bridge or not isinstance(ofport, int):
        yield walk.segment.unknown(link, frame, steps, BRIDGE_UNKNOWN(link=link.ifname))
        return
    said = walk.lookups.switched(bridge, _flow(ofport, frame))
    found = ACTIONS.search(said) if said is not None else None
    if found is None:
        yield walk.segment.unknown(link, frame, steps, NOT_TOLD(bridge=bridge))
        return
    actions = found[1].strip()
    because = (f"ofproto/trace {bridge}: {actions}",)
    if actions == "drop":
        steps += walk.step("ovs", f"{bridge} drops it", link.end.ns, link.end, because=because)
        reason = DROPPED(bridge=bridge)
        yield Landing("dropped", steps, link.end.ns, frame, link.end, frame.packet, reason=reason)
        return
    words = _split(actions)
    strange = next((word for word in words if not SIMPLE.match(word) and not TUNNEL.match(word)), None)
    if strange is not None:
        yield walk.segment.unknown(link, frame, steps, ACTION(bridge=bridge, action=strange))
        return
    vlans, remote = frame.vlans, None
    for word in words:
        if word.isdigit():
            out = replace(frame, vlans=vlans)
            target = _port(walk, str(seat.get("datapath", "")), int(word))
            # what a tunnel was set for is the next port that is one: the ordinary ones do not look at it
            if remote is not None and (target is None or target.kind in tunnels.KINDS):
                text = f"{bridge} puts it into a tunnel to {remote.dst}"
                told = steps + walk.step("ovs", text, link.end.ns, link.end, because=because)
                yield _tunnelled(walk, link, out, told, remote)
                continue
            if target is None:
                yield walk.segment.unknown(link, frame, steps, PORT_UNKNOWN(port=word))
                continue
            text = f"{bridge} sends it to port {target.ifname}"
            told = steps + walk.step("ovs", text, link.end.ns, link.end, because=because)
            internal = _seat(walk, target).get("type") == "internal"
            if internal:  # internal_dev_recv: what another namespace knew of it, a connection, stays there
                out = replace(out, packet=replace(out.packet, conn=None, prerouted=False, looped=False))
            yield from (walk.segment.arrive if internal else walk.segment.send)(target, out, told)
        elif word == "pop_vlan":
            vlans = vlans[:-1]
        elif (tunnel := TUNNEL.match(word)) is not None:
            remote = Flow(tunnel[1], "", UDP, 0, int(tunnel[2] or 0))
        else:
            match = SIMPLE.match(word)
            vlans = (*vlans, ("802.1Q", int(match[1]) if match is not None else 0))


def _tunnelled(walk: Walk, link: Link, frame: Frame, steps: Steps, outer: Flow) -> Landing:
    """The way of the outer packet. What takes it apart at its end is another switch, which is not followed."""
    landing = tunnels.encapsulated(walk, link, outer, frame, steps, ns=link.end.ns, overhead=OVERHEAD)
    if landing.fate != "delivered":
        return landing
    reason = OUTER_ARRIVES(netns=walk.name(landing.ns))
    return replace(landing, fate="unknown", reason=reason, outer=True)


def _port(walk: Walk, datapath: str, number: int) -> Link | None:
    """The link that has that number in the datapath."""
    for link in walk.topology.links():
        seat = _seat(walk, link)
        if seat.get("datapath_port") == number and seat.get("datapath") == datapath:
            return link
    return None


def _flow(ofport: int, frame: Frame) -> str:
    """The frame in the words of ovs-fields(7)."""
    fields = [f"in_port={ofport}", f"dl_src={frame.src or '00:00:00:00:00:00'}"]
    fields.append(f"dl_dst={frame.dst or 'ff:ff:ff:ff:ff:ff'}")
    if frame.vlans:
        fields.append(f"dl_vlan={frame.vlans[-1][1]}")
    flow = frame.packet.flow
    if frame.asks:
        operation = 1 if frame.to_all else 2
        if ":" in frame.asks:
            fields += ["ipv6", "nw_proto=58", f"icmp_type={134 + operation}", f"ipv6_src={flow.src or '::'}"]
            fields += [f"ipv6_dst={frame.asks}", f"nd_target={frame.asks}"]
        else:
            fields += [
                "arp",
                f"arp_op={operation}",
                f"arp_spa={flow.src or '0.0.0.0'}",  # noqa: S104 (the address of one that has none yet)
                f"arp_tpa={frame.asks}",
            ]
            fields.append(f"arp_sha={frame.src}")
        return ",".join(fields)
    six = flow.family == 6
    protocol = PROTOCOLS.get(flow.proto)
    fields.append(
        (f"{protocol}6" if six and protocol in ("tcp", "udp") else protocol) or ("ipv6" if six else "ip")
    )
    if protocol is None:
        fields.append(f"nw_proto={flow.proto}")
    fields += (
        [f"ipv6_src={flow.src}", f"ipv6_dst={flow.dst}"]
        if six
        else [f"nw_src={flow.src}", f"nw_dst={flow.dst}"]
    )
    if protocol in ("tcp", "udp"):
        fields += [f"tp_src={flow.sport or 40000}", f"tp_dst={flow.dport}"]
    fields.append("nw_ttl=64")
    return ",".join(fields)


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
