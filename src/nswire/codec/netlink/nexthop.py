"""Next hop objects: RTM_GETNEXTHOP (struct nhmsg, include/uapi/linux/nexthop.h; Linux 5.3)."""

from __future__ import annotations

import socket
import struct

from nswire.codec.netlink.framing import NLM_F_DUMP, Malformed, attributes, messages, request
from nswire.model.routing import NextHop, NextHopObject

RTM_NEWNEXTHOP, RTM_GETNEXTHOP = 104, 106
NHA_ID, NHA_GROUP, NHA_BLACKHOLE, NHA_OIF, NHA_GATEWAY, NHA_ENCAP_TYPE = 1, 2, 4, 5, 6, 7

_nhmsg = struct.Struct("=BBBxI")
_member = struct.Struct("=IBxH")  # struct nexthop_grp: id, weight - 1
_u32 = struct.Struct("=I")


def ask() -> bytes:
    """A request for all next hop objects."""
    return request(RTM_GETNEXTHOP, _nhmsg.pack(0, 0, 0, 0), NLM_F_DUMP)


def decode(answer: bytes) -> tuple[NextHopObject, ...]:
    """The objects in an answer. KernelError, Malformed."""
    found = []
    for kind, start, end in messages(answer):
        if kind != RTM_NEWNEXTHOP or end - start < _nhmsg.size:
            raise Malformed(f"a message of type {kind} among next hops")
        flags = _nhmsg.unpack_from(answer, start)[3]
        values = {name: answer[at:stop] for name, at, stop in attributes(answer, start + _nhmsg.size, end)}
        group = values.get(NHA_GROUP, b"")
        members = (
            _member.unpack_from(group, at) for at in range(0, len(group) - _member.size + 1, _member.size)
        )
        oif = _number(values.get(NHA_OIF))
        hop = NextHop(oif, _address(values.get(NHA_GATEWAY, b"")), flags=flags & 0xFF) if oif else None
        found.append(
            NextHopObject(
                _number(values.get(NHA_ID)),
                hop,
                tuple((number, weight + 1) for number, weight, _ in members),
                NHA_BLACKHOLE in values,
            )
        )
    return tuple(found)


def _number(value: bytes | None) -> int:
    return int(_u32.unpack(value)[0]) if value is not None and len(value) == _u32.size else 0


def _address(value: bytes) -> str:
    family = {4: socket.AF_INET, 16: socket.AF_INET6}.get(len(value))
    return "" if family is None else socket.inet_ntop(family, value)
