"""Policy routing rules: RTM_GETRULE (struct fib_rule_hdr, include/uapi/linux/fib_rules.h)."""

from __future__ import annotations

import socket
import struct

from nswire.codec.netlink.framing import NLM_F_DUMP, Malformed, attributes, messages, request, text
from nswire.model.routing import Ports, Rule

RTM_NEWRULE, RTM_GETRULE = 32, 34
ACTIONS = {1: "table", 2: "goto", 3: "nop", 6: "blackhole", 7: "unreachable", 8: "prohibit"}
FRA_DST, FRA_SRC, FRA_IIFNAME, FRA_GOTO, FRA_PRIORITY, FRA_FWMARK, FRA_TUN_ID = 1, 2, 3, 4, 6, 10, 12
FRA_SUPPRESS_PREFIXLEN, FRA_TABLE, FRA_FWMASK, FRA_OIFNAME, FRA_L3MDEV = 14, 15, 16, 17, 19
FRA_UID_RANGE, FRA_IP_PROTO, FRA_SPORT_RANGE, FRA_DPORT_RANGE = 20, 22, 23, 24
FRA_SPORT_MASK, FRA_DPORT_MASK = 28, 29  # since Linux 6.15, also of a rule for one port
# what changes nothing about which packets a rule takes: flow, suppress_ifgroup (unset), pad, protocol (who made it)
HARMLESS = (11, 13, 18, 21)
INVERT = 0x2
UNSET = 0xFFFFFFFF

_head = struct.Struct("=BBBBBxxBI")
_u16 = struct.Struct("=H")
_u32 = struct.Struct("=I")


def ask(family: int) -> bytes:
    """A request for all rules of a family."""
    return request(RTM_GETRULE, _head.pack(family, 0, 0, 0, 0, 0, 0), NLM_F_DUMP)


def decode(answer: bytes) -> tuple[Rule, ...]:
    """The rules, in the order in which they are tried. KernelError, Malformed."""
    found = []
    for kind, start, end in messages(answer):
        if kind != RTM_NEWRULE or end - start < _head.size:
            raise Malformed(f"a message of type {kind} among rules")
        family, dst, src, tos, table, action, flags = _head.unpack_from(answer, start)
        values = {name: answer[at:stop] for name, at, stop in attributes(answer, start + _head.size, end)}
        known = {
            FRA_DST, FRA_SRC, FRA_IIFNAME, FRA_GOTO, FRA_PRIORITY, FRA_FWMARK, FRA_SUPPRESS_PREFIXLEN, FRA_TABLE,
            FRA_FWMASK, FRA_OIFNAME, FRA_L3MDEV, FRA_UID_RANGE, FRA_IP_PROTO, FRA_SPORT_RANGE, FRA_DPORT_RANGE,
            FRA_SPORT_MASK, FRA_DPORT_MASK, *HARMLESS,
        }  # fmt: skip
        suppress = _number(values, FRA_SUPPRESS_PREFIXLEN, UNSET)
        found.append(
            Rule(
                family=family,
                priority=_number(values, FRA_PRIORITY),
                action=ACTIONS.get(action, str(action)),
                table=_number(values, FRA_TABLE) or table,
                target=_number(values, FRA_GOTO),
                src=_network(values.get(FRA_SRC, b""), src),
                dst=_network(values.get(FRA_DST, b""), dst),
                iif=text(values.get(FRA_IIFNAME, b"")),
                oif=text(values.get(FRA_OIFNAME, b"")),
                fwmark=_number(values, FRA_FWMARK),
                fwmask=_number(values, FRA_FWMASK),
                tos=tos,
                proto=values.get(FRA_IP_PROTO, b"\0")[0] if values.get(FRA_IP_PROTO) else 0,
                sports=_ports(values, FRA_SPORT_RANGE, FRA_SPORT_MASK),
                dports=_ports(values, FRA_DPORT_RANGE, FRA_DPORT_MASK),
                uids=_range(values.get(FRA_UID_RANGE), "=II"),
                l3mdev=any(values.get(FRA_L3MDEV, b"")),
                suppress_prefixlength=-1 if suppress == UNSET else suppress,
                invert=bool(flags & INVERT),
                unknown=tuple(sorted(values.keys() - known)),
            )
        )
    return tuple(found)


def _number(values: dict[int, bytes], name: int, otherwise: int = 0) -> int:
    value = values.get(name, b"")
    return int(_u32.unpack(value)[0]) if len(value) == _u32.size else otherwise


def _network(value: bytes, prefix: int) -> str:
    family = {4: socket.AF_INET, 16: socket.AF_INET6}.get(len(value))
    return "" if family is None else f"{socket.inet_ntop(family, value)}/{prefix}"


def _ports(values: dict[int, bytes], name: int, mask: int) -> Ports | None:
    found = _range(values.get(name), "=HH")
    masked = values.get(mask, b"")
    return None if found is None else Ports(*found, _u16.unpack(masked)[0] if len(masked) == _u16.size else 0)


def _range(value: bytes | None, layout: str) -> tuple[int, int] | None:
    if value is None or len(value) != struct.calcsize(layout):
        return None
    first, last = struct.unpack(layout, value)
    return first, last
