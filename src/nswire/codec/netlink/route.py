"""Routes: RTM_GETROUTE -> the default routes (struct rtmsg). The rest of the table is not needed yet, so not kept."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

from nswire.codec.netlink.framing import NLM_F_DUMP, Malformed, attributes, messages, request
from nswire.model.values import Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

RTM_NEWROUTE, RTM_GETROUTE = 24, 26
RTA_OIF, RTA_GATEWAY, RTA_MULTIPATH, RTA_VIA = 4, 5, 9, 18
RTN_UNICAST = 1
FAMILIES = (socket.AF_INET, socket.AF_INET6)

_rtmsg = struct.Struct("=BBBBBBBBI")
_rtnexthop = struct.Struct("=HxxI")
_u32 = struct.Struct("=I")


def ask() -> bytes:
    """A request for all routes of all families."""
    return request(RTM_GETROUTE, _rtmsg.pack(0, 0, 0, 0, 0, 0, 0, 0, 0), NLM_F_DUMP)


def gateways(answer: bytes) -> tuple[Gateway, ...]:
    """The gateways of the default routes in an answer, in the kernel's order."""
    found = []
    for kind, start, end in messages(answer):
        if kind != RTM_NEWROUTE or end - start < _rtmsg.size:
            raise Malformed(f"a message of type {kind} among routes")
        family, prefix, _, _, _, _, _, use, _ = _rtmsg.unpack_from(answer, start)
        if prefix or use != RTN_UNICAST or family not in FAMILIES:
            continue
        oif, hops = 0, []
        for name, at, stop in attributes(answer, start + _rtmsg.size, end):
            if name in (RTA_GATEWAY, RTA_VIA):
                hops.append((0, _address(name, answer[at:stop])))
            elif name == RTA_MULTIPATH:
                hops += _nexthops(answer, at, stop)
            elif name == RTA_OIF and stop - at == _u32.size:
                oif = _u32.unpack_from(answer, at)[0]
        found += [Gateway(index or oif, address) for index, address in hops if address and (index or oif)]
    return tuple(found)


def _address(name: int, value: bytes) -> str:
    """The address in RTA_GATEWAY, or in RTA_VIA (struct rtvia: of another family than the route); empty: in neither."""
    if name == RTA_VIA:
        value = value[2:]
    family = {4: socket.AF_INET, 16: socket.AF_INET6}.get(len(value))
    return "" if family is None else socket.inet_ntop(family, value)


def _nexthops(answer: bytes, start: int, end: int) -> Iterator[tuple[int, str]]:
    """The (ifindex, address) of each struct rtnexthop of a route with several."""
    while start + _rtnexthop.size <= end:
        length, ifindex = _rtnexthop.unpack_from(answer, start)
        if length < _rtnexthop.size or start + length > end:
            raise Malformed("a next hop that does not fit its route")
        for name, at, stop in attributes(answer, start + _rtnexthop.size, start + length):
            if name in (RTA_GATEWAY, RTA_VIA):
                yield ifindex, _address(name, answer[at:stop])
        start += (length + 3) & ~3
