"""One laboratory for all rulesets: hosts, routers and a bridge that are built once. Rulesets are exchanged in it, packets sent.

Neighbours are known for good and all links are veth, so a packet has arrived, or has not, some microseconds after it was sent.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from rulesets_packets import SLOW, Post

from nswire.lab.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nswire.lab.netns import Ns

LISTENED = (53, 80, 443, 5000)
PROGRAM = 60.0 if SLOW else 10.0  # seconds that nft may take
NODES = "a r q b s c d e".split()
FORWARDING = "rqs"


class Leg(NamedTuple):
    """A link of a node and its addresses; `segment` numbers the subnet."""

    node: str
    link: str
    segment: int
    host: int

    @property
    def ipv4(self) -> str:
        """Its address."""
        return f"10.{self.segment}.0.{self.host}"

    @property
    def ipv6(self) -> str:
        """Its address."""
        return f"fd00:{self.segment}::{self.host}"

    @property
    def mac(self) -> str:
        """Its MAC."""
        return f"02:00:00:00:{self.segment:02x}:{self.host:02x}"


LEGS = (
    Leg("a", "a0", 1, 2),
    Leg("r", "r0", 1, 1),
    Leg("r", "r1", 2, 1),
    Leg("b", "b0", 2, 2),
    Leg("a", "a1", 3, 2),
    Leg("q", "q0", 3, 1),
    Leg("q", "q1", 4, 1),
    Leg("b", "b1", 4, 2),
    Leg("s", "br0", 5, 1),
    Leg("c", "c0", 5, 2),
    Leg("d", "d0", 5, 3),
    Leg("s", "s1", 6, 1),
    Leg("e", "e0", 6, 2),
)
PAIRS = (("a0", "r0"), ("r1", "b0"), ("a1", "q0"), ("q1", "b1"), ("c0", "p0"), ("d0", "p1"), ("s1", "e0"))
BY_LINK = {leg.link: leg for leg in LEGS}
OWNER = {leg.link: leg.node for leg in LEGS} | {"p0": "s", "p1": "s"}
UNROUTED = {
    "a": ("10.9.0.1", "fd00:9::1"),
    "c": ("10.9.5.1", "fd00:9:5::1"),
}  # theirs, but nobody has a route
NOWHERE = ("198.51.100.7", "2001:db8::7")
MARKED, TOS = 7, 0x10  # what has this mark, or this TOS, is routed into a black hole
ROUTES = {  # destination segment -> the way there, by node
    "a": {2: (1, 1), 4: (3, 1)},
    "b": {1: (2, 1), 3: (4, 1)},
    "r": {3: (1, 2), 4: (2, 2)},
    "q": {1: (3, 2), 2: (4, 2)},
    "c": {0: (5, 1)},
    "d": {0: (5, 1)},
    "e": {0: (6, 1)},
}


class Line(NamedTuple):
    """One command of a ruleset: what `tool` is given in a node. `clauses` are its pieces, the first of which cannot be left out.

    `forms`: what of the grammar is in it. `subject`: it is what the ruleset was made for. `table`: of iptables.
    """

    node: str
    tool: str
    clauses: tuple[str, ...]
    forms: tuple[str, ...] = ()
    subject: bool = False
    table: str = ""

    @property
    def text(self) -> str:
        """The command."""
        return " ".join(one for one in self.clauses if one)


class Refused(Exception):
    """A program does not take a command; what it says."""


class Laboratory:
    """The nodes, their sockets, and what rulesets left in them. A context manager."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self.nodes: dict[str, Ns] = {}
        self._tracking: dict[str, socket.socket] = {}
        self._touched: set[tuple[str, str]] = set()
        self._sysctls: dict[tuple[str, str], str] = {}

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            lab = self._stack.enter_context(Lab())
            subprocess.run(["modprobe", "br_netfilter"], capture_output=True, check=False)
            stack.callback(self._stack.close)
            for name in NODES:
                self.nodes[name] = lab.namespace("named", name)
            self._wire()
            for name, ns in self.nodes.items():
                with ns.entered():
                    tracking = self._stack.enter_context(
                        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
                    )
                    tracking.bind((0, 0))
                    self._tracking[name] = tracking
            self.post = Post(self._stack, self.nodes, LISTENED)
            stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    # -- building ------------------------------------------------------------------------------------------------

    def _wire(self) -> None:
        batches: dict[str, list[str]] = {name: [] for name in NODES}
        for name in NODES:
            for key, value in _sysctls(name):
                self.set(name, key, value)
        batches["s"].append(
            "link add br0 address 02:00:00:00:05:01 type bridge forward_delay 0 mcast_snooping 0"
        )
        for one, other in PAIRS:
            macs = [f"address {BY_LINK[link].mac}" if link in BY_LINK else "" for link in (one, other)]
            batches[OWNER[one]].append(
                f"link add {one} {macs[0]} type veth peer name {other} {macs[1]} netns {OWNER[other]}"
            )
        for node, batch in batches.items():
            self.ip(node, [*batch, "link set lo up"])
        batches = {name: [] for name in NODES}
        batches["s"] += ["link set p0 master br0 up", "link set p1 master br0 up"]
        for leg in LEGS:
            batches[leg.node] += [
                f"address add {leg.ipv4}/24 dev {leg.link}",
                f"address add {leg.ipv6}/64 dev {leg.link} nodad",
                f"link set {leg.link} up",
            ]
        for node, batch in batches.items():
            self.ip(node, batch)
        for node in NODES:
            self.ip(node, _routes(node))
        for node in NODES:
            self.ip(node, _neighbours(node))

    def ip(self, node: str, lines: Sequence[str]) -> None:
        """`ip -batch` in a node. Refused."""
        if lines:
            self.run(node, ["ip", "-batch", "-"], "\n".join(lines) + "\n")

    def set(self, node: str, key: str, value: str) -> str:
        """Set a sysctl; what it was."""
        with self.nodes[node].entered():
            file = Path("/proc/sys", key)
            old = file.read_text().strip()
            if old != value:
                file.write_text(value)
        return old

    def run(self, node: str, command: Sequence[str], text: str = "") -> str:
        """A program in a node. Refused, if it is not satisfied."""
        try:
            with self.nodes[node].entered():
                done = subprocess.run(
                    command,
                    input=text,
                    capture_output=True,
                    text=True,
                    errors="replace",
                    check=False,
                    timeout=PROGRAM,
                )
        except subprocess.TimeoutExpired:
            raise Refused(f"{node}: {command[0]} does not come back") from None
        if done.returncode:
            raise Refused(f"{node}: {command[0]}: {done.stderr.strip() or done.stdout.strip()}"[:600])
        return done.stdout

    # -- rulesets ------------------------------------------------------------------------------------------------

    def load(
        self, lines: Sequence[Line], *, strict: bool = False
    ) -> tuple[list[Line], list[tuple[Line, str]]]:
        """Put a ruleset in place of the one before: the lines that were taken, and those that were refused, and why.

        Refused, if it is the subject that was (or any line, if `strict`).
        """
        self.clear()
        groups: list[list[Line]] = []
        for line in lines:
            if groups and groups[-1][0][:2] == line[:2] and groups[-1][0].table == line.table:
                groups[-1].append(line)
            else:
                groups.append([line])
        taken: list[Line] = []
        refused: list[tuple[Line, str]] = []
        for group in groups:
            left = list(group)
            while left:
                try:
                    self._give(left)
                    break
                except Refused as why:
                    at = _blamed(str(why), left)
                    if strict or left[at].subject:
                        raise
                    refused.append((left.pop(at), str(why)))
            taken += left
        return taken, refused

    def _give(self, group: list[Line]) -> None:
        node, tool = group[0][:2]
        self._touched.add((node, tool))
        texts = [line.text for line in group]
        if tool == "nft":
            self.run(node, ["nft", "-f", "-"], "\n".join(texts) + "\n")
        elif tool == "ipset":
            self.run(node, ["ipset", "restore", "-exist"], "\n".join(texts) + "\n")
        elif tool == "ip":
            self.ip(node, texts)
        elif tool == "sysctl":
            for text in texts:
                key, value = text.split()
                self._sysctls.setdefault((node, key), self.set(node, key, value))
        elif tool == "arptables-legacy":  # whose restore does not work
            for text in texts:
                self.run(node, [tool, *text.split()])
        else:
            rules = "".join(f"{text}\n" for text in texts)
            self.run(node, [f"{tool}-restore", "--noflush"], f"*{group[0].table}\n{rules}COMMIT\n")

    def clear(self) -> None:
        """Nothing of a ruleset is left, and no connection is known."""
        again = {(node, "nft" if tool.endswith("-nft") else tool) for node, tool in self._touched}
        last = [one for one in again if one[1] in ("ipset", "ip")]
        for node, tool in (*(one for one in again if one not in last), *last):
            if tool == "nft":
                self._flush(node)
            elif tool == "ipset":
                self._destroy(node)
            elif tool == "ip":
                self.ip(node, _neighbours(node))
            elif tool.endswith("-legacy"):
                self._empty(node, tool)
        for (node, key), value in self._sysctls.items():
            self.set(node, key, value)
        self._sysctls.clear()
        self._touched.clear()
        self.forget()

    def _flush(self, node: str) -> None:
        """`nft flush ruleset`, without the program, which lists all that there is before: NFT_MSG_DELTABLE of no family and name."""
        sock = self._tracking[node]
        parts = [
            struct.pack(
                "=IHHIIBBH", 20, 0x10, 1, 1, 0, 0, 0, socket.htons(10)
            ),  # NFNL_MSG_BATCH_BEGIN, for nf_tables
            struct.pack("=IHHIIBBH", 20, 10 << 8 | 2, 1 | 4, 2, 0, 0, 0, 0),
            struct.pack("=IHHIIBBH", 20, 0x11, 1, 3, 0, 0, 0, socket.htons(10)),
        ]
        sock.send(b"".join(parts))
        answer = sock.recv(65535)
        code = struct.unpack("=i", answer[16:20])[0]
        if code:
            raise OSError(-code, f"{node}: flush ruleset: {os.strerror(-code)}")

    def _destroy(self, node: str) -> None:
        """`ipset destroy`, once the kernel has let go of rules that are gone: nf_tables does so some time later.

        After a refused batch it never does; what stays is empty, and names are not used twice.
        """
        for _ in range(3):
            with contextlib.suppress(Refused):
                self.run(node, ["ipset", "destroy"])
                return
        self.run(node, ["ipset", "flush"])

    def _empty(self, node: str, tool: str) -> None:
        if tool == "arptables-legacy":
            self.run(node, [tool, "-F"])
            return
        for table, chains in EMPTY[tool.split("-", 1)[0]].items():
            text = "".join(f":{chain} ACCEPT [0:0]\n" for chain in chains.split())
            try:
                self.run(node, [f"{tool}-restore"], f"*{table}\n{text}COMMIT\n")
            except Refused as why:
                raise RuntimeError(str(why)) from None

    def forget(self) -> None:
        """Flush all connections: IPCTNL_MSG_CT_DELETE without a tuple."""
        for sock in self._tracking.values():
            sock.send(struct.pack("=IHHIIBBH", 20, 1 << 8 | 2, 1 | 4, 1, 0, 0, 0, 0))
            sock.recv(4096)


