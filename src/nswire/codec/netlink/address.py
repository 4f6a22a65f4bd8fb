"""Addresses: RTM_GETADDR -> `Address` (struct ifaddrmsg, include/uapi/linux/if_addr.h)."""

from __future__ import annotations

import socket
import struct
from functools import lru_cache

from nswire.codec.netlink.framing import NLM_F_DUMP, attribute, attributes, request, split
from nswire.errors import MalformedReply
from nswire.model.values import DADFAILED, DEPRECATED, OPTIMISTIC, TENTATIVE, Address

RTM_NEWADDR, RTM_GETADDR = 20, 22
IFA_ADDRESS, IFA_LOCAL, IFA_TARGET_NETNSID = 1, 2, 10
AF_INET, AF_INET6 = int(socket.AF_INET), int(socket.AF_INET6)  # comparing enumeration members is slow
TOLD = TENTATIVE | DADFAILED | DEPRECATED | OPTIMISTIC
LENGTHS = {AF_INET: 4, AF_INET6: 16}

_ifaddrmsg = struct.Struct("=BBBBi")
_heads = struct.Struct("=8x4s4x4s16x")  # behind ifaddrmsg: the header of the first attribute, and of a second


def _header(length: int, kind: int) -> bytes:
    return struct.pack("=HH", 4 + length, kind)


# The kernel puts the address first: nearly all messages begin like this, and then the rest need not be looked at.
_INET = (_header(4, IFA_ADDRESS), _header(4, IFA_LOCAL))
_INET6 = _header(16, IFA_ADDRESS)  # an IFA_LOCAL would come before it


def ask(target: int | None = None) -> bytes:
    """A request for all addresses, of the asking namespace or of the one that it calls `target`."""
    body = _ifaddrmsg.pack(0, 0, 0, 0, 0)
    if target is not None:
        body += attribute(IFA_TARGET_NETNSID, struct.pack("=i", target))
    return request(RTM_GETADDR, body, NLM_F_DUMP)


def decode(answer: bytes, target: int | None = None) -> tuple[Address, ...]:
    """The addresses in an answer. With `target`, MalformedReply unless the kernel echoes it: it answered for itself then.

    IFA_LOCAL is the own address; without it (IPv6) IFA_ADDRESS is; with both, IFA_ADDRESS is the other end's.
    """
    return read(answer, target)[0]


def read(answer: bytes, target: int | None = None) -> tuple[tuple[Address, ...], bool]:
    """The same, and whether the kernel flagged it as inconsistent. NetlinkError, MalformedReply."""
    said, interrupted = split(answer)
    found = []
    for kind, start, end in said:
        if kind != RTM_NEWADDR or end - start < _ifaddrmsg.size:
            raise MalformedReply(f"a message of type {kind} among addresses")
        family, prefix, flags, scope, ifindex = _ifaddrmsg.unpack_from(answer, start)
        known = target is None and end - start >= _heads.size
        heads = _heads.unpack_from(answer, start) if known else (b"", b"")
        if heads == _INET and family == AF_INET:
            own = answer[start + 20 : start + 24]
        elif heads[0] == _INET6 and family == AF_INET6:
            own = answer[start + 12 : start + 28]
        else:
            own = _own(answer, start, end, target)
        if len(own) == LENGTHS.get(family):
            found.append(Address(ifindex, _text(own, family, prefix), family, scope, flags & TOLD))
    return tuple(found), interrupted


def _own(answer: bytes, start: int, end: int, target: int | None) -> bytes:
    local = remote = b""
    echo = None
    for name, at, stop in attributes(answer, start + _ifaddrmsg.size, end):
        if name == IFA_LOCAL:
            local = answer[at:stop]
        elif name == IFA_ADDRESS:
            remote = answer[at:stop]
        elif name == IFA_TARGET_NETNSID and stop - at == 4:
            echo = struct.unpack_from("=i", answer, at)[0]
    if echo != target:
        raise MalformedReply("the kernel does not answer for another namespace")
    return local or remote


@lru_cache(maxsize=1024)
def _text(own: bytes, family: int, prefix: int) -> str:
    return f"{socket.inet_ntop(family, own)}/{prefix}"
