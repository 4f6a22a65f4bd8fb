"""Packets that are sent by real sockets, and told from all others by what is in them; their answers."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.lab.netns import Ns

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
SLOW = "NSWIRE_PATIENCE" in os.environ  # a guest, where everything takes ten times as long
PATIENCE, LONG = (0.3, 2.0) if SLOW else (0.03, 0.4)  # seconds until a packet that was not seen is lost
TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_QUEUE_SEQ, SEND_QUEUE, OFF_WITHOUT_PROBE = 19, 20, 21, 2, -1
IP_PKTINFO = 8
SYN, RST, ACK = 2, 4, 16
MARKER = 12  # bytes in each packet by which it is told from others
FIRST_NUMBER = 0x10000000  # of the sequence numbers that are ours


class Probe(NamedTuple):
    """A packet to be sent by a socket of `node`. `size` counts from the IP header on; 0: a small one."""

    node: str
    src: str
    dst: str
    proto: int
    sport: int
    dport: int
    mark: int = 0
    size: int = 0

    @property
    def six(self) -> bool:
        """Whether it is IPv6."""
        return ":" in self.dst


class Packet(NamedTuple):
    """A packet as a socket got it; ports are 0 for ICMP."""

    node: str
    src: str
    sport: int
    dst: str
    dport: int


class Seen(NamedTuple):
    """What became of a probe: who got it, and the answer as its sender got that."""

    got: Packet | None
    answer: Packet | None
    error: str = ""

    @property
    def told(self) -> str:
        """In words."""
        if self.got is None:
            return "lost"
        way = f"delivered to {self.got.node} as {self.got.src}:{self.got.sport} -> {self.got.dst}:{self.got.dport}"
        return f"{way}, {'answered' if self.answer else 'no answer arrives'}"


class Post:
    """The sockets of all nodes: who listens, who answers, and the raw ones that see what is delivered. A context manager's part."""

    def __init__(self, stack: contextlib.ExitStack, nodes: dict[str, Ns], ports: Iterable[int]) -> None:
        self._stack = stack
        self._nodes = nodes
        self._ends: dict[int, tuple[str, int, int, socket.socket]] = {}
        self._echoes: dict[int, socket.socket] = {}
        self._listeners: dict[int, socket.socket] = {}
        self._poll = stack.enter_context(select.epoll())
        self._count = 0
        self.late = 0
        for name, ns in nodes.items():
            with ns.entered():
                for family, last in ((socket.AF_INET, ICMP), (socket.AF_INET6, ICMPV6)):
                    for protocol in (last, TCP, UDP):
                        self._ends_of(name, family, protocol)
                    for port in ports:
                        self._listen(family, port)

    def _ends_of(self, name: str, family: int, protocol: int) -> None:
        end = self._stack.enter_context(socket.socket(family, socket.SOCK_RAW, protocol))
        end.settimeout(0)
        if family == socket.AF_INET6:
            end.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        self._ends[end.fileno()] = (name, family, protocol, end)
        self._poll.register(end, select.EPOLLIN)

    def _listen(self, family: int, port: int) -> None:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            sock = self._stack.enter_context(socket.socket(family, kind))
            sock.settimeout(0)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            else:
                sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
            sock.bind(("", port))
            if kind == socket.SOCK_STREAM:
                sock.listen(64)
                self._listeners[sock.fileno()] = sock
            else:
                self._echoes[sock.fileno()] = sock
            self._poll.register(sock, select.EPOLLIN)

    def send(self, probe: Probe, patience: float = PATIENCE) -> Seen:
        """Send it, and see what becomes of it."""
        self._count += 1
        marker = struct.pack(">QI", 0x6E73776972650000 | os.getpid() & 0xFFFF, self._count)
        number = (FIRST_NUMBER + self._count * 4096) & 0x7FFFFFFF
        self._drained(marker, number, probe)
        error = ""
        with contextlib.ExitStack() as opened:
            try:
                with self._nodes[probe.node].entered():
                    _SENDERS[probe.proto](opened, probe, marker, number)
            except OSError as problem:
                error = problem.strerror or str(problem)
            got, answer = self._drained(marker, number, probe, patience)
        return Seen(got, answer, error)

    def _drained(
        self, marker: bytes, number: int, probe: Probe, patience: float = 0
    ) -> tuple[Packet | None, Packet | None]:
        """What of the probe has arrived, until it is answered or patience ends."""
        got: Packet | None = None
        answer: Packet | None = None
        end = time.monotonic() + patience
        while True:
            left = end - time.monotonic()
            events = self._poll.poll(max(left, 0))
            for fd, _ in events:
                if fd in self._echoes:
                    _echo(self._echoes[fd])
                elif fd in self._listeners:
                    with contextlib.suppress(OSError):
                        self._listeners[fd].accept()[0].close()
                else:
                    for what, packet in self._received(fd, marker, number):
                        if what == "late":
                            self.late += 1
                        elif what == "there":
                            got = got or packet
                        elif packet.node == probe.node:
                            answer = answer or packet
            if (got and answer) or (left <= 0 and not events):
                return got, answer if got else None

    def _received(self, fd: int, marker: bytes, number: int) -> Iterable[tuple[str, Packet]]:
        node, family, protocol, sock = self._ends[fd]
        while True:
            try:
                data, extra, _, address = sock.recvmsg(65535, 128)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error
                continue
            if family == socket.AF_INET:
                src, dst = (socket.inet_ntop(family, data[at : at + 4]) for at in (12, 16))
                data = data[(data[0] & 15) * 4 :]
            else:
                src = address[0].partition("%")[0]
                dst = next((socket.inet_ntop(family, one[2][:16]) for one in extra), "")
            what = _what(protocol, data, marker, number)
            if what:
                ported = protocol in (TCP, UDP)
                sport, dport = struct.unpack(">HH", data[:4]) if ported else (0, 0)
                yield what, Packet(node, src, sport, dst, dport)


