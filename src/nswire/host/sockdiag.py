"""Who is at the other end of a TCP connection on this machine: one request to sock_diag (sock_diag(7), linux/inet_diag.h)."""

from __future__ import annotations

import errno
import socket
import struct

NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, NLMSG_ERROR = 4, 20, 1, 2
ESTABLISHED, EVERY_STATE = 1, 0xFFFFFFFF  # include/net/tcp_states.h
HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
REQUEST = struct.Struct("=BBBxI")  # struct inet_diag_req_v2, before its id
WHICH = struct.Struct(
    "!HH16s16s"
)  # struct inet_diag_sockid: ports and addresses; then an index and a cookie, which may be any
ANY = struct.pack("=I", 0) + b"\xff" * 8  # no index, INET_DIAG_NOCOOKIE
ANSWER = struct.Struct(
    "=BBBB48x5I"
)  # struct inet_diag_msg: family, state, ...; the uid and the inode are last
ROOM = 4096
PATIENCE = 1.0

Address = tuple[str, int]


class SockDiag:
    """Asks the kernel of this network namespace. Raises OSError if there is no such socket."""

    def __init__(self) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_SOCK_DIAG
        )
        self._socket.settimeout(PATIENCE)
        self._number = 0

    def close(self) -> None:
        """Ask no more."""
        self._socket.close()

    def owner(self, family: int, here: Address, there: Address) -> int | None:
        """The user whose socket at `here` is connected to `there`; None if there is none, or it is on its way out.

        Of a socket that its process has closed the kernel tells no user but 0 (inet_diag_msg_common_fill, sk_user_ns), so
        one without an inode counts as none. Raises OSError.
        """
        which = WHICH.pack(here[1], there[1], _packed(family, here[0]), _packed(family, there[0]))
        body = REQUEST.pack(family, socket.IPPROTO_TCP, 0, EVERY_STATE) + which + ANY
        self._number = self._number % 0xFFFFFFFF + 1
        header = HEADER.pack(HEADER.size + len(body), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, self._number, 0)
        self._socket.send(header + body)
        while True:
            said = self._socket.recv(ROOM)
            if len(said) >= HEADER.size:
                _, kind, _, number, _ = HEADER.unpack_from(said)
                if number == self._number:
                    return self._read(kind, said[HEADER.size :], which)

    @staticmethod
    def _read(kind: int, said: bytes, which: bytes) -> int | None:
        if kind == NLMSG_ERROR:
            code = -struct.unpack_from("=i", said)[0]
            if code == errno.ENOENT:
                return None
            raise OSError(code, "the kernel does not say whose a connection is")
        if len(said) < ANSWER.size or said[4 : 4 + WHICH.size] != which:
            return None
        _, state, _, _, _, _, _, uid, inode = ANSWER.unpack_from(said)
        return uid if state == ESTABLISHED and inode else None


def _packed(family: int, address: str) -> bytes:
    return socket.inet_pton(family, address.partition("%")[0]).ljust(16, b"\0")
