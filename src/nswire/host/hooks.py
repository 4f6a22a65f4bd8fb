"""What netfilter calls at its hooks, and BPF programs among that. The standard library alone.

nfnetlink_hook is a module on most systems, and is not loaded to be asked: then it is only looked whether there is any BPF program of
netfilter's at all.
"""

from __future__ import annotations

import errno
import socket
import struct
from typing import TYPE_CHECKING

from nswire.host import firewall_tools

if TYPE_CHECKING:
    from collections.abc import Callable

MODULE = "nfnetlink_hook"

_length = struct.Struct("=I")


def ask(sysfs: str, requests: bytes, converse: Callable[[socket.socket, bytes], bytes]) -> bytes:
    """The answers to several requests, one behind the other. OSError: EOPNOTSUPP if this kernel cannot be asked."""
    if not firewall_tools.has(MODULE, sysfs):
        raise OSError(errno.EOPNOTSUPP, f"{MODULE} is not loaded")
    answers = b""
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
    with socket.socket(socket.AF_NETLINK, kind, firewall_tools.NETLINK_NETFILTER) as sock:
        while requests:
            size = _length.unpack_from(requests)[0]
            answers += converse(sock, requests[:size])
            requests = requests[size:]
    return answers
