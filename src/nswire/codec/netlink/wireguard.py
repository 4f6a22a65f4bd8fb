"""WireGuard: the port that a link listens on (include/uapi/linux/wireguard.h). Keys never get here: see host/genetlink.py."""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

from nswire.codec.netlink import generic
from nswire.codec.netlink.framing import attribute, u16, u32

FAMILY = "wireguard"
WG_CMD_GET_DEVICE, VERSION = 0, 1
IFINDEX, LISTEN_PORT, FWMARK, PEERS = 1, 6, 7, 8
PEER_ENDPOINT = 4


class Device(NamedTuple):
    """What a WireGuard link says: `port` is 0 while it is down and none was chosen. `endpoints` are its peers'."""

    port: int
    fwmark: int
    peers: int
    endpoints: tuple[str, ...]


def ask(ifindex: int) -> bytes:
    """A request for one link."""
    return generic.request(WG_CMD_GET_DEVICE, VERSION, attribute(IFINDEX, struct.pack("=I", ifindex)))


def decode(answer: bytes) -> Device:
    """What the link says; one with many peers says it in several messages. NetlinkError, MalformedReply."""
    port = fwmark = peers = 0
    endpoints: dict[str, None] = {}
    for _, values in generic.answers(answer):
        port = u16(values.get(LISTEN_PORT)) or port
        fwmark = u32(values.get(FWMARK)) or fwmark
        for _, peer in generic.nested(values.get(PEERS, b"")):
            peers += 1
            endpoint = _endpoint(dict(generic.nested(peer)).get(PEER_ENDPOINT, b""))
            if endpoint:
                endpoints[endpoint] = None
    return Device(port, fwmark, peers, tuple(endpoints))


def _endpoint(value: bytes) -> str:
    """A sockaddr_in or sockaddr_in6 as ADDRESS:PORT; empty: none."""
    if len(value) < 8:
        return ""
    (family,) = struct.unpack_from("=H", value)
    (port,) = struct.unpack_from(">H", value, 2)
    if family == socket.AF_INET:
        return f"{socket.inet_ntop(family, value[4:8])}:{port}"
    if family == socket.AF_INET6 and len(value) >= 24:
        return f"[{socket.inet_ntop(family, value[8:24])}]:{port}"
    return ""
