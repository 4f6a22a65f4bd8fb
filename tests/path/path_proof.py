"""Predicts, sends, compares: one random network after the other.

tools/private-host .venv/bin/python tests/path/path_proof.py FIRST LAST; -d shows what it does.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import path_worlds as worlds
from path_probes import ICMP, ICMPV6, TCP, UDP, Observed, Probe, Seen, Sent, Watch
from path_troubles import PORTS

import nswire
from nswire.kinds import port_details
from nswire.lab.lab import Lab
from nswire.model.reasons import Cause
from nswire.model.values import End
from nswire.path import Flow, trace
from nswire.path.ip import neighbour
from nswire.path.values import ARRIVED
from nswire.show import text_path
from nswire.show.terminal import Paper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nswire.model.tables import Lookups, Query
    from nswire.model.values import NsKey
    from nswire.path.values import Trace, Way

    Show = Callable[[worlds.World, nswire.Topology, list[Trace], list[tuple[Seen, bytes]]], None]

FORWARDING = "forwarding"
Passed = tuple[int, int, str]  # namespace, ifindex, direction

KINDS = {
    "vlan": "link add link vv name xx type vlan id 4",
    "macvlan": "link add link vv name xx type macvlan",
    "ipvlan": "link add link vv name xx type ipvlan",
    "vxlan": "link add xx type vxlan id 4 dstport 4789",
    "geneve": "link add xx type geneve id 4 remote 192.0.2.1",
    "gretap": "link add xx type gretap remote 192.0.2.1 local 192.0.2.2",
    "netkit": "link add xx type netkit peer name yy",
    "vlan_filtering": "link add xx type bridge vlan_filtering 1 vlan_default_pvid 0",
    "bond": "link add xx type bond mode active-backup",
    "vrf": "link add xx type vrf table 10",
}


RULES = {
    "reject": ("ip", "icmp type echo-request reject"),
    "bridge-nft": ("bridge", "ip saddr 192.0.2.1 drop"),
}


class Verdict(NamedTuple):
    """A probe, what was said of it, and what became of it. `right` is None where nothing was said.

    `tables`: the same for what is said without the kernel's own lookups, as from a recording. `once`: it is wrong, but was
    right in the same network made anew.
    """

    seed: int
    probe: Probe
    said: str
    was: str
    right: bool | None
    tables: bool | None
    reason: str
    features: tuple[str, ...]
    segments: tuple[str, ...]
    difference: str = ""
    once: bool = False

    @property
    def wrong(self) -> bool:
        """Whether anything that was said is not so."""
        return self.right is False or self.tables is False

    @property
    def found(self) -> str:
        """What came out, in a word."""
        return "unsteady" if self.once else FOUND[self.right]

    @property
    def told(self) -> str:
        """What is wrong, for people."""
        return f"{self.seed} {self.probe} {self.features}\n said: {self.said}: {self.reason}\n was: {self.was}\n {self.difference}"


FOUND = {True: "right", None: "unknown", False: "wrong"}


def kinds() -> frozenset[str]:
    """The kinds of links that this kernel, and this ip, can make."""
    subprocess.run(["ip", "link", "add", "vv", "type", "veth", "peer", "name", "ww"], check=True)
    have = set()
    for kind, command in KINDS.items():
        done = subprocess.run(["ip", *command.split()], capture_output=True, check=False)
        if not done.returncode:
            have.add(kind)
            subprocess.run(["ip", "link", "del", "xx"], check=True)
    subprocess.run(["ip", "link", "del", "vv"], check=True)
    for name, (family, rule) in RULES.items():
        table = f"table {family} xx {{ chain c {{ type filter hook input priority 0; {rule}; }}; }}"
        if not subprocess.run(["nft", table], capture_output=True, check=False).returncode:
            have.add(name)
            subprocess.run(["nft", f"delete table {family} xx"], check=True)
    subprocess.run(["modprobe", "br_netfilter"], capture_output=True, check=False)
    if Path("/proc/sys/net/bridge").is_dir():
        have.add("br_netfilter")
    return frozenset(have)


def probes(world: worlds.World) -> list[Probe]:
    """Some packets worth sending."""
    rng = world.rng
    found = []
    legs = [leg for legs in world.legs.values() for _, leg in legs]
    for number in range(4):
        source = rng.choice([node for node in world.legs if not node.startswith("sw")])
        target = rng.choice([leg for leg in legs if leg.node != source] or legs)
        six = rng.random() < 0.2
        dst = target.ipv6 if six else target.ipv4
        chance = rng.random()
        if chance < 0.08:
            dst = dst[: dst.rindex(":" if six else ".")] + (":77" if six else ".77")
        elif chance < 0.14:
            dst = "2001:db8::7" if six else "198.51.100.7"
        proto = rng.choice((ICMPV6 if six else ICMP, UDP, TCP))
        size = rng.choice((0, 0, 0, 1320, 1440, 1480, 1500)) if proto != TCP else 0
        mark = 7 if rng.random() < 0.1 else 0
        found.append(Probe(source, dst, proto, 21000 + number, rng.choice(PORTS), size, mark))
    return found


def links_of(way: Way) -> list[Passed]:
    """The links that a packet passes, as predicted."""
    return [
        (step.end.ns, step.end.ifindex, step.way)
        for hop in way.hops
        for step in hop.steps
        if step.way and step.end is not None
    ]


def _is_nobody(cause: Cause | None) -> bool:
    """Whether it is lost because nobody answers for an address."""
    if cause is None:
        return False
    inner = (value for value in cause.values.values() if isinstance(value, Cause))
    return cause.reason in (neighbour.NOBODY, neighbour.NOBODY_SINCE) or any(map(_is_nobody, inner))


def prove(seed: int, have: frozenset[str], show: Show | None = None) -> list[Verdict]:
    """One network: what was said of its packets, and what became of them. RuntimeError if it cannot be built."""
    with Lab() as lab:
        world = worlds.make(lab, seed, have)
        world.build()
        topology = settled(world)
        wanted = probes(world)
        lookups = topology.lookups()
        said = [foretold(topology, lookups, world, one) for one in wanted]
        silent = next((at for at, one in enumerate(said) if _is_nobody(one.forward.reason)), None)
        if (
            silent is not None
        ):  # whoever does not answer is learned from what it asks itself, because of the others
            wanted, said = [wanted[silent]], [said[silent]]
        alone = [foretold(topology, TablesAlone(lookups), world, one) for one in wanted]
        with Watch(world.nodes) as watch:
            sent = [Sent(one) for one in wanted]
            with contextlib.ExitStack() as open_sockets:
                for one in sent:
                    open_sockets.enter_context(one.send(world.nodes[one.probe.node]))
                frames, delivered = watch.gather(sent)
        if watch.overrun:
            raise RuntimeError("packets were lost by the watch itself")
        if show is not None:
            show(world, topology, said, frames)
        judge = Judge(world, topology)
        return [
            judge.verdict(one, path, tables, one.observed(frames, delivered))
            for one, path, tables in zip(sent, said, alone, strict=True)
        ]


class TablesAlone:
    """`Lookups` without the kernel's own decisions, as of a recording."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lookups, name)

    def decision(self, _: NsKey, __: Query, /) -> None:
        """Not asked."""


