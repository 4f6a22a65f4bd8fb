"""Routes: RTM_GETROUTE -> tables and lookups (struct rtmsg, include/uapi/linux/rtnetlink.h)."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

from nswire.codec.netlink.framing import NLM_F_DUMP, attribute, ip, messages, request, u32, values
from nswire.errors import MalformedReply
from nswire.model.routing import ROUTE_TYPES, NextHop, Route
from nswire.model.values import Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

RTM_NEWROUTE, RTM_GETROUTE = 24, 26
RTA_DST, RTA_SRC, RTA_IIF, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_PREFSRC, RTA_METRICS = (
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
)
RTA_MULTIPATH, RTA_TABLE, RTA_MARK, RTA_VIA, RTA_ENCAP_TYPE = 9, 15, 16, 18, 21
RTA_IP_PROTO, RTA_SPORT, RTA_DPORT, RTA_NH_ID = 27, 28, 29, 30
RTAX_MTU, RTAX_ADVMSS, RTAX_HOPLIMIT = 2, 8, 10
RTA_FLOW = 11
RTN_UNICAST = 1
RTM_F_LOOKUP_TABLE, RTM_F_FIB_MATCH = 0x1000, 0x2000
FAMILIES = (socket.AF_INET, socket.AF_INET6)
ENCAPS = {
    1: "mpls",
    2: "ip",
    3: "ila",
    4: "ip6",
    5: "seg6",
    6: "bpf",
    7: "seg6local",
    8: "rpl",
    9: "ioam6",
    10: "xfrm",
}

_rtmsg = struct.Struct("=BBBBBBBBI")
_rtnexthop = struct.Struct("=HBBI")
RTA_UID = 25
_u32 = struct.Struct("=I")
ANY = {4: "0.0.0.0", 16: "::"}  # noqa: S104 (a network, not something to listen on)


def ask() -> bytes:
    """A request for all routes of all families."""
    return request(RTM_GETROUTE, _rtmsg.pack(0, 0, 0, 0, 0, 0, 0, 0, 0), NLM_F_DUMP)


TOLD_PROTOCOLS: dict[int, tuple[int, ...]] = {
    socket.AF_INET: (socket.IPPROTO_TCP, socket.IPPROTO_UDP, socket.IPPROTO_ICMP),
    socket.AF_INET6: (socket.IPPROTO_TCP, socket.IPPROTO_UDP, socket.IPPROTO_ICMPV6),
}
"""Those that a lookup may be asked for (rtm_getroute_parse_ip_proto); without one, the kernel takes it for UDP."""


def ask_lookup(
    dst: str,
    *,
    src: str = "",
    iif: int = 0,
    oif: int = 0,
    mark: int = 0,
    proto: int = 0,
    sport: int = 0,
    dport: int = 0,
    match: bool = False,
    tos: int = 0,
    uid: int | None = None,
) -> bytes:
    """A request for the kernel's own decision about a packet: from here, or (`iif`) as if it came in by that link.

    With `match` the entry of the table that decides (Linux 4.13), else what becomes of it.
    """
    family = socket.AF_INET6 if ":" in dst else socket.AF_INET
    length = 128 if family == socket.AF_INET6 else 32
    body = attribute(RTA_DST, socket.inet_pton(family, dst))
    if src:
        body += attribute(RTA_SRC, socket.inet_pton(family, src))
    for name, number in ((RTA_IIF, iif), (RTA_OIF, oif), (RTA_MARK, mark)):
        if number:
            body += attribute(name, _u32.pack(number))
    if uid is not None:
        body += attribute(RTA_UID, _u32.pack(uid))
    if proto in TOLD_PROTOCOLS[family]:
        body += attribute(RTA_IP_PROTO, bytes((proto,)))
        for name, port in ((RTA_SPORT, sport), (RTA_DPORT, dport)):
            if port:
                body += attribute(name, struct.pack(">H", port))
    flags = RTM_F_LOOKUP_TABLE | (RTM_F_FIB_MATCH if match else 0)
    head = _rtmsg.pack(family, length, length if src else 0, tos, 0, 0, 0, 0, flags)
    return request(RTM_GETROUTE, head + body)


def routes(answer: bytes) -> tuple[Route, ...]:
    """The routes in an answer, in the kernel's order; those of other families are left out. NetlinkError, MalformedReply."""
    found = []
    for kind, start, end in messages(answer):
        if kind != RTM_NEWROUTE or end - start < _rtmsg.size:
            raise MalformedReply(f"a message of type {kind} among routes")
        family, prefix, src_prefix, tos, table, protocol, scope, use, flags = _rtmsg.unpack_from(
            answer, start
        )
        if family in FAMILIES:
            said = values(answer, start + _rtmsg.size, end)
            found.append(_route(family, (prefix, src_prefix, tos, table, protocol, scope, use, flags), said))
    return tuple(found)