def _what(protocol: int, data: bytes, marker: bytes, number: int) -> str:
    """Whether that is the packet on its way `there`, its answer (`back`), one of an earlier probe (`late`), or none of these."""
    if protocol == TCP:
        seq, ack, flags = struct.unpack(">IIxB", data[4:14])
        if flags & (SYN | ACK | RST) == SYN:
            return "there" if seq == number else "late" if FIRST_NUMBER <= seq < number else ""
        return "back" if flags & ACK and ack == number + 1 and flags & (SYN | RST) else ""
    if protocol in (ICMP, ICMPV6):
        if data[0] not in ((8, 0) if protocol == ICMP else (128, 129)):
            return ""
        word = "there" if data[0] in (8, 128) else "back"
    else:
        word = "back" if data[8:9] == b"A" else "there"
        data = data[1:]
    if data[8:20] == marker:
        return word
    return "late" if data[8:16] == marker[:8] and word == "there" else ""


# -- sending -----------------------------------------------------------------------------------------------------


def _socket(opened: contextlib.ExitStack, probe: Probe, kind: int, protocol: int, port: int) -> socket.socket:
    sock = opened.enter_context(
        socket.socket(socket.AF_INET6 if probe.six else socket.AF_INET, kind, protocol)
    )
    sock.settimeout(0)
    if probe.mark:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, probe.mark)
    sock.bind((probe.src, port))
    return sock


def sent_size(probe: Probe) -> int:
    """The bytes from the IP header on of what is sent; 0 of TCP, whose first packet is the kernel's."""
    if probe.proto == TCP:
        return 0
    asks = probe.proto == UDP  # one byte of the question, in front of the marker
    return (probe.size or MARKER + 8 + (40 if probe.six else 20)) + asks


def _payload(probe: Probe, marker: bytes) -> bytes:
    size = probe.size - 8 - (40 if probe.six else 20)
    return marker.ljust(size, b"\0") if probe.size else marker


def _icmp(opened: contextlib.ExitStack, probe: Probe, marker: bytes, _: int) -> None:
    sock = _socket(opened, probe, socket.SOCK_RAW, probe.proto, 0)
    payload = _payload(probe, marker)
    head = struct.pack(">BBHHH", 128 if probe.six else 8, 0, 0, probe.sport, 1)
    check = 0 if probe.six else _checksum(head + payload)
    sock.sendto(head[:2] + struct.pack(">H", check) + head[4:] + payload, (probe.dst, 0))


def _udp(opened: contextlib.ExitStack, probe: Probe, marker: bytes, _: int) -> None:
    sock = _socket(opened, probe, socket.SOCK_DGRAM, 0, probe.sport)
    sock.sendto(b"Q" + _payload(probe, marker), (probe.dst, probe.dport))


def _tcp(opened: contextlib.ExitStack, probe: Probe, _: bytes, number: int) -> None:
    """With a sequence number that is ours, by which the packet is told from all others."""
    sock = _socket(opened, probe, socket.SOCK_STREAM, 0, probe.sport)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for option, value in (
        (TCP_REPAIR, 1),
        (TCP_REPAIR_QUEUE, SEND_QUEUE),
        (TCP_QUEUE_SEQ, number),
        (TCP_REPAIR, OFF_WITHOUT_PROBE),
    ):
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
    with contextlib.suppress(BlockingIOError):
        sock.connect((probe.dst, probe.dport))


_SENDERS = {ICMP: _icmp, ICMPV6: _icmp, UDP: _udp, TCP: _tcp}


def _echo(sock: socket.socket) -> None:
    """Answer from the address that was asked."""
    with contextlib.suppress(OSError):
        data, extra, _, address = sock.recvmsg(65535, 128)
        if data[:1] != b"Q":
            return
        about = []
        for level, kind, value in extra:
            if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
                about.append((level, kind, struct.pack("=I", 0) + value[8:12] + bytes(4)))
            elif level == socket.IPPROTO_IPV6:
                about.append((level, socket.IPV6_PKTINFO, value[:16] + bytes(4)))
        sock.sendmsg([b"A" + data[1:]], about, 0, address)


def _checksum(data: bytes) -> int:
    even = data if len(data) % 2 == 0 else data + b"\0"
    total = sum(int.from_bytes(even[at : at + 2]) for at in range(0, len(even), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
