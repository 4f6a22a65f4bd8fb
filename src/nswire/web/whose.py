"""Whose a connection on loopback is: the front asks, the privileged side has the kernel answer, one connection at a time.

    front -> privileged   QUESTION: a number, both addresses with their ports, the other end's first
    privileged -> front   ANSWER: the number, a uid or -1

It has a socketpair and a thread of its own, as the worker may be in the middle of a look when strangers flood the door.
"""

from __future__ import annotations

import ipaddress
import struct
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    Owner = Callable[[int, tuple[str, int], tuple[str, int]], int | None]

QUESTION = struct.Struct("!QHH16s16s")
ANSWER = struct.Struct("!Qq")
MAPPED = b"\0" * 10 + b"\xff\xff"  # an IPv4 address in the place of an IPv6 one (RFC 4291, 2.5.5.2)
MANY = 256  # questions that are read at a time


def is_loopback(address: str) -> bool:
    """True if whoever comes from there is on this machine."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def question(number: int, here: tuple[str, int], there: tuple[str, int]) -> bytes:
    """The question whose the socket at `here` is that is connected to `there`."""
    return QUESTION.pack(number, here[1], there[1], _packed(here[0]), _packed(there[0]))


def _packed(address: str) -> bytes:
    packed = ipaddress.ip_address(address.partition("%")[0]).packed
    return packed if len(packed) == 16 else MAPPED + packed


def _unpacked(packed: bytes) -> str:
    address = ipaddress.IPv6Address(packed)
    return str(address.ipv4_mapped or address)


class Answering:
    """Answers until the other side hangs up. `owner` takes a family (of `socket`) and two ends, and may raise OSError."""

    def __init__(self, sock: socket.socket, owner: Owner, families: tuple[int, int]) -> None:
        self._socket = sock
        self._owner = owner
        self._families = families
        self._thread = threading.Thread(target=self._answer, name="whose", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for the end, which the other side makes."""
        self._thread.join()

    def _answer(self) -> None:
        rest = b""
        try:
            while said := self._socket.recv(MANY * QUESTION.size):
                said = rest + said
                whole = len(said) // QUESTION.size * QUESTION.size
                rest = said[whole:]
                self._socket.sendall(b"".join(map(self._one, QUESTION.iter_unpack(said[:whole]))))
        except OSError:  # the other side has gone
            return

    def _one(self, asked: tuple[int, int, int, bytes, bytes]) -> bytes:
        number, port, other_port, here, there = asked
        address, other = _unpacked(here), _unpacked(there)
        family = self._families[":" in address]
        try:
            uid = (
                self._owner(family, (address, port), (other, other_port))
                if (":" in other) == (":" in address)
                else None
            )
        except OSError:  # this kernel cannot be asked
            uid = None
        return ANSWER.pack(number, -1 if uid is None else uid)