def _route(family: int, fixed: tuple[int, ...], said: dict[int, bytes]) -> Route:
    prefix, src_prefix, tos, table, protocol, scope, use, flags = fixed
    size = 16 if family == socket.AF_INET6 else 4
    if prefix > 8 * size or src_prefix > 8 * size or len(said.get(RTA_DST, b"")) not in (0, size):
        raise MalformedReply("a route to what is no network of its family")
    hops = tuple(_hops(said, flags & 0xFF))
    metrics = values(said.get(RTA_METRICS, b""))
    return Route(
        family=int(family),
        dst=f"{ip(said.get(RTA_DST, b'')) or ANY[size]}/{prefix}",
        table=u32(said.get(RTA_TABLE)) or table,
        type=ROUTE_TYPES.get(use, str(use)),
        scope=scope,
        protocol=protocol,
        priority=u32(said.get(RTA_PRIORITY)) or 0,
        tos=tos,
        prefsrc=ip(said.get(RTA_PREFSRC, b"")),
        hops=hops,
        nh_id=u32(said.get(RTA_NH_ID)) or 0,
        mtu=u32(metrics.get(RTAX_MTU)) or 0,
        src=f"{ip(said[RTA_SRC])}/{src_prefix}" if RTA_SRC in said and src_prefix else "",
        mark=u32(said.get(RTA_MARK)) or 0,
        hoplimit=u32(metrics.get(RTAX_HOPLIMIT)) or 0,
    )


def _hops(said: dict[int, bytes], flags: int = 0) -> Iterator[NextHop]:
    if RTA_MULTIPATH in said:
        yield from _multipath(said[RTA_MULTIPATH])
    elif RTA_OIF in said or RTA_GATEWAY in said or RTA_VIA in said:
        name = encap(said.get(RTA_ENCAP_TYPE, b""))
        yield NextHop(u32(said.get(RTA_OIF)) or 0, _gateway(said), flags=flags, encap=name)


def _multipath(value: bytes) -> Iterator[NextHop]:
    """Each struct rtnexthop of a route with several."""
    start = 0
    while start + _rtnexthop.size <= len(value):
        length, flags, weight, ifindex = _rtnexthop.unpack_from(value, start)
        if length < _rtnexthop.size or start + length > len(value):
            raise MalformedReply("a next hop that does not fit its route")
        inside = values(value, start + _rtnexthop.size, start + length)
        yield NextHop(ifindex, _gateway(inside), weight + 1, flags, encap(inside.get(RTA_ENCAP_TYPE, b"")))
        start += (length + 3) & ~3


def encap(value: bytes) -> str:
    """The light-weight tunnel of that type (LWTUNNEL_ENCAP_*); empty: none."""
    return ENCAPS.get(int.from_bytes(value, "little"), "unknown") if any(value) else ""


def _gateway(said: dict[int, bytes]) -> str:
    """RTA_GATEWAY, or RTA_VIA (struct rtvia: of another family than the route)."""
    return ip(said.get(RTA_GATEWAY, b"")) or ip(said.get(RTA_VIA, b"")[2:])


def marked(answer: bytes) -> tuple[bool, bool]:
    """Whether any route has a realm, and whether any says how large segments may be. MalformedReply."""
    realms = segments = False
    for _, start, end in messages(answer):
        said = values(answer, start + _rtmsg.size, end)
        realms |= RTA_FLOW in said or any(_realm(said.get(RTA_MULTIPATH, b"")))
        segments |= RTAX_ADVMSS in values(said.get(RTA_METRICS, b""))
    return realms, segments


def _realm(value: bytes) -> Iterator[bool]:
    """Of each next hop, whether it has one."""
    start = 0
    while start + _rtnexthop.size <= len(value):
        length, *_ = _rtnexthop.unpack_from(value, start)
        if length < _rtnexthop.size or start + length > len(value):
            raise MalformedReply("a next hop that does not fit its route")
        yield RTA_FLOW in values(value, start + _rtnexthop.size, start + length)
        start += (length + 3) & ~3


def gateways(answer: bytes) -> tuple[Gateway, ...]:
    """The gateways of the default routes in an answer, in the kernel's order; the rest is not decoded. See `routes`."""
    found = []
    for kind, start, end in messages(answer):
        if kind != RTM_NEWROUTE or end - start < _rtmsg.size:
            raise MalformedReply(f"a message of type {kind} among routes")
        family, prefix, _, _, _, _, _, use, _ = _rtmsg.unpack_from(answer, start)
        if prefix or use != RTN_UNICAST or family not in FAMILIES:
            continue
        hops = _hops(values(answer, start + _rtmsg.size, end))
        found += [Gateway(hop.ifindex, hop.gateway) for hop in hops if hop.gateway and hop.ifindex]
    return tuple(found)
