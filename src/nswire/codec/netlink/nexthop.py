"""Next hop objects: RTM_GETNEXTHOP (struct nhmsg, include/uapi/linux/nexthop.h; Linux 5.3)."""

from __future__ import annotations

import struct

from nswire.codec.netlink.framing import NLM_F_DUMP, ip, messages, request, u32, values
from nswire.codec.netlink.route import encap
from nswire.errors import MalformedReply
from nswire.model.routing import NextHop, NextHopObject

RTM_NEWNEXTHOP, RTM_GETNEXTHOP = 104, 106
NHA_ID, NHA_GROUP, NHA_BLACKHOLE, NHA_OIF, NHA_GATEWAY, NHA_ENCAP_TYPE = 1, 2, 4, 5, 6, 7
NHA_FDB = 11  # it stands for the other end of a vxlan, and has no link (Linux 5.8)

_nhmsg = struct.Struct("=BBBxI")
_member = struct.Struct("=IBBH")  # struct nexthop_grp: id, weight - 1, its high byte (Linux 6.12; 0 before)


def ask() -> bytes:
    """A request for all next hop objects."""
    return request(RTM_GETNEXTHOP, _nhmsg.pack(0, 0, 0, 0), NLM_F_DUMP)


def decode(answer: bytes) -> tuple[NextHopObject, ...]:
    """The objects in an answer. NetlinkError, MalformedReply."""
    found = []
    for kind, start, end in messages(answer):
        if kind != RTM_NEWNEXTHOP or end - start < _nhmsg.size:
            raise MalformedReply(f"a message of type {kind} among next hops")
        flags = _nhmsg.unpack_from(answer, start)[3]
        said = values(answer, start + _nhmsg.size, end)
        group = said.get(NHA_GROUP, b"")
        members = (
            _member.unpack_from(group, at) for at in range(0, len(group) - _member.size + 1, _member.size)
        )
        oif = u32(said.get(NHA_OIF)) or 0
        gateway, name = ip(said.get(NHA_GATEWAY, b"")), encap(said.get(NHA_ENCAP_TYPE, b""))
        hop = NextHop(oif, gateway, flags=flags & 0xFF, encap=name) if oif or NHA_FDB in said else None
        found.append(
            NextHopObject(
                u32(said.get(NHA_ID)) or 0,
                hop,
                tuple((number, (high << 8 | low) + 1) for number, low, high, _ in members),
                NHA_BLACKHOLE in said,
            )
        )
    return tuple(found)
