"""Sockets: SOCK_DIAG_BY_FAMILY -> `Listener` (include/uapi/linux/inet_diag.h, net/ipv4/inet_diag.c).

It tells what /proc/net/tcp does not: the link that a socket is bound to, and whether one of IPv6 takes no IPv4.
"""

from __future__ import annotations

import socket
import struct

from nswire.codec.netlink.framing import NLM_F_DUMP, ip, messages, request, values
from nswire.errors import MalformedReply
from nswire.model.sockets import Listener

SOCK_DIAG_BY_FAMILY = 20
FAMILIES = {int(socket.AF_INET): 4, int(socket.AF_INET6): 6}
PROTOCOLS = {"tcp": int(socket.IPPROTO_TCP), "udp": int(socket.IPPROTO_UDP)}
WAITING = {"tcp": 1 << 10, "udp": 1 << 7}  # TCP_LISTEN; TCP_CLOSE, which is UDP with no other side
INET_DIAG_SKV6ONLY = 11

_request = struct.Struct("=BBBxI48x")
_message = struct.Struct("=BBBB2s2s16s16sI8xIIIII")  # struct inet_diag_msg


def ask(protocol: str, family: int) -> bytes:
    """A request for the sockets of that protocol (`tcp`, `udp`) and family (4 or 6) that wait for somebody."""
    number = int(socket.AF_INET6 if family == 6 else socket.AF_INET)
    body = _request.pack(number, PROTOCOLS[protocol], 0, WAITING[protocol])
    return request(SOCK_DIAG_BY_FAMILY, body, NLM_F_DUMP)


def decode(answer: bytes, protocol: str) -> tuple[Listener, ...]:
    """The sockets in an answer. NetlinkError, MalformedReply."""
    found = []
    for kind, start, end in messages(answer):
        if kind != SOCK_DIAG_BY_FAMILY or end - start < _message.size:
            raise MalformedReply(f"a message of type {kind} among sockets")
        fields = _message.unpack_from(answer, start)
        family = FAMILIES.get(fields[0])
        if family is None:
            raise MalformedReply(f"a socket of family {fields[0]}")
        said = values(answer, start + _message.size, end).get(INET_DIAG_SKV6ONLY)
        found.append(
            Listener(
                protocol,
                family,
                ip(fields[6] if family == 6 else fields[6][:4]),
                int.from_bytes(fields[4], "big"),
                fields[8],
                bool(said[0]) if said and family == 6 else None,
                fields[13],
            )
        )
    return tuple(found)
