"""Packets really sent, by sockets in a namespace, and whether an answer came: what `nswire path` is held against."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from nswire.lab import syscalls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .place import Place

ECHO = 8
TRIES, WAIT = 3, 0.4  # seconds; the first packets of a path may have to wait for a neighbour
SERVER = """
import socketserver, sys, threading
class Tcp(socketserver.BaseRequestHandler):
    def handle(self):
        said = dict(line.lower().split(": ", 1) for line in self.request.recv(4096).decode().split("\\r\\n") if ": " in line)
        client = said.get("x-forwarded-for") or (self.client_address or ["?"])[0]
        self.request.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\nfrom " + client.encode())
class Udp(socketserver.BaseRequestHandler):
    def handle(self): self.request[1].sendto(b"from " + self.client_address[0].encode(), self.client_address)
class Unix(socketserver.ThreadingUnixStreamServer): daemon_threads = True
class TcpServer(socketserver.ThreadingTCPServer): allow_reuse_address = daemon_threads = True
for word in sys.argv[1:]:
    proto, _, where = word.partition(":")
    made = {"tcp": lambda: TcpServer(("", int(where)), Tcp), "udp": lambda: socketserver.ThreadingUDPServer(("", int(where)), Udp),
            "unix": lambda: Unix(where, Tcp)}[proto]()
    threading.Thread(target=made.serve_forever, daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
"""


class Packet(NamedTuple):
    """What to send: `proto` icmp, tcp or udp, to an address and port. `src` empty: as the kernel chooses. `asks`: what is said."""

    dst: str
    proto: str = "icmp"
    dport: int = 0
    src: str = ""
    asks: bytes = b"GET / HTTP/1.0\r\n\r\n"


@contextlib.contextmanager
def inside(netns: str) -> Iterator[None]:
    """A block in a namespace of /run/netns; empty: here."""
    if not netns:
        yield
        return
    fd = os.open(f"/run/netns/{netns}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        with syscalls.inside(fd):
            yield
    finally:
        os.close(fd)


def serve(place: Place, netns: str, *ports: str) -> int:
    """Somebody who answers in a namespace (empty: here) at `tcp:80`, `udp:53`, `unix:PATH`; ended when the place is left."""
    enter = ("ip", "netns", "exec", netns) if netns else ()
    process = subprocess.Popen((*enter, sys.executable, "-c", SERVER, *ports), stdout=subprocess.PIPE)
    place.undo(process.wait)
    place.undo(process.kill)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == b"ready\n"
    return process.pid


def answered(netns: str, packet: Packet) -> str | None:
    """Who the sender was to whoever answered, as far as that one says so; None: no answer came."""
    with inside(netns):
        said = _HOW[packet.proto](packet)
    return None if said is None else said.rpartition(b"from ")[2].decode() if b"from " in said else ""


def _echoed(packet: Packet) -> bytes | None:
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
        if packet.src:
            sock.bind((packet.src, 0))
        number = os.getpid() & 0xFFFF
        for sequence in range(TRIES):
            body = struct.pack("!HH", number, sequence)
            check = 0xFFFF - sum((ECHO << 8, number, sequence)) % 0xFFFF
            with contextlib.suppress(OSError):  # what came back for the one before
                sock.sendto(struct.pack("!BBH", ECHO, 0, check) + body, (packet.dst, 0))
            end = time.monotonic() + WAIT
            while (left := end - time.monotonic()) > 0 and select.select([sock], [], [], left)[0]:
                got, (sender, _) = sock.recvfrom(4096)
                head = (got[0] & 15) * 4
                if got[head] == 0 and got[head + 4 : head + 6] == body[:2] and sender == packet.dst:
                    return b""
    return None


def _connected(packet: Packet) -> bytes | None:
    with socket.socket() as sock:
        sock.settimeout(TRIES * WAIT)
        if packet.src:
            sock.bind((packet.src, 0))
        try:
            sock.connect((packet.dst, packet.dport))
            sock.sendall(packet.asks)
            return b"".join(iter(lambda: sock.recv(4096), b""))
        except OSError:
            return None


def _told(packet: Packet) -> bytes | None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.settimeout(WAIT)
        if packet.src:
            sock.bind((packet.src, 0))
        for _ in range(TRIES):
            with contextlib.suppress(OSError):
                sock.sendto(packet.asks, (packet.dst, packet.dport))
                return sock.recv(4096)
    return None


_HOW = {"icmp": _echoed, "tcp": _connected, "udp": _told}
