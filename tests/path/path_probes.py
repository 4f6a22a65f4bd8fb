"""Real packets, and where they were seen: on every link of every namespace, and at the sockets of whoever got them."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import time
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from nswire.lab.netns import Ns

ETH_P_ALL, PACKET_OUTGOING = 3, 4
ARP = b"\x08\x06"
SO_TIMESTAMPNS = 35
IP_MTU_DISCOVER, IP_PMTUDISC_PROBE, IPV6_MTU_DISCOVER = 10, 3, 23
HEAD = b"\xa0\x02"  # of a TCP header: its length, as Linux sends a SYN, and the flags
AGAIN = 700_000_000  # nanoseconds, after which TCP sends a SYN again
SLOW = "NSWIRE_PATIENCE" in os.environ  # a guest
QUIET, LONGEST = (
    (1.0, 6.0) if SLOW else (0.4, 3.0)
)  # seconds without a packet that end the watch; and at the most
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
PACKET_STATISTICS = 6


class Probe(NamedTuple):
    """A packet to be sent. `size` counts from the IP header on; 0: a small one."""

    node: str
    dst: str
    proto: int
    sport: int
    dport: int
    size: int
    mark: int


class Seen(NamedTuple):
    """A packet on a link."""

    at: int
    node: str
    link: str
    way: str


class Observed(NamedTuple):
    """What became of a probe: where it was seen, in order, and which namespaces' sockets got it."""

    seen: tuple[Seen, ...]
    got: tuple[str, ...]


class Watch:
    """Watches all links and all protocols of some namespaces. A context manager."""

    def __init__(self, nodes: dict[str, Ns]) -> None:
        self._stack = contextlib.ExitStack()
        self._links: dict[int, tuple[str, socket.socket]] = {}
        self._ends: dict[int, tuple[str, socket.socket]] = {}
        self.overrun = False
        for name, ns in nodes.items():
            with ns.entered():
                sock = self._stack.enter_context(
                    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
                )
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
                sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
                sock.settimeout(0)
                self._links[sock.fileno()] = (name, sock)
                for family, protocols in (
                    (socket.AF_INET, (ICMP, TCP, UDP)),
                    (socket.AF_INET6, (ICMPV6, TCP, UDP)),
                ):
                    for protocol in protocols:
                        end = self._stack.enter_context(socket.socket(family, socket.SOCK_RAW, protocol))
                        end.settimeout(0)
                        self._ends[end.fileno()] = (name, end)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def gather(self, sent: list[Sent]) -> tuple[list[tuple[Seen, bytes]], list[tuple[str, bytes]]]:
        """Everything that passes, until nothing that matters does for a while: no probe, no question for a neighbour."""
        frames: list[tuple[Seen, bytes]] = []
        delivered: list[tuple[str, bytes]] = []
        poll = select.poll()
        for fd in (*self._links, *self._ends):
            poll.register(fd, select.POLLIN)
        begin = last = time.monotonic()
        matters = [one.told_by for one in sent]
        while (now := time.monotonic()) < min(last + QUIET, begin + LONGEST):
            for fd, _ in poll.poll((last + QUIET - now) * 1000 + 1):
                if fd in self._links:
                    node, sock = self._links[fd]
                    with contextlib.suppress(BlockingIOError):
                        while True:
                            data, extra, _, address = sock.recvmsg(65535, 128)
                            stamp = next(
                                (_nanoseconds(one[2]) for one in extra if one[1] == SO_TIMESTAMPNS), 0
                            )
                            way = "out" if address[2] == PACKET_OUTGOING else "in"
                            if (
                                data[12:14] == ARP
                                or data[20:21] == b"\x3a"
                                or any(one in data for one in matters)
                            ):
                                last = time.monotonic()
                            frames.append((Seen(stamp, node, address[0], way), data))
                else:
                    node, sock = self._ends[fd]
                    with contextlib.suppress(BlockingIOError):
                        while True:
                            delivered.append((node, sock.recv(65535)))
        for _, sock in self._links.values():
            _, drops = struct.unpack("II", sock.getsockopt(263, PACKET_STATISTICS, 8))
            self.overrun |= bool(drops)
        return frames, delivered


def _nanoseconds(value: bytes) -> int:
    seconds, rest = struct.unpack("qq", value)
    return int(seconds * 1_000_000_000 + rest)


