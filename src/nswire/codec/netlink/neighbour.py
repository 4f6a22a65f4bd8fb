"""Neighbours and forwarding tables: RTM_GETNEIGH (struct ndmsg, include/uapi/linux/neighbour.h)."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

from nswire.codec.netlink.framing import NLM_F_DUMP, Malformed, attributes, messages, request
from nswire.model.routing import FdbEntry, Neighbour

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RTM_NEWNEIGH, RTM_GETNEIGH = 28, 30
AF_BRIDGE = 7
NDA_DST, NDA_LLADDR, NDA_VLAN, NDA_PORT, NDA_VNI, NDA_IFINDEX, NDA_MASTER = 1, 2, 5, 6, 7, 8, 9
NTF_SELF, NTF_PROXY, NTF_STICKY = 0x02, 0x08, 0x40
NUD_PERMANENT = 0x80

_ndmsg = struct.Struct("=BxxxiHBB")
_u32, _u16, _be16 = struct.Struct("=I"), struct.Struct("=H"), struct.Struct(">H")


def ask(*, proxies: bool = False) -> bytes:
    """A request for the neighbours of all links, IPv4 and IPv6; or for the addresses that this namespace answers for."""
    return request(RTM_GETNEIGH, _ndmsg.pack(0, 0, 0, NTF_PROXY if proxies else 0, 0), NLM_F_DUMP)


def ask_fdb() -> bytes:
    """A request for the forwarding tables of all bridges and vxlans."""
    return request(RTM_GETNEIGH, _ndmsg.pack(AF_BRIDGE, 0, 0, 0, 0), NLM_F_DUMP)


def decode(answer: bytes) -> tuple[Neighbour, ...]:
    """The neighbours in an answer. KernelError, Malformed."""
    found = []
    for (family, ifindex, state, flags, _), values in _messages(answer):
        address = _address(values.get(NDA_DST, b""))
        if family != AF_BRIDGE and address:
            lladdr = values.get(NDA_LLADDR, b"").hex(":")
            found.append(Neighbour(ifindex, address, lladdr, state, bool(flags & NTF_PROXY)))
    return tuple(found)


def fdb(answer: bytes, lladdrs: Iterable[str]) -> tuple[FdbEntry, ...]:
    """The entries of forwarding tables for these MACs in an answer. KernelError, Malformed."""
    wanted = [bytes.fromhex(one.replace(":", "")) for one in lladdrs]
    found = []
    for (family, ifindex, state, flags, _), values in _messages(answer, wanted):
        lladdr = values.get(NDA_LLADDR, b"").hex(":")
        if family == AF_BRIDGE and values.get(NDA_LLADDR) in wanted:
            master = _number(values.get(NDA_MASTER))
            found.append(
                FdbEntry(
                    ifindex,
                    lladdr,
                    0 if flags & NTF_SELF else master,
                    _number(values.get(NDA_VLAN), _u16),
                    bool(state & NUD_PERMANENT) and not values.get(NDA_DST),
                    _address(values.get(NDA_DST, b"")),
                    _number(values.get(NDA_VNI)),
                    _number(values.get(NDA_PORT), _be16),
                    _number(values.get(NDA_IFINDEX)),
                    bool(flags & NTF_STICKY),
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
            raise Malformed(f"a message of type {kind} among neighbours")
        values = {name: answer[at:stop] for name, at, stop in attributes(answer, start + _ndmsg.size, end)}
        yield _ndmsg.unpack_from(answer, start), values


def _address(value: bytes) -> str:
    family = {4: socket.AF_INET, 16: socket.AF_INET6}.get(len(value))
    return "" if family is None else socket.inet_ntop(family, value)


def _number(value: bytes | None, layout: struct.Struct = _u32) -> int:
    return int(layout.unpack(value)[0]) if value is not None and len(value) == layout.size else 0
