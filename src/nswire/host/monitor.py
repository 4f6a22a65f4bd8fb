"""What the kernel says unasked: that a link or an address came, changed or went. The standard library alone."""

from __future__ import annotations

import contextlib
import errno
import socket

# include/uapi/linux/rtnetlink.h, linux/netlink.h
GROUPS = 1 << 0 | 1 << 4 | 1 << 8  # RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
SOL_NETLINK, NETLINK_LISTEN_ALL_NSID = 270, 8
ROOM = 1 << 16


class Notices:
    """A socket in our own namespace that becomes readable when something changed. What, nobody reads: one looks again.

    With CAP_NET_BROADCAST it hears of every namespace that has an id in ours, so of all that a link of ours leads to
    (NETLINK_LISTEN_ALL_NSID, Linux 4.2; do_one_broadcast() in net/netlink/af_netlink.c), and keeps none of them alive, as
    a socket inside of each would. Raises OSError if there can be no such socket.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK,
            socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC,
            socket.NETLINK_ROUTE,
        )
        try:
            with contextlib.suppress(OSError):  # an older kernel: our own namespace then
                self._socket.setsockopt(SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 1)
            self._socket.bind((0, GROUPS))
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """For select and its like."""
        return self._socket.fileno()

    def drain(self) -> bool:
        """True if anything was said since the last time. What the kernel had to drop was said, too (ENOBUFS)."""
        said = False
        while True:
            try:
                self._socket.recv(ROOM)
            except BlockingIOError:
                return said
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
            said = True

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
