"""Policy routing rules: RTM_GETRULE (struct fib_rule_hdr, include/uapi/linux/fib_rules.h)."""

from __future__ import annotations

import struct

from nswire.codec.netlink.framing import NLM_F_DUMP, ip, messages, request, text, u16, u32, values
from nswire.errors import MalformedReply
from nswire.model.routing import Masked, Ports, Rule

RTM_NEWRULE, RTM_GETRULE = 32, 34
ACTIONS = {1: "table", 2: "goto", 3: "nop", 6: "blackhole", 7: "unreachable", 8: "prohibit"}
FRA_DST, FRA_SRC, FRA_IIFNAME, FRA_GOTO, FRA_PRIORITY, FRA_FWMARK = 1, 2, 3, 4, 6, 10
FRA_SUPPRESS_PREFIXLEN, FRA_TABLE, FRA_FWMASK, FRA_OIFNAME, FRA_L3MDEV = 14, 15, 16, 17, 19
FRA_UID_RANGE, FRA_IP_PROTO, FRA_SPORT_RANGE, FRA_DPORT_RANGE = 20, 22, 23, 24
FRA_DSCP, FRA_FLOWLABEL, FRA_FLOWLABEL_MASK = 25, 26, 27  # since Linux 6.13
FRA_SPORT_MASK, FRA_DPORT_MASK, FRA_DSCP_MASK = 28, 29, 30  # since Linux 6.15, also of a rule for one port
DSCP, FLOWLABEL = 0x3F, 0xFFFFF  # all bits of these
FRA_SUPPRESS_IFGROUP = 13
# what changes nothing about which packets a rule takes: flow, pad, protocol (who made it)
HARMLESS = (11, 18, 21)
KNOWN = {
    FRA_DST, FRA_SRC, FRA_IIFNAME, FRA_GOTO, FRA_PRIORITY, FRA_FWMARK, FRA_SUPPRESS_PREFIXLEN, FRA_SUPPRESS_IFGROUP, FRA_TABLE, FRA_FWMASK,
    FRA_OIFNAME, FRA_L3MDEV, FRA_UID_RANGE, FRA_IP_PROTO, FRA_SPORT_RANGE, FRA_DPORT_RANGE, FRA_SPORT_MASK,
    FRA_DPORT_MASK, FRA_DSCP, FRA_DSCP_MASK, FRA_FLOWLABEL, FRA_FLOWLABEL_MASK, *HARMLESS,
}  # fmt: skip
FRA_FLOW = 11
INVERT = 0x2
UNSET = 0xFFFFFFFF

_head = struct.Struct("=BBBBBxxBI")


def ask(family: int) -> bytes:
    """A request for all rules of a family."""
    return request(RTM_GETRULE, _head.pack(family, 0, 0, 0, 0, 0, 0), NLM_F_DUMP)


def realms(answer: bytes) -> tuple[bool, ...]:
    """Whether each rule has a realm. MalformedReply."""
    return tuple(FRA_FLOW in values(answer, start + _head.size, end) for _, start, end in messages(answer))


def decode(answer: bytes) -> tuple[Rule, ...]:
    """The rules, in the order in which they are tried. NetlinkError, MalformedReply."""
    found = []
    for kind, start, end in messages(answer):
        if kind != RTM_NEWRULE or end - start < _head.size:
            raise MalformedReply(f"a message of type {kind} among rules")
        family, dst, src, tos, table, action, flags = _head.unpack_from(answer, start)
        said = values(answer, start + _head.size, end)
        suppress, group = (u32(said.get(one)) for one in (FRA_SUPPRESS_PREFIXLEN, FRA_SUPPRESS_IFGROUP))
        found.append(
            Rule(
                family=family,
                priority=u32(said.get(FRA_PRIORITY)) or 0,
                action=ACTIONS.get(action, str(action)),
                table=u32(said.get(FRA_TABLE)) or table,
                target=u32(said.get(FRA_GOTO)) or 0,
                src=_network(said.get(FRA_SRC, b""), src),
                dst=_network(said.get(FRA_DST, b""), dst),
                iif=text(said.get(FRA_IIFNAME, b"")),
                oif=text(said.get(FRA_OIFNAME, b"")),
                fwmark=u32(said.get(FRA_FWMARK)) or 0,
                fwmask=u32(said.get(FRA_FWMASK)) or 0,
                tos=tos,
                proto=said.get(FRA_IP_PROTO, b"\0")[0] if said.get(FRA_IP_PROTO) else 0,
                sports=_ports(said, FRA_SPORT_RANGE, FRA_SPORT_MASK),
                dports=_ports(said, FRA_DPORT_RANGE, FRA_DPORT_MASK),
                uids=_range(said.get(FRA_UID_RANGE), "=II"),
                l3mdev=any(said.get(FRA_L3MDEV, b"")),
                suppress_prefixlength=-1 if suppress in (None, UNSET) else suppress,
                suppress_ifgroup=-1 if group in (None, UNSET) else group,
                invert=bool(flags & INVERT),
                dscp=_masked(said, FRA_DSCP, FRA_DSCP_MASK, DSCP),
                flowlabel=_masked(said, FRA_FLOWLABEL, FRA_FLOWLABEL_MASK, FLOWLABEL),
                unknown=tuple(sorted(said.keys() - KNOWN)),
            )
        )
    return tuple(found)


def _network(value: bytes, prefix: int) -> str:
    return f"{ip(value)}/{prefix}" if ip(value) else ""


def _ports(said: dict[int, bytes], name: int, mask: int) -> Ports | None:
    found = _range(said.get(name), "=HH")
    return None if found is None else Ports(*found, u16(said.get(mask)) or 0)


def _masked(said: dict[int, bytes], name: int, mask: int, whole: int) -> Masked | None:
    """A byte or a number in network order, and its mask; a kernel that knows none means all of it."""
    if name not in said:
        return None
    return Masked(int.from_bytes(said[name]), int.from_bytes(said[mask]) if said.get(mask) else whole)


def _range(value: bytes | None, layout: str) -> tuple[int, int] | None:
    if value is None or len(value) != struct.calcsize(layout):
        return None
    first, last = struct.unpack(layout, value)
    return first, last
