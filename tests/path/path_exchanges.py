"""Networks from a few lines, what is said of a packet there (live and from a recording), and what really becomes of it."""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import socket
import struct
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

import nswire
from nswire.host.replay import Recorded
from nswire.lab.lab import wait_until
from nswire.path import Flow, trace
from nswire.path.values import ARRIVED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.lab.lab import Lab
    from nswire.lab.netns import Ns
    from nswire.model.tables import Lookups
    from nswire.path.values import Trace, Ways

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
SYN, ACK = 2, 16
IP_PMTUDISC_PROBE = 3
IP_PKTINFO, IPV6_RECVPKTINFO, IPV6_PKTINFO = 8, 49, 50
IP_MTU_DISCOVER, IP_PMTUDISC_DONT = 10, 0
SLOW = 4 if "NSWIRE_PATIENCE" in os.environ else 1  # a guest
PATIENCE = 0.3 * SLOW  # seconds until what has not come is lost
Raw = tuple[str, socket.socket]


class Real(NamedTuple):
    """What became of a packet: in which namespaces it came up to a socket, and `answered`, `refused` or nothing."""

    at: tuple[str, ...]
    answer: str


class Said(NamedTuple):
    """What nswire says of one: the fate (`delivered` also if nothing listens there), where it ends, the fate of the answer (empty: there is none)."""

    fate: str
    at: tuple[str, ...]
    answer: str
    trace: Trace
    topology: nswire.Topology

    @property
    def reason(self) -> str:
        """The fact that decides about the packet."""
        return str(self.trace.forward.reason or "")

    @property
    def as_real(self) -> Real | str:
        """The same as it would be observed, were somebody listening there; another fate as it is called."""
        if self.fate != "delivered":
            return Real((), "") if self.fate == "dropped" else f"{self.fate}: {self.reason}"
        if self.answer == "delivered":
            return Real(self.at, "answered")
        if self.answer == "dropped":
            return Real(self.at, "")
        return f"answer {self.answer}: {self.trace.reply.reason if self.trace.reply else ''}"


class Spaces:
    """Namespaces of a lab, made as they are named: each line is `NAMESPACE COMMAND`."""

    def __init__(self, lab: Lab, lines: str) -> None:
        self._lab = lab
        self.holder = 0
        self.spaces: dict[str, Ns] = {}
        self.run(lines)

    def __getitem__(self, name: str) -> Ns:
        if name not in self.spaces:
            self.spaces[name] = self._lab.namespace("named", name)
            # while its link-local address is tentative, a router asks nobody for a MAC (ndisc_send_ns)
            self.run(
                "\n".join(
                    f"{name} echo 0 > /proc/sys/net/ipv6/conf/{one}/accept_dad" for one in ("all", "default")
                )
            )
        return self.spaces[name]

    def run(self, lines: str) -> None:
        """Run commands, each in the namespace that its line begins with; `netns X` in them makes X."""
        pairs = [line.strip().partition(" ")[::2] for line in lines.splitlines() if line.strip()]
        for name, commands in itertools.groupby(pairs, lambda pair: pair[0]):
            script = "\n".join(command for _, command in commands)
            for before, word in itertools.pairwise(script.split()):
                if before == "netns":
                    _ = self[word]
            with self[name].entered():
                subprocess.run(["sh", "-ec", script], check=True, capture_output=True, text=True)

    def settled(self) -> None:
        """Wait until every link that is to come up is up."""
        wait_until(lambda: all(link.operstate != "DOWN" or "UP" not in link.flags for link in nswire.scan()))

    def said(
        self, start: str, flow: Flow, *, recording: str = "", tables: bool = False, **more: object
    ) -> Said:
        """What is said of a packet, live or, of a file that is made now, from a recording; `tables`: as if it were from one."""
        if tables:
            return self._told(nswire.scan(), start, flow, True, **more)  # noqa: FBT003
        if recording:
            nswire.record(recording)
            return self.replayed(Recorded.open(recording), start, flow, **more)
        return self._told(nswire.scan(), start, flow, False, **more)  # noqa: FBT003

    def replayed(self, recorded: Recorded, start: str, flow: Flow, **more: object) -> Said:
        """What is said of one by a recording."""
        return self._told(nswire.scan(recorded), start, flow, False, **more)  # noqa: FBT003

    def _told(self, topology: nswire.Topology, start: str, flow: Flow, alone: bool, **more: object) -> Said:  # noqa: FBT001
        lookups = topology.lookups()
        found = trace(topology, TablesAlone(lookups) if alone else lookups, self[start].inode, flow, **more)  # type: ignore[arg-type]
        return Said(
            "delivered" if found.forward.fate in ARRIVED else found.forward.fate,
            self._ends(found.forward),
            "" if found.reply is None else found.reply.fate,
            found,
            topology,
        )

    def _ends(self, ways: Ways) -> tuple[str, ...]:
        names = {ns.inode: name for name, ns in self.spaces.items()}
        return tuple(sorted({names[way.hops[-1].ns] for way in ways.ways if way.fate in ARRIVED}))

    @contextlib.contextmanager
    def listening(self, flow: Flow, *listen: Listening) -> Iterator[list[socket.socket]]:
        """With somebody who listens, for packets like that one; a process of its own has the sockets as well."""
        with contextlib.ExitStack() as ending:
            found = [ending.enter_context(one.opened(self[one.ns], flow)) for one in listen]
            holder = subprocess.Popen(["sleep", "infinity"], pass_fds=[one.fileno() for one in found])
            ending.callback(holder.wait)
            ending.callback(holder.kill)
            self.holder = holder.pid
            yield found

    def really(
        self,
        start: str,
        flow: Flow,
        *,
        listen: tuple[Listening, ...] | None = None,
        mark: int = 0,
        size: int = 0,
        whole: bool = True,
        device: str = "",
    ) -> Real:
        """Send it, and see. Who listens: by default everybody, on all addresses. `size`: of the IP packet (UDP); `whole`: with DF."""
        if listen is None:
            listen = tuple(Listening(name, flow.dport) for name in self.spaces) if flow.dport else ()
        with contextlib.ExitStack() as ending:
            raw = [(name, ending.enter_context(_raw(ns, flow))) for name, ns in self.spaces.items()]
            servers = [ending.enter_context(one.opened(self[one.ns], flow)) for one in listen]
            with self[start].entered():
                return _Exchange(flow, raw, servers, mark, size, whole=whole, device=device).run()

    def both(self, start: str, flow: Flow, *, mark: int = 0, size: int = 0) -> tuple[Said, Real]:
        """What is said of a packet, and what becomes of it, while everybody listens."""
        with contextlib.ExitStack() as ending:
            listen = [Listening(name, flow.dport) for name in self.spaces] if flow.dport else []
            raw = [(name, ending.enter_context(_raw(ns, flow))) for name, ns in self.spaces.items()]
            servers = [ending.enter_context(one.opened(self[one.ns], flow)) for one in listen]
            said = self.said(start, flow, mark=mark, size=size)
            with self[start].entered():
                return said, _Exchange(flow, raw, servers, mark, size, whole=True).run()


