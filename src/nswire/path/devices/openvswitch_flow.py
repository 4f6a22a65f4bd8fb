"""A frame in the words of Open vSwitch: as ovs-fields(7) asks about it, and as the datapath's actions change it (odp-util.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nswire.path.values import ICMP, ICMPV6, TCP, UDP

if TYPE_CHECKING:
    from nswire.path.values import Frame, Packet

SCTP = 132
PROTOCOLS = {ICMP: "icmp", ICMPV6: "icmp6", TCP: "tcp", UDP: "udp", SCTP: "sctp"}
WITH_PORTS = {TCP: "tcp", UDP: "udp", SCTP: "sctp"}
SOME_PORT = 40000  # of a sender that chooses one
ECHO = {ICMP: (8, 0), ICMPV6: (128, 129)}
PUSH = re.compile(r"^push_vlan\((?:tpid=(0x[0-9a-f]+),)?vid=(\d+),pcp=\d+\)$")
PUSHED = {"": "802.1Q", "0x8100": "802.1Q", "0x88a8": "802.1ad"}
SET = re.compile(r"^set\((eth|ipv4|ipv6|tcp|udp|sctp|skb_mark|skb_priority)\(([^()]*)\)\)$")
# of each header: what is followed. A mask beside a value is, of the traffic class alone.
FIELDS = {
    "eth": {"src", "dst"},
    "ipv4": {"src", "dst", "ttl", "tos"},
    "ipv6": {"src", "dst", "hlimit", "tclass"},
    **{name: {"src", "dst"} for name in WITH_PORTS.values()},
}
CLASSES = ("tos", "tclass")
NUMBERS = ("skb_mark", "skb_priority")


def flow(ofport: int, frame: Frame) -> str:
    """What `ofproto/trace` is asked. Ports have the names of their protocol there: it takes tp_src for TCP's alone."""
    fields = [f"in_port={ofport}", f"dl_src={frame.src or '00:00:00:00:00:00'}"]
    fields.append(f"dl_dst={frame.dst or 'ff:ff:ff:ff:ff:ff'}")
    if frame.packet.mark:
        fields.append(f"pkt_mark={frame.packet.mark:#x}")
    if frame.vlans:
        fields.append(f"dl_vlan={frame.vlans[-1][1]}")
    return ",".join([*fields, *(_question(frame) if frame.asks else _inside(frame.packet))])


def _question(frame: Frame) -> list[str]:
    """Who has an address, or the answer to that."""
    operation, about = 1 if frame.to_all else 2, frame.packet.flow
    if ":" in frame.asks:
        fields = ["icmp6", f"icmpv6_type={134 + operation}", f"ipv6_src={about.src or '::'}"]
        return [*fields, f"ipv6_dst={about.dst}", f"nd_target={frame.asks}", "nw_ttl=255"]
    source = about.src if operation == 1 else frame.asks
    target = frame.asks if operation == 1 else frame.tells
    fields = ["arp", f"arp_op={operation}", f"arp_spa={source or '0.0.0.0'}"]  # noqa: S104 (of one that has none yet)
    return [*fields, f"arp_tpa={target}", f"arp_sha={frame.src}"]


def _inside(packet: Packet) -> list[str]:
    about = packet.flow
    six = about.family == 6
    protocol = PROTOCOLS.get(about.proto)
    ports = WITH_PORTS.get(about.proto)
    named = f"{protocol}6" if six and ports else protocol
    fields = [named or ("ipv6" if six else "ip"), *(() if protocol else (f"nw_proto={about.proto}",))]
    side = "ipv6" if six else "nw"
    fields += [f"{side}_src={about.src}", f"{side}_dst={about.dst}"]
    if ports:
        fields += [f"{ports}_src={about.sport or SOME_PORT}", f"{ports}_dst={about.dport}"]
    if about.proto in ECHO:
        kind = packet.icmp or ECHO[about.proto][packet.answer]
        fields.append(f"icmp{'v6' if six else ''}_type={kind}")
    return [*fields, f"nw_ttl={packet.hops}"]


def understood(word: str) -> bool:
    """Whether `changed` knows that action."""
    if word == "pop_vlan":
        return True
    push, found = PUSH.match(word), SET.match(word)
    if found is None:
        return push is not None and (push[1] or "") in PUSHED
    if found[1] in NUMBERS:
        return "/" not in found[2]
    values = _values(found[2])
    return values.keys() <= FIELDS[found[1]] and all(
        "/" not in value or name in CLASSES for name, value in values.items()
    )


def changed(frame: Frame, word: str) -> Frame:
    """The frame after an action that is `understood`."""
    if word == "pop_vlan":
        return replace(frame, vlans=frame.vlans[:-1])
    push, found = PUSH.match(word), SET.match(word)
    if push is not None:
        return replace(frame, vlans=(*frame.vlans, (PUSHED[push[1] or ""], int(push[2]))))
    if found is None:
        return frame
    header, packet = found[1], frame.packet
    if header in NUMBERS:
        number = int(found[2], 0)
        changes = {"mark": number} if header == "skb_mark" else {"priority": number}
        return replace(frame, packet=replace(packet, **changes))
    values = _values(found[2])
    if header == "eth":
        return replace(frame, src=values.get("src", frame.src), dst=values.get("dst", frame.dst))
    about = packet.flow
    if header in WITH_PORTS.values():
        sport, dport = (
            int(values.get(name, port)) for name, port in (("src", about.sport), ("dst", about.dport))
        )
        return replace(frame, packet=replace(packet, flow=replace(about, sport=sport, dport=dport)))
    about = replace(about, src=values.get("src", about.src), dst=values.get("dst", about.dst))
    left = values.get("ttl", values.get("hlimit"))
    hops = packet.hops if left is None else int(left, 0)
    tos = _masked(packet.tos, values.get("tos", values.get("tclass", "")))
    return replace(frame, packet=replace(packet, flow=about, hops=hops, tos=tos))


def _values(text: str) -> dict[str, str]:
    return dict(part.partition("=")[::2] for part in text.split(",")) if text else {}


def _masked(before: int | None, text: str) -> int | None:
    value, _, mask = text.partition("/")
    if not text:
        return before
    bits = int(mask, 0) if mask else 0xFF
    if before is None and bits != 0xFF:
        return None
    return (before or 0) & ~bits | int(value, 0) & bits
