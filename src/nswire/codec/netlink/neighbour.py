"""Neighbours and forwarding tables: RTM_GETNEIGH (struct ndmsg, include/uapi/linux/neighbour.h)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from nswire.codec.netlink.framing import NLM_F_DUMP, ip, messages, request, u16, u32, values
from nswire.errors import MalformedReply
from nswire.model.routing import PERMANENT, FdbEntry, Neighbour

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RTM_NEWNEIGH, RTM_GETNEIGH = 28, 30
AF_BRIDGE = 7
NDA_DST, NDA_LLADDR, NDA_VLAN, NDA_PORT, NDA_VNI, NDA_IFINDEX, NDA_MASTER = 1, 2, 5, 6, 7, 8, 9
NDA_NH_ID, NDA_FLAGS_EXT = 13, 15
NTF_SELF, NTF_PROXY, NTF_STICKY = 0x02, 0x08, 0x40
NTF_EXT_LOCKED = 0x2  # Linux 6.2

_ndmsg = struct.Struct("=BxxxiHBB")


def ask(*, proxies: bool = False) -> bytes:
    """A request for the neighbours of all links, IPv4 and IPv6; or for the addresses that this namespace answers for."""
    return request(RTM_GETNEIGH, _ndmsg.pack(0, 0, 0, NTF_PROXY if proxies else 0, 0), NLM_F_DUMP)


def ask_fdb() -> bytes:
    """A request for the forwarding tables of all bridges and vxlans."""
    return request(RTM_GETNEIGH, _ndmsg.pack(AF_BRIDGE, 0, 0, 0, 0), NLM_F_DUMP)


def decode(answer: bytes) -> tuple[Neighbour, ...]:
    """The neighbours in an answer. NetlinkError, MalformedReply."""
    found = []
    for (family, ifindex, state, flags, _), said in _messages(answer):
        address = ip(said.get(NDA_DST, b""))
        if family != AF_BRIDGE and address:
            lladdr = said.get(NDA_LLADDR, b"").hex(":")
            found.append(Neighbour(ifindex, address, lladdr, state, bool(flags & NTF_PROXY)))
    return tuple(found)


def fdb(answer: bytes, lladdrs: Iterable[str]) -> tuple[FdbEntry, ...]:
    """The entries of forwarding tables for these MACs in an answer. NetlinkError, MalformedReply."""
    wanted = [bytes.fromhex(one.replace(":", "")) for one in lladdrs]
    found = []
    for (family, ifindex, state, flags, _), said in _messages(answer, wanted):
        lladdr = said.get(NDA_LLADDR, b"").hex(":")
        if family == AF_BRIDGE and said.get(NDA_LLADDR) in wanted:
            master = u32(said.get(NDA_MASTER)) or 0
            found.append(
                FdbEntry(
                    ifindex,
                    lladdr,
                    0 if flags & NTF_SELF else master,
                    u16(said.get(NDA_VLAN)) or 0,
                    bool(state & PERMANENT) and not said.get(NDA_DST),
                    ip(said.get(NDA_DST, b"")),
                    u32(said.get(NDA_VNI)) or 0,
                    int.from_bytes(said.get(NDA_PORT, b"")),
                    u32(said.get(NDA_IFINDEX)) or 0,
                    bool(flags & NTF_STICKY),
                    bool((u32(said.get(NDA_FLAGS_EXT)) or 0) & NTF_EXT_LOCKED),
                    u32(said.get(NDA_NH_ID)) or 0,
                )
            )
    return tuple(found)


def _messages(
    answer: bytes, having: Iterable[bytes] = ()
) -> Iterator[tuple[tuple[int, ...], dict[int, bytes]]]:
    """Each message, with its attributes; `having`: only those that have one of these bytes somewhere."""
    for kind, start, end in messages(answer):
        if having and all(answer.find(one, start, end) < 0 for one in having):
            continue
        if kind != RTM_NEWNEIGH or end - start < _ndmsg.size:
            raise MalformedReply(f"a message of type {kind} among neighbours")
        yield _ndmsg.unpack_from(answer, start), values(answer, start + _ndmsg.size, end)
