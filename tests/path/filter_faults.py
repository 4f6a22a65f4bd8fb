"""A router between two hosts, rules in it, packets that are really sent, and what is said of them: each by itself.

`a` (10.0.1.2, fd00:1::2) is behind `ra` of the router `r`, `b` (10.0.2.2, fd00:2::2) behind its `rb`.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from path_exchanges import ICMP, ICMPV6, TCP, UDP, Real, Spaces

import nswire
from nswire.path import Flow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.lab.lab import Lab

A, B, A6, B6 = "10.0.1.2", "10.0.2.2", "fd00:1::2", "fd00:2::2"
BUILD = """\
r ip link add ra address 02:00:00:00:01:01 type veth peer name ea address 02:00:00:00:01:02 netns a
r ip link add rb address 02:00:00:00:02:01 type veth peer name eb address 02:00:00:00:02:02 netns b
r ip address add 10.0.1.1/24 dev ra
r ip address add 10.0.2.1/24 dev rb
r ip address add fd00:1::1/64 dev ra nodad
r ip address add fd00:2::1/64 dev rb nodad
r ip link set lo up
r ip link set ra up
r ip link set rb up
r sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
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
a ip neigh replace fd00:1::1 lladdr 02:00:00:00:01:01 dev ea nud permanent
r ip neigh replace fd00:1::2 lladdr 02:00:00:00:01:02 dev ra nud permanent
r ip neigh replace fd00:2::2 lladdr 02:00:00:00:02:02 dev rb nud permanent
b ip neigh replace fd00:2::1 lladdr 02:00:00:00:02:01 dev eb nud permanent
"""
PING, PING6 = Flow(B), Flow(B6, "", ICMPV6)
UDP53, TCP80 = Flow(B, "", UDP, 0, 53), Flow(B, "", TCP, 0, 80)
UDP53_6, TCP80_6 = Flow(B6, "", UDP, 0, 53), Flow(B6, "", TCP, 0, 80)


class Case(NamedTuple):
    """Rules (nft's, in the router), a packet of a's, and what becomes of it.

    `fate`: `answered`; `arrives`, but its answer does not; `lost`; `refused`: a reset or an error comes back; with a `?` before
    it: nobody can know that, so `unknown` is said. `where`: whose rules these are. `also`: what is done besides, and `undo` of it.
    """

    rules: str
    fate: str
    flow: Flow = UDP53
    where: str = "r"
    also: str = ""
    undo: str = ""
    at: str = "b"
    mark: int = 0
    start: str = "a"
    size: int = 0


class Router:
    """The site."""

    def __init__(self, lab: Lab, build: str = BUILD) -> None:
        self.spaces = Spaces(lab, build)
        self.spaces.settled()

    def load(self, where: str, rules: str) -> None:
        """Give rules to nft; a chain that is jumped to by a block of rules, and the like, as nft's text has it."""
        with self.spaces[where].entered():
            done = subprocess.run(
                ["nft", "-f", "-"],
                input=f"flush ruleset\n{rules}",
                text=True,
                capture_output=True,
                check=False,
            )
        assert done.returncode == 0, f"{rules}: {done.stderr}"

    def has(self, file: str) -> bool:
        """Whether the router's kernel has something."""
        with self.spaces["r"].entered():
            return os.path.exists(file)

    def both(self, case: Case) -> tuple[Real | str, Real]:
        """What is said, and what really happens."""
        said, real = self.spaces.both(case.start, case.flow, mark=case.mark, size=case.size)
        nobody = said.trace.forward.reason is not None and said.trace.forward.reason.drop == "NO_SOCKET"
        told = "unknown" if "unknown" in (said.fate, said.answer) else said.as_real
        if nobody and isinstance(told, Real) and told.answer == "answered":
            told = told._replace(answer="refused")
        self.last = said
        return told, real

    def wrong(self, cases: Iterable[Case]) -> list[str]:
        """Which cases are told otherwise than they go, or go otherwise than the test thinks."""
        found = []
        for case in cases:
            self.load(case.where, case.rules)
            self.spaces.run(case.also)
            said, real = self.both(case)
            self.spaces.run(case.undo)
            self.load(case.where, "")
            unknown = case.fate.startswith("?")
            wanted = {
                "answered": Real((case.at,), "answered"),
                "refused": Real((case.at,), "refused"),
                "arrives": Real((case.at,), ""),
                "lost": Real((), ""),
            }.get(case.fate.removeprefix("?"))
            if wanted is not None and real != wanted:
                found.append(f"{case.rules}\n    is {real}, and the test says {case.fate}")
            if said != ("unknown" if unknown else real):
                reply = self.last.trace.reply
                found.append(
                    f"{case.rules}\n    is {real}, said {said}: {self.last.reason}"
                    f" / {reply.reason if reply is not None else 'no answer'}"
                )
        return found


def chain(
    rule: str, hook: str = "forward", priority: str = "0", kind: str = "filter", family: str = "ip"
) -> str:
    """A table with one chain with these rules."""
    return f"table {family} t {{ chain c {{ type {kind} hook {hook} priority {priority}; {rule}; }}; }}\n"


__all__ = [
    "A6",
    "B6",
    "ICMP",
    "ICMPV6",
    "PING",
    "PING6",
    "TCP",
    "TCP80",
    "TCP80_6",
    "UDP",
    "UDP53",
    "UDP53_6",
    "A",
    "B",
    "Case",
    "Flow",
    "Router",
    "chain",
    "nswire",
]  # fmt: skip
