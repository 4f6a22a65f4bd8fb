"""Routes: RTM_GETROUTE -> the default routes (struct rtmsg). The rest of the table is not needed yet, so not kept."""

from __future__ import annotations

import socket
import struct

from nswire.codec.netlink.framing import NLM_F_DUMP, Malformed, attributes, messages, request
from nswire.model.values import Gateway

RTM_NEWROUTE, RTM_GETROUTE = 24, 26
RTA_OIF, RTA_GATEWAY = 4, 5
RTN_UNICAST = 1
LENGTHS = {socket.AF_INET: 4, socket.AF_INET6: 16}

_rtmsg = struct.Struct("=BBBBBBBBI")
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
        if prefix or use != RTN_UNICAST or family not in LENGTHS:
            continue
        gateway, oif = b"", 0
        for name, at, stop in attributes(answer, start + _rtmsg.size, end):
            if name == RTA_GATEWAY:
                gateway = answer[at:stop]
            elif name == RTA_OIF and stop - at == _u32.size:
                oif = _u32.unpack_from(answer, at)[0]
        if len(gateway) == LENGTHS[family] and oif:
            found.append(Gateway(oif, socket.inet_ntop(family, gateway)))
    return tuple(found)