class Sent:
    """A probe that was sent: how its packets are told from all others."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self.marker = os.urandom(12)
        self.error = ""

    @property
    def told_by(self) -> bytes:
        """Bytes that are in each of its packets."""
        return struct.pack(">H", self.probe.sport) if self.probe.proto == TCP else self.marker

    def send(self, ns: Ns) -> contextlib.ExitStack:
        """Send it. What is returned keeps its socket open."""
        stack = contextlib.ExitStack()
        with ns.entered():
            try:
                getattr(self, {TCP: "_tcp", UDP: "_udp"}.get(self.probe.proto, "_icmp"))(stack)
            except OSError as error:
                self.error = error.strerror or str(error)
        return stack

    def _socket(self, stack: contextlib.ExitStack, kind: int, protocol: int) -> socket.socket:
        six = ":" in self.probe.dst
        sock = stack.enter_context(socket.socket(socket.AF_INET6 if six else socket.AF_INET, kind, protocol))
        if self.probe.mark:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, self.probe.mark)
        if self.probe.size:
            if six:
                sock.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, IP_PMTUDISC_PROBE)
            else:
                sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE)
        return sock

    def _payload(self, header: int) -> bytes:
        size = self.probe.size - header - (40 if ":" in self.probe.dst else 20)
        return self.marker.ljust(size, b"\0") if self.probe.size else self.marker

    def _icmp(self, stack: contextlib.ExitStack) -> None:
        six = ":" in self.probe.dst
        sock = self._socket(stack, socket.SOCK_RAW, ICMPV6 if six else ICMP)
        payload = self._payload(8)
        head = struct.pack(">BBHHH", 128 if six else 8, 0, 0, self.probe.sport, 1)
        check = 0 if six else _checksum(head + payload)
        sock.sendto(head[:2] + struct.pack(">H", check) + head[4:] + payload, (self.probe.dst, 0))

    def _udp(self, stack: contextlib.ExitStack) -> None:
        sock = self._socket(stack, socket.SOCK_DGRAM, 0)
        sock.bind(("", self.probe.sport))
        sock.sendto(self._payload(8), (self.probe.dst, self.probe.dport))

    def _tcp(self, stack: contextlib.ExitStack) -> None:
        sock = self._socket(stack, socket.SOCK_STREAM, 0)
        sock.settimeout(0)
        sock.bind(("", self.probe.sport))
        with contextlib.suppress(BlockingIOError):
            sock.connect((self.probe.dst, self.probe.dport))

    def observed(self, frames: list[tuple[Seen, bytes]], delivered: list[tuple[str, bytes]]) -> Observed:
        """What became of it; a SYN that was sent again is left out."""
        number = self._number(frames) if self.probe.proto == TCP else b""
        found = sorted({one for one, data in frames if self._is_mine(data, number)}, key=lambda one: one.at)
        seen = tuple(one for one in found if one.at < found[0].at + AGAIN)
        got = dict.fromkeys(node for node, data in delivered if self._is_mine(data, number, up=True))
        return Observed(seen, tuple(got))

    def _is_mine(self, data: bytes, number: bytes, *, up: bool = False) -> bool:
        """Whether it is the probe itself, and not an answer or an error that quotes it."""
        if self.probe.proto == TCP:
            at = data.find(number) - 4 if number else -1
            fits = at >= 0 and data[at + 12 : at + 14] == HEAD
        else:
            at = data.find(self.marker) - 8
            fits = at >= 0 and (self.probe.proto == UDP or data[at] == (128 if ":" in self.probe.dst else 8))
        if up:  # a raw socket gives the IP header for IPv4 alone; anything before that is a tunnel's
            return fits and at in (0, 20)
        return fits and not _is_error(data, at, self.probe)

    def _number(self, frames: list[tuple[Seen, bytes]]) -> bytes:
        """The sequence number of the first SYN that its sender sent: nothing on the way changes that."""
        ports = struct.pack(">HH", self.probe.sport, self.probe.dport)[:2]
        for one, data in sorted(frames, key=lambda pair: pair[0].at):
            at = data.find(ports)
            if (
                one.node == self.probe.node
                and one.way == "out"
                and at >= 0
                and data[at + 12 : at + 14] == HEAD
            ):
                return data[at + 4 : at + 8]
        return b""


def _is_error(data: bytes, transport: int, probe: Probe) -> bool:
    """Whether the packet whose transport header is there is only quoted by an ICMP error."""
    six = ":" in probe.dst
    size, at, error = (40, 6, ICMPV6) if six else (20, 9, ICMP)
    inner = transport - size
    outer = inner - 8 - size
    first = (0x60, 0x60) if six else (0x45, 0x45)
    if outer < 0 or (data[inner] & 0xF5, data[outer] & 0xF5) != first:
        return False
    return (data[inner + at], data[outer + at]) == (probe.proto, error)


def _checksum(data: bytes) -> int:
    even = data if len(data) % 2 == 0 else data + b"\0"
    total = sum(int.from_bytes(even[at : at + 2]) for at in range(0, len(even), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