def foretold(topology: nswire.Topology, lookups: Lookups, world: worlds.World, probe: Probe) -> Trace:
    """What is said of a packet."""
    ported = probe.proto in (TCP, UDP)
    flow = Flow(probe.dst, "", probe.proto, probe.sport if ported else 0, probe.dport if ported else 0)
    start = world.nodes[probe.node].inode
    return trace(topology, lookups, start, flow, mark=probe.mark, size=probe.size, reply=False)


class Judge:
    """Compares what was said with what was seen."""

    def __init__(self, world: worlds.World, topology: nswire.Topology) -> None:
        self._world = world
        self._topology = topology
        self._names = {ns.inode: name for name, ns in world.nodes.items()}
        self._indexes = {(self._names.get(link.end.ns), link.ifname): link.ifindex for link in topology}

    def verdict(self, sent: Sent, path: Trace, alone: Trace, seen: Observed) -> Verdict:
        """What became of a packet, and whether that was said; `alone`: what the tables alone say."""
        real = [
            (self._world.nodes[s.node].inode, self._indexes.get((s.node, s.link), 0), s.way)
            for s in seen.seen
        ]
        right, tables = (self._right(one, real, seen.got) for one in (path, alone))
        wrong = path if right is False else alone if tables is False else None
        difference = ""
        if wrong is not None:
            foreseen = [self._told(links_of(way)) for way in wrong.forward.ways]
            difference = f"said {wrong.forward.reason}, {foreseen} saw {self._told(real)} error {sent.error}"
        return Verdict(
            self._world.seed,
            sent.probe,
            path.forward.fate,
            f"delivered to {seen.got[0]}" if seen.got else "lost",
            right,
            tables,
            str(path.forward.reason),
            tuple(self._world.features),
            tuple(segment.kind for segment in self._world.segments),
            difference,
        )

    def _right(self, path: Trace, real: list[Passed], got: tuple[str, ...]) -> bool | None:
        """The fate, where it ends, and each link that it passed, in and out, are as they were said to be. None: not said."""
        fate, ways = path.forward.fate, path.forward.ways
        if fate == "unknown":
            return None
        ends = {self._names.get(way.end.ns) for way in ways if way.end is not None}
        arrived = (fate in ARRIVED) == bool(got) and (not got or got[0] in ends)
        return arrived and any(fits(way, real) for way in ways)

    def _told(self, passed: list[Passed]) -> str:
        words = []
        for ns, ifindex, direction in passed:
            link = self._topology.get(End(ns, ifindex))
            words.append(f"{self._names.get(ns, '?')}/{link.ifname if link else ifindex} {direction}")
        return ", ".join(words)


