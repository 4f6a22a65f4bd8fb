"""What a rule may set: marks, fields of the packet, what the kernel keeps of it (nft_meta.c, nft_ct.c, nft_payload.c)."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from nswire.path.values import WITH_PORTS, Header

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.path.netfilter.hook_point import AtHook

IP = ("ip", "ip6")
LAST_TYPE = 3  # PACKET_OTHERHOST
U32 = 0xFFFFFFFF


class Break(Exception):
    """A rule goes no further."""


def _set_mark(run: AtHook, key: str, value: int | None) -> bool:
    if value is None:
        return False
    if key == "mark":
        if value != run.packet.mark:
            run.packet = replace(run.packet, mark=value)
            run.notes.append(("netfilter", f"mark is set to {value:#x}"))
        return True
    conn = run.packet.conn
    if conn is None:
        raise Break  # nft_ct_set_eval: there is none
    if conn.mark != value:
        conn.mark = value
        run.notes.append(("netfilter", f"ct mark is set to {value:#x}"))
    return True


def _set_label(run: AtHook, _: str, value: int | None) -> bool:
    """Bits are added (nf_connlabels_replace, with the value for its mask)."""
    conn = run.packet.conn
    if conn is None:
        raise Break
    conn.labels = None if value is None or conn.labels is None else conn.labels | value
    return True


def _set_zone(run: AtHook, key: str, value: int | None) -> bool:
    if value is None:
        return False
    if run.packet.conn is not None or run.packet.untracked:  # nft_ct_set_zone_eval: already tracked
        return True
    directions = {"ct original zone": 1, "ct reply zone": 2}.get(key, 3)
    run.packet = replace(run.packet, zone=(value & 0xFFFF, directions))
    run.notes.append(("netfilter", f"{key} is set to {value}"))
    return True


def _ip(run: AtHook, key: str) -> bool:
    """Whether the packet has the header that a key is about; nothing is set in one that it has not."""
    if (key.startswith("ip6 ")) != (run.packet.flow.family == 6):
        raise Break
    return True


def _set_ttl(run: AtHook, key: str, value: int | None) -> bool:
    if value is None or not _ip(run, key):
        return False
    run.packet = replace(run.packet, hops=value & 0xFF)
    run.notes.append(
        ("netfilter", f"its {'hop limit' if key == 'ip6 hoplimit' else 'TTL'} is set to {value & 0xFF}")
    )
    return True


def _set_tos(run: AtHook, key: str, value: int | None) -> bool:
    if value is None or run.packet.tos is None or not _ip(run, key):
        return False
    tos = run.packet.tos
    if key.endswith("dscp"):
        new = (value << 2 | tos & 3) & 0xFF
    elif key.endswith("ecn"):
        new = tos & ~3 | value & 3
    else:
        new = value & 0xFF
    if new != tos:
        run.packet = replace(run.packet, tos=new)
        run.notes.append(("netfilter", f"its traffic class is set to {new:#04x}"))
    return True


def _set_pkttype(run: AtHook, _: str, value: int | None) -> bool:
    """skb_pkt_type_ok: host, broadcast, multicast and other alone are set; only in the stack is it known what follows."""
    if value is None or run.place.family not in IP:
        return False
    if value <= LAST_TYPE:
        run.packet = replace(run.packet, pkttype=value)
    return True


def _set_priority(run: AtHook, _: str, value: int | None) -> bool:
    run.packet = replace(run.packet, priority=value)
    return True


def _set_offers(run: AtHook, _: str, __: int | None) -> bool:
    """An option of TCP, of which nothing is known from then on."""
    run.packet = replace(run.packet, opening=None)
    run.walk.supposed.forget()
    return True


def _set_address(run: AtHook, key: str, value: int | None) -> bool:
    """An address in the packet itself, without any connection."""
    if value is None or not _ip(run, key) or run.place.family not in IP:
        return False
    kind = ipaddress.IPv6Address if run.packet.flow.family == 6 else ipaddress.IPv4Address
    side = "src" if key.endswith("saddr") else "dst"
    return _rewritten(run, **{side: str(kind(value))})


def _set_port(run: AtHook, key: str, value: int | None) -> bool:
    protocol = WITH_PORTS.get(run.packet.flow.proto)
    name, side = key.split()
    if name not in ("th", protocol):
        raise Break
    if value is None or run.place.family not in IP:
        return False
    return _rewritten(run, **{side: value, f"{side}s": (value, value)})


def _rewritten(run: AtHook, **new: Any) -> bool:
    run.walk.supposed.forget()
    flow = replace(run.packet.flow, **new)
    if flow != run.packet.flow:
        run.notes.append(("nat", f"a rule rewrites it: {run.packet.flow.text} becomes {flow.text}"))
        run.packet = replace(run.packet, flow=flow)
    return True


def _set_mac(run: AtHook, key: str, value: int | None) -> bool:
    """In the stack nobody looks at it any more but rules."""
    if value is None or run.place.family not in IP:
        return False
    header = run.packet.header
    if header is None:
        raise Break
    mac = value.to_bytes(6).hex(":")
    run.packet = replace(
        run.packet, header=Header(mac, header.dst) if key == "ether saddr" else Header(header.src, mac)
    )
    return True


SETTERS: dict[str, Callable[[AtHook, str, int | None], bool]] = {
    **dict.fromkeys(("mark", "ct mark"), _set_mark),
    **dict.fromkeys(("ct zone", "ct original zone", "ct reply zone"), _set_zone),
    **dict.fromkeys(("ip ttl", "ip6 hoplimit"), _set_ttl),
    **dict.fromkeys(("ip dscp", "ip6 dscp", "ip ecn", "ip6 ecn", "ip tos", "ip6 tos"), _set_tos),
    "pkttype": _set_pkttype,
    "priority": _set_priority,
    "ct label": _set_label,
    "tcp option": _set_offers,
    **dict.fromkeys(("ip saddr", "ip daddr", "ip6 saddr", "ip6 daddr"), _set_address),
    **dict.fromkeys(
        tuple(f"{name} {side}" for name in ("tcp", "udp", "th") for side in ("sport", "dport")), _set_port
    ),
    **dict.fromkeys(("ether saddr", "ether daddr"), _set_mac),
}
"""What `Assign` may be about. False: what becomes of the packet then is not known."""
OPERATIONS: dict[str, Callable[[int, int], int]] = {
    "&": lambda one, two: one & two,
    "|": lambda one, two: one | two,
    "^": lambda one, two: one ^ two,
    "<<": lambda one, two: one << two if two < 32 else 0,
    ">>": lambda one, two: one >> two,
    "+": lambda one, two: min(one + two, 0xFF),  # of a TTL alone, which stays in its byte (ttl_tg)
    "-": lambda one, two: max(one - two, 0),
}
