"""Namespace ids: RTM_GETNSID. An id counts only in the namespace of the socket that asked (kernel: net_namespace.c)."""

from __future__ import annotations

import struct

from nswire.codec.netlink.framing import NLM_F_DUMP, attribute, attributes, messages, request
from nswire.errors import MalformedReply

RTM_NEWNSID, RTM_GETNSID = 88, 90
NETNSA_NSID, NETNSA_FD, NETNSA_TARGET_NSID = 1, 3, 4
NOT_ASSIGNED = -1

_rtgenmsg = b"\0\0\0\0"
_reply = struct.Struct("=IH14xxxHi")  # nlmsghdr, rtgenmsg, one attribute of four bytes
_s32 = struct.Struct("=i")  # NETNSA_NSID is signed: read as u32, "not assigned" would be 4294967295


def ask_all() -> bytes:
    """A request for all ids of the asking namespace."""
    return request(RTM_GETNSID, _rtgenmsg, NLM_F_DUMP)


def ask_for_fd() -> bytes:
    """A request for the id of a namespace given by descriptor; the descriptor is the last four bytes."""
    return request(RTM_GETNSID, _rtgenmsg + attribute(NETNSA_FD, _s32.pack(-1)))


def ask_within(target: int, nsid: int) -> bytes:
    """A request: what does the namespace with id `target` call the one that we call `nsid`? (Linux 4.20)."""
    body = attribute(NETNSA_NSID, _s32.pack(nsid)) + attribute(NETNSA_TARGET_NSID, _s32.pack(target))
    return request(RTM_GETNSID, _rtgenmsg + body)


def decode_one(answer: bytes) -> int:
    """The id in the answer to a question for one: -1 for "not assigned". NetlinkError, MalformedReply."""
    if len(answer) == _reply.size:  # nearly always: asked of every namespace of the host
        _, kind, attribute_, number = _reply.unpack(answer)
        if kind == RTM_NEWNSID and attribute_ == NETNSA_NSID:
            return int(number)
    found = decode(answer)
    if not found:
        raise MalformedReply("an answer without a namespace id")
    return found[0]


def decode(answer: bytes) -> tuple[int, ...]:
    """The ids in an answer, -1 for "not assigned". NetlinkError, MalformedReply."""
    found = []
    for kind, start, end in messages(answer):
        if kind != RTM_NEWNSID:
            raise MalformedReply(f"a message of type {kind} among namespace ids")
        for name, at, stop in attributes(answer, start + 4, end):
            if name == NETNSA_NSID and stop - at == _s32.size:
                found.append(_s32.unpack_from(answer, at)[0])
    return tuple(found)
