"""Open vSwitch's kernel datapath, by generic netlink (include/uapi/linux/openvswitch.h): no daemon is needed."""

from __future__ import annotations

import os
import socket
import struct
from typing import TYPE_CHECKING, Self

from nswire.lab import attributes as nla

if TYPE_CHECKING:
    from types import TracebackType

    from nswire.lab.netns import Ns

NETLINK_GENERIC = 16
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2
NEW = 1  # OVS_DP_CMD_NEW, OVS_VPORT_CMD_NEW
DP_NAME, DP_UPCALL_PID, DP_VERSION = 1, 2, 2
VPORT_TYPE, VPORT_NAME, VPORT_UPCALL_PID, VPORT_VERSION = 2, 3, 5, 1
NETDEV, INTERNAL = 1, 2
NLM_F_REQUEST, NLM_F_ACK, NLMSG_ERROR = 1, 4, 2

_header = struct.Struct("=IHHII")


class Datapath:
    """A new datapath, with a link of its own; leaving the context closes our socket and keeps what was made. OSError if the kernel has none."""

    def __init__(self, ns: Ns, name: str) -> None:
        with ns.entered():
            self._socket = socket.socket(
                socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_GENERIC
            )
        try:
            self._vports = self._family("ovs_vport")
            words = nla.text(DP_NAME, name) + nla.u32(DP_UPCALL_PID, 0)
            self._ask(self._family("ovs_datapath"), DP_VERSION, NEW, _dp(0) + words)
            with ns.rtnl() as rtnl:
                self.ifindex = rtnl.index(name)
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def port(self, name: str) -> None:
        """Make a link a port."""
        self._port(NETDEV, name)

    def internal_port(self, name: str) -> None:
        """Make a link that is a port."""
        self._port(INTERNAL, name)

    def _port(self, kind: int, name: str) -> None:
        words = nla.u32(VPORT_TYPE, kind) + nla.text(VPORT_NAME, name) + nla.u32(VPORT_UPCALL_PID, 0)
        self._ask(self._vports, VPORT_VERSION, NEW, _dp(self.ifindex) + words)

    def _family(self, name: str) -> int:
        reply = self._ask(GENL_ID_CTRL, 1, CTRL_CMD_GETFAMILY, nla.text(CTRL_ATTR_FAMILY_NAME, name))
        position = 4
        while position < len(reply):
            length, number = struct.unpack_from("=HH", reply, position)
            if number == CTRL_ATTR_FAMILY_ID:
                return int.from_bytes(reply[position + 4 : position + 6], "little")
            position += length + 3 & ~3
        raise OSError(f"generic netlink says nothing of {name}")

    def _ask(self, family: int, version: int, command: int, body: bytes) -> bytes:
        """The answer, with its generic header; OSError if it is an error. An ACK ends it."""
        message = struct.pack("=BBxx", command, version) + body
        self._socket.send(_header.pack(16 + len(message), family, NLM_F_REQUEST | NLM_F_ACK, 1, 0) + message)
        answer = b""
        while True:
            said = self._socket.recv(1 << 16)
            while said:
                length, kind, *_ = _header.unpack_from(said)
                if kind == NLMSG_ERROR:
                    code = -struct.unpack_from("=i", said, 16)[0]
                    if code:
                        raise OSError(code, os.strerror(code))
                    return answer
                answer = said[16:length]
                said = said[length + 3 & ~3 :]


def _dp(index: int) -> bytes:
    """struct ovs_header."""
    return struct.pack("=i", index)
