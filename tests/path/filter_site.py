"""A site for filters: a host, a router with the filter, a host; and packets that are really sent through it.

`a` is behind the port `pa` of the router's bridge `br0`, `b` behind its link `rb`; `c` is behind the bridge's other port. What
the kernel makes of a packet is compared with what is foretold of it.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import socket
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

import nswire
from nswire.lab.lab import wait_until
from nswire.path import Flow, trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nswire.lab.lab import Lab
    from nswire.path.values import Way, Ways

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
A, B, C = "10.0.1.2", "10.0.2.2", "10.0.1.3"
A6, B6 = "fd00:1::2", "fd00:2::2"
LOST_AFTER = (
    1.0 if "NSWIRE_PATIENCE" in os.environ else 0.15
)  # seconds; all of this is one machine's, and nothing else is sent
BUILD = """\
r ip link add br0 address 02:00:00:00:01:01 type bridge
r ip link add pa type veth peer name ea address 02:00:00:00:01:02 netns a
r ip link add pc type veth peer name ec address 02:00:00:00:01:03 netns c
r ip link add rb address 02:00:00:00:02:01 type veth peer name eb address 02:00:00:00:02:02 netns b
r ip link set pa master br0
r ip link set pc master br0
r ip address add 10.0.1.1/24 dev br0
r ip address add 10.0.2.1/24 dev rb
r ip address add fd00:1::1/64 dev br0 nodad
r ip address add fd00:2::1/64 dev rb nodad
r ip link set lo up
r ip link set br0 up
r ip link set pa up
r ip link set pc up
r ip link set rb up
r sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
r sysctl -qw net.ipv4.conf.br0.rp_filter=0 net.ipv4.conf.rb.rp_filter=0
r sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 net.bridge.bridge-nf-call-arptables=0 2>/dev/null || :
a ip address add 10.0.1.2/24 dev ea
a ip address add fd00:1::2/64 dev ea nodad
a ip link set lo up
a ip link set ea up
a ip route add default via 10.0.1.1
a ip route add default via fd00:1::1
b ip address add 10.0.2.2/24 dev eb
b ip address add fd00:2::2/64 dev eb nodad
b ip link set lo up
b ip link set eb up
b ip route add default via 10.0.2.1
b ip route add default via fd00:2::1
c ip address add 10.0.1.3/24 dev ec
c ip link set lo up
c ip link set ec up
a ip neigh replace 10.0.1.1 lladdr 02:00:00:00:01:01 dev ea nud permanent
a ip neigh replace 10.0.1.3 lladdr 02:00:00:00:01:03 dev ea nud permanent
a ip neigh replace fd00:1::1 lladdr 02:00:00:00:01:01 dev ea nud permanent
c ip neigh replace 10.0.1.2 lladdr 02:00:00:00:01:02 dev ec nud permanent
r ip neigh replace 10.0.1.2 lladdr 02:00:00:00:01:02 dev br0 nud permanent
r ip neigh replace fd00:1::2 lladdr 02:00:00:00:01:02 dev br0 nud permanent
r ip neigh replace 10.0.2.2 lladdr 02:00:00:00:02:02 dev rb nud permanent
r ip neigh replace fd00:2::2 lladdr 02:00:00:00:02:02 dev rb nud permanent
b ip neigh replace 10.0.2.1 lladdr 02:00:00:00:02:01 dev eb nud permanent
b ip neigh replace fd00:2::1 lladdr 02:00:00:00:02:01 dev eb nud permanent
"""
CLEAN_OLD = "{program} -t {table} -F; {program} -t {table} -X; "
CLEAN_NEW = "nft flush ruleset; "
TABLES = re.compile(r"-t (\w+)")


class Sent(NamedTuple):
    """A packet to be sent: a datagram, a SYN or an echo request."""

    dst: str = B
    proto: int = UDP
    dport: int = 7000
    start: str = "a"
    sport: int = 0
    mark: int = 0


class Site:
    """The site, and what is asked of it."""

    def __init__(self, lab: Lab) -> None:
        self.spaces = {name: lab.namespace("named", name) for name in ("a", "r", "b", "c")}
        self.run(BUILD)
        wait_until(lambda: all(link.operstate != "DOWN" or "UP" not in link.flags for link in nswire.scan()))

    def run(self, lines: str) -> None:
        """Run commands, each in the namespace that its line begins with. All of one namespace at once."""
        for line in lines.splitlines():
            name, _, command = line.partition(" ")
            self.shell(name, command)

    def shell(self, name: str, script: str) -> None:
        """A script in one of the namespaces. AssertionError: it failed."""
        with self.spaces[name].entered():
            done = subprocess.run(["sh", "-ec", script], check=False, capture_output=True, text=True)
        assert done.returncode == 0, f"{script}: {done.stderr}"

    def clean(self, program: str, rules: str) -> None:
        """No filter at all in the router, after such rules of such a program."""
        script = CLEAN_NEW
        if "arptables-legacy" in program:
            script = "arptables-legacy -F; arptables-legacy -X; for c in INPUT OUTPUT; do arptables-legacy -P $c ACCEPT; done; "
        elif "ebtables-legacy" in program:
            policies = "".join(
                f"ebtables-legacy -P {chain} ACCEPT; " for chain in ("INPUT", "FORWARD", "OUTPUT")
            )
            script = (
                "".join(CLEAN_OLD.format(program=program, table=one) for one in ("filter", "nat", "broute"))
                + policies
            )
        elif "legacy" in program:
            tables = {"filter", *TABLES.findall(rules)}
            script = "".join(CLEAN_OLD.format(program=program, table=table) for table in sorted(tables))
        self.shell("r", f"{script}ipset flush; ipset destroy" if "ipset" in rules else script)

    def foretold(self, sent: Sent, recording: str = "") -> Ways:
        """What nswire says becomes of it, live or from a recording, which is made in that file."""
        if recording:
            nswire.record(recording)
        topology = nswire.load(recording) if recording else nswire.scan()
        flow = Flow(sent.dst, "", sent.proto, sent.sport, sent.dport if sent.proto in (TCP, UDP) else 0)
        start = self.spaces[sent.start].inode
        said = trace(topology, topology.lookups(), start, flow, mark=sent.mark).forward
        return replace(said, ways=tuple(_arriving(way) for way in said.ways))

    def arrives(self, sent: Sent, at: str = "b") -> bool:
        """Whether it comes to the stack of its receiver."""
        six = ":" in sent.dst
        family = socket.AF_INET6 if six else socket.AF_INET
        marker = os.urandom(12)
        with contextlib.ExitStack() as stack:
            with self.spaces[at].entered():
                heard = stack.enter_context(socket.socket(family, socket.SOCK_RAW, sent.proto))
            with self.spaces[sent.start].entered():
                kind = {TCP: socket.SOCK_STREAM, UDP: socket.SOCK_DGRAM}.get(sent.proto, socket.SOCK_RAW)
                sender = stack.enter_context(
                    socket.socket(family, kind, 0 if sent.proto in (TCP, UDP) else sent.proto)
                )
                if sent.mark:
                    sender.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, sent.mark)
                sender.bind(("", sent.sport))
                with contextlib.suppress(OSError):
                    self._send(sender, sent, marker)
                told = self._told(sender, sent, marker)
            return self._heard(heard, told)

    @staticmethod
    def _send(sender: socket.socket, sent: Sent, marker: bytes) -> None:
        if sent.proto == TCP:
            sender.setblocking(False)  # noqa: FBT003 (socket's own)
            sender.connect((sent.dst, sent.dport))
        elif sent.proto == UDP:
            sender.sendto(marker, (sent.dst, sent.dport))
        else:
            head = bytes([128 if sent.proto == ICMPV6 else 8, 0, 0, 0]) + marker[:2] + b"\0\1"
            sender.sendto(_checked(head + marker, six=sent.proto == ICMPV6), (sent.dst, 0))

    @staticmethod
    def _told(sender: socket.socket, sent: Sent, marker: bytes) -> bytes:
        """Bytes that are in it, and in nothing else."""
        return sender.getsockname()[1].to_bytes(2, "big") if sent.proto == TCP else marker

    @staticmethod
    def _heard(heard: socket.socket, told: bytes) -> bool:
        while select.select([heard], (), (), LOST_AFTER)[0]:
            if told in heard.recv(65535):
                return True
        return False


def _checked(packet: bytes, *, six: bool) -> bytes:
    """With the checksum of ICMP; that of ICMPv6 is the kernel's to make."""
    if six:
        return packet
    total = sum(int.from_bytes(packet[at : at + 2], "big") for at in range(0, len(packet), 2))
    total = (total & 0xFFFF) + (total >> 16)
    return packet[:2] + (~total & 0xFFFF).to_bytes(2, "big") + packet[4:]