def fits(way: Way, real: list[Passed]) -> bool:
    """Whether a packet was seen where it was said to pass, and nowhere else, unless a bridge floods it."""
    foreseen, seen = Counter(links_of(way)), Counter(real)
    flooded = any(step.type == "flood" for hop in way.hops for step in hop.steps)
    return foreseen == seen or (flooded and foreseen <= seen)


def settled(world: worlds.World) -> nswire.Topology:
    """The network once nothing is on its way any more: carriers and port states come a little after what causes them."""
    left: list[str] = []
    for _ in range(500):
        topology = nswire.scan()
        left = [link.ifname for link in topology if not _settled(link, world.forced)]
        if not left:
            return topology
        threading.Event().wait(0.01)
    raise RuntimeError(f"it does not settle: {', '.join(left)}")


def _settled(link: nswire.Link, forced: dict[str, str]) -> bool:
    if "UP" not in link.flags:
        return True
    if link.peer is None:  # until it is said to be up, packets for it go nowhere, also if it has its carrier
        below = [link.lower] if link.lower else [port for port in link.ports if _state(port) == FORWARDING]
        return link.operstate in ("UP", "UNKNOWN") or not any("LOWER_UP" in one.flags for one in below)
    if "UP" not in link.peer.flags:
        return "LOWER_UP" not in link.flags
    return link.operstate == "UP" and (link.ifname in forced or _state(link) == FORWARDING)


def _state(link: nswire.Link) -> str:
    """What a bridge does with a port; whatever is no port forwards."""
    if link.fact.slave_kind != "bridge":
        return FORWARDING
    return str(port_details(link.fact).get("state", FORWARDING))


def shown(
    world: worlds.World, topology: nswire.Topology, said: list[Trace], frames: list[tuple[Seen, bytes]]
) -> None:
    """The commands that made it, what was said, and all that was seen."""
    for name, table in vars(world).items():
        if isinstance(table, dict) and name.startswith("_"):
            for node, lines in table.items():
                sys.stdout.writelines(f"{node}: {name[1:]} {line}\n" for line in lines)
    for path in said:
        paper = Paper(sys.stdout, columns=None, color=False)
        text_path.write_trace(paper, topology, path, notes=(), hops=False)
    for one, data in sorted(frames, key=lambda pair: pair[0].at):
        sys.stdout.write(f"{one.at / 1e9 % 1000:.6f} {one.node}/{one.link} {one.way} {data[:46].hex()}\n")


def run(
    seeds: Iterable[int], have: frozenset[str], show: Show | None = None
) -> tuple[list[Verdict], list[str]]:
    """The verdicts of many networks, and why some could not be built.

    A network with anything wrong is made once more: the machine may have been too busy to deliver in time. What is wrong
    only once is marked so.
    """
    verdicts: list[Verdict] = []
    failed: list[str] = []
    for seed in seeds:
        try:
            found = prove(seed, have, show)
            if any(one.wrong for one in found):
                again = prove(seed, have)
                found = [
                    one._replace(once=one.wrong and not other.wrong)
                    for one, other in zip(found, again, strict=True)
                ]
            verdicts += found
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            failed.append(f"{seed}: {error}")
    return verdicts, failed


def main() -> int:
    """Prove some, and tell; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description="Say what becomes of packets, send them, and compare.")
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int, help="the first that is not made any more")
    parser.add_argument("--json", type=Path, help="write the verdicts there")
    parser.add_argument(
        "-d", action="store_true", help="show each network, what was said, and all that was seen"
    )
    asked = parser.parse_args()
    have = kinds()
    verdicts, failed = run(range(asked.first, asked.last), have, shown if asked.d else None)
    if asked.json is not None:
        result = {
            "kernel": os.uname().release,
            "date": datetime.now(UTC).date().isoformat(),
            "seeds": [asked.first, asked.last],
            "have": sorted(have),
            "verdicts": [one._asdict() for one in verdicts],
            "failed": failed,
        }
        asked.json.write_text(json.dumps(result, indent=1, default=str))
    for one in verdicts:
        if one.wrong:
            sys.stdout.write(f"{one.told}\n")
    sys.stdout.writelines(f"not built: {one[:600]}\n" for one in failed)
    counts = Counter(one.found for one in verdicts)
    tables = Counter("unsteady" if one.once else FOUND[one.tables] for one in verdicts)
    sys.stdout.write(f"{os.uname().release}: {dict(counts)}; by the tables alone: {dict(tables)}\n")
    return int(any(one.wrong and not one.once for one in verdicts) or bool(failed))


if __name__ == "__main__":
    sys.exit(main())