class TablesAlone:
    """Lookups that cannot ask the kernel for a decision, as those of a recording."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups

    def __getattr__(self, name: str) -> object:
        return getattr(self._lookups, name)

    def decision(self, *_: object) -> None:
        """Nobody to ask."""


class Listening(NamedTuple):
    """A server. `address` empty: all of them, of that family; `device`: bound to it; `v6only`: `::` without IPv4."""

    ns: str
    port: int
    address: str = ""
    device: str = ""
    v6only: bool = False

    def opened(self, ns: Ns, flow: Flow) -> socket.socket:
        """Its socket."""
        six = ":" in (self.address or flow.dst)
        kind = socket.SOCK_STREAM if flow.proto == TCP else socket.SOCK_DGRAM
        with ns.entered():
            sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, kind)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if six and (self.v6only or not self.address):
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if self.device:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.device.encode())
        sock.bind((self.address or ("::" if six else "0.0.0.0"), self.port))
        sock.settimeout(0)
        if flow.proto == TCP:
            sock.listen(1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
            if six:
                sock.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
        return sock


def _raw(ns: Ns, flow: Flow) -> socket.socket:
    six = flow.family == 6
    with ns.entered():
        sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_RAW, flow.proto)
    sock.settimeout(0)
    return sock


class _Exchange:
    """A packet and its answer."""

    def __init__(
        self,
        flow: Flow,
        raw: list[Raw],
        servers: list[socket.socket],
        mark: int,
        size: int,
        *,
        whole: bool,
        device: str = "",
    ) -> None:
        self._flow = flow
        self._raw = raw
        self._servers = servers
        self._mark = mark
        self._size = size
        self._device = device
        self._whole = whole
        headers = 28 if flow.family == 4 else 48  # of IP, and of UDP or ICMP
        self._marker = os.urandom(12).ljust(size - headers, b"\0")
        self._at: dict[str, None] = {}

    def run(self) -> Real:
        with self._client() as client:
            try:
                self._send(client)
            except ConnectionRefusedError:
                return Real(tuple(self._at), "refused")
            except OSError:  # the kernel says at once that it cannot go
                return Real((), "")
            answer = self._watched(client)
        return Real(tuple(sorted(self._at)), answer)

    def _client(self) -> socket.socket:
        flow = self._flow
        kind = {TCP: socket.SOCK_STREAM, UDP: socket.SOCK_DGRAM}.get(flow.proto, socket.SOCK_RAW)
        sock = socket.socket(
            socket.AF_INET6 if flow.family == 6 else socket.AF_INET,
            kind,
            flow.proto if kind == socket.SOCK_RAW else 0,
        )
        if self._device:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self._device.encode())
        if self._mark:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, self._mark)
        if self._size and not self._whole:
            sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
        elif self._size:  # not to be split
            level, option = (socket.IPPROTO_IP, 10) if flow.family == 4 else (socket.IPPROTO_IPV6, 23)
            sock.setsockopt(level, option, IP_PMTUDISC_PROBE)
        if flow.src or flow.sport:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((flow.src, flow.sport))
        sock.settimeout(0)
        return sock

    def _send(self, client: socket.socket) -> None:
        flow = self._flow
        if flow.proto == TCP:
            with contextlib.suppress(BlockingIOError):
                client.connect((flow.dst, flow.dport))
        elif flow.proto == UDP:
            client.connect((flow.dst, flow.dport))
            client.send(self._marker)
        else:
            head = struct.pack(">BBHHH", 8 if flow.proto == ICMP else 128, 0, 0, 77, 1)
            check = checksum(head + self._marker) if flow.proto == ICMP else 0
            client.sendto(head[:2] + struct.pack(">H", check) + head[4:] + self._marker, (flow.dst, 0))

    def _watched(self, client: socket.socket) -> str:
        poll = select.poll()
        readers = {sock.fileno(): (name, sock) for name, sock in self._raw}
        servers = {sock.fileno(): sock for sock in self._servers}
        for fd in (*readers, *servers):
            poll.register(fd, select.POLLIN)
        poll.register(client, select.POLLOUT if self._flow.proto == TCP else select.POLLIN)
        answer, deadline = "", time.monotonic() + PATIENCE
        while not (answer and self._at) and (left := deadline - time.monotonic()) > 0:
            for fd, _ in poll.poll(left * 1000 + 1):
                if fd in readers:
                    self._arrived(*readers[fd])
                elif fd in servers:
                    self._serve(servers[fd])
                elif not answer:
                    answer = self._answer(client)
                    if answer:
                        poll.unregister(client)
        for name, sock in self._raw:
            self._arrived(name, sock)
        return answer

    def _arrived(self, name: str, sock: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                data = sock.recv(65535)
                at = 0 if self._flow.family == 6 else (data[0] & 15) * 4
                if self._is_request(data[at:]):
                    self._at[name] = None

    def _is_request(self, data: bytes) -> bool:
        if self._flow.proto == TCP:
            return data[13] & (SYN | ACK) == SYN
        if self._flow.proto == UDP:
            return data[8:] == self._marker
        return data[0] in (8, 128) and data[8:] == self._marker

    def _serve(self, server: socket.socket) -> None:
        """An answer from the address that was asked."""
        if self._flow.proto == TCP:
            with contextlib.suppress(OSError):
                server.accept()[0].close()
            return
        with contextlib.suppress(OSError):
            data, extra, _, who = server.recvmsg(65535, 200)
            told = [one for one in extra if one[1] in (IP_PKTINFO, IPV6_PKTINFO)]
            if told and told[0][1] == IP_PKTINFO:
                info = struct.pack("i4s4s", 0, told[0][2][8:12], bytes(4))
                told = [(socket.IPPROTO_IP, IP_PKTINFO, info)]
            elif told:
                told = [(socket.IPPROTO_IPV6, IPV6_PKTINFO, told[0][2][:16] + bytes(4))]
            server.sendmsg([data[::-1]], told, 0, who)

    def _answer(self, client: socket.socket) -> str:
        if self._flow.proto == TCP:
            error = client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            return "answered" if not error else "refused" if error == 111 else ""
        try:
            data = client.recv(65535)
        except ConnectionRefusedError:
            return "refused"
        except OSError:
            return ""
        if self._flow.proto == UDP:
            return "answered" if data == self._marker[::-1] else ""
        at = 0 if self._flow.family == 6 else (data[0] & 15) * 4
        return "answered" if data[at] in (0, 129) and data[at + 8 :] == self._marker else ""


def checksum(data: bytes) -> int:
    """Of RFC 1071."""
    total = sum(int.from_bytes(data[at : at + 2]) for at in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