class Case(NamedTuple):
    """Rules in the router (`IPT` is the program's name), a packet, and what becomes of it: D(ropped), P(asses), ? (may be either)."""

    rules: str
    fate: str
    sent: Sent = Sent()


def _arriving(way: Way) -> Way:
    """With what nothing listens for told as delivered: it has passed all filters."""
    return replace(way, fate="delivered") if way.fate == "refused" else way


WORDS = {"D": "dropped", "P": "delivered", "?": "unknown"}


def wrong(site: Site, cases: Iterable[Case], programs: Sequence[str] = ("",)) -> str:
    """Which of them, a line each, are told otherwise than the packet fares, or than the test itself thinks that it would."""
    found = []
    for case in cases:
        for program in programs:
            rules = case.rules.replace("IPT", program)
            site.shell("r", rules)
            foretold = site.foretold(case.sent)
            if case.fate != "?":
                arrived = site.arrives(case.sent, "c" if case.sent.dst == C else "b")
                if arrived != (case.fate == "P"):
                    found.append(f"{case.rules}: the packet itself {'arrives' if arrived else 'is lost'}")
            if foretold.fate != WORDS[case.fate]:
                found.append(f"{program} {case.rules}: {foretold.fate}: {foretold.reason}")
            site.clean(program, rules)
    return "\n".join(found)


def has_arptables(site: Site) -> bool:
    """Whether this kernel has the old tables of ARP."""
    with site.spaces["r"].entered():
        return os.path.exists("/proc/thread-self/net/arp_tables_names")