EMPTY = {
    "iptables": {
        "filter": "INPUT FORWARD OUTPUT",
        "nat": "PREROUTING INPUT OUTPUT POSTROUTING",
        "mangle": "PREROUTING INPUT FORWARD OUTPUT POSTROUTING",
        "raw": "PREROUTING OUTPUT",
        "security": "INPUT FORWARD OUTPUT",
    },
}
EMPTY["ip6tables"] = EMPTY["iptables"]


def _blamed(why: str, group: list[Line]) -> int:
    """The line that a program complains of; the last, if it does not say which."""
    found = re.search(r"(?:stdin|-):(\d+):|line:? (\d+)", why)
    if found is None:
        return len(group) - 1
    at = int(found[1] or found[2]) - (1 if group[0].tool in ("nft", "ipset", "ip") else 2)
    return min(max(at, 0), len(group) - 1)


def _sysctls(name: str) -> list[tuple[str, str]]:
    quiet = [
        ("net/ipv6/conf/default/accept_dad", "0"),
        ("net/ipv6/conf/default/router_solicitations", "0"),
        ("net/ipv6/conf/all/accept_ra", "0"),
        ("net/ipv4/tcp_synack_retries", "0"),
        ("net/ipv4/icmp_ratelimit", "0"),
        ("net/ipv4/conf/all/rp_filter", "0"),
        ("net/ipv4/conf/default/rp_filter", "0"),
    ]
    if name in FORWARDING:
        quiet += [("net/ipv4/ip_forward", "1"), ("net/ipv6/conf/all/forwarding", "1")]
    if name == "s" and Path("/proc/sys/net/bridge").is_dir():
        quiet += [(f"net/bridge/bridge-nf-call-{one}tables", "0") for one in ("ip", "ip6", "arp")]
    return quiet


def _routes(node: str) -> list[str]:
    lines = []
    for target, (segment, host) in ROUTES.get(node, {}).items():
        lines += [
            f"route add {f'10.{target}.0.0/24' if target else 'default'} via 10.{segment}.0.{host}",
            f"route add {f'fd00:{target}::/64' if target else 'default'} via fd00:{segment}::{host}",
        ]
    if node == "a":
        lines += ["route add default via 10.1.0.1", "route add default via fd00:1::1"]
    if node in UNROUTED:
        ipv4, ipv6 = UNROUTED[node]
        lines += [f"address add {ipv4}/32 dev lo", f"address add {ipv6}/128 dev lo nodad"]
    for word in ("", "-6 "):
        lines.append(
            f"{word}route add blackhole default table 77".replace("-6 route", "route").replace(
                "default", "::/0" if word else "0.0.0.0/0"
            )
        )
    return lines


def _neighbours(node: str) -> list[str]:
    lines = []
    for mine in (leg for leg in LEGS if leg.node == node):
        for other in LEGS:
            if other.segment == mine.segment and other.node != node:
                lines += [
                    f"neigh replace {address} lladdr {other.mac} dev {mine.link} nud permanent"
                    for address in (other.ipv4, other.ipv6)
                ]
    return lines
