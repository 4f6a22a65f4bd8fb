"""Random networks to prove paths in: namespaces, segments between them, routes, and things that go wrong. Built by ip, bridge, nft.

A world is made from a seed; the same seed makes the same one, on kernels that have the same kinds of links.
"""

from __future__ import annotations

import random
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from path_troubles import TROUBLE

from nswire.lab.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.lab.netns import Ns

VRF = 10  # the table of vrf0


class Leg(NamedTuple):
    """A node's end of a segment: its link there, its addresses."""

    node: str
    link: str
    ipv4: str
    ipv6: str


class Segment:
    """A broadcast domain: its numbers and who is on it."""

    def __init__(self, number: int, kind: str) -> None:
        self.number = number
        self.kind = kind
        self.legs: list[Leg] = []
        self.switch = ""
        self.ports: list[str] = []


ASKING = "retrans 100 proxy_delay 0"  # milliseconds: a question that nobody answers must not take seconds


class World:
    """A network that is being made: commands by namespace, until `build` runs them."""

    def __init__(self, lab: Lab, seed: int, have: frozenset[str]) -> None:
        self.lab = lab
        self.seed = seed
        self.rng = random.Random(seed)
        self.have = have
        self.nodes: dict[str, Ns] = {}
        self.segments: list[Segment] = []
        self.features: list[str] = []
        self.forced: dict[str, str] = {}
        self.vrfs: set[str] = set()
        self.legs: dict[str, list[tuple[Segment, Leg]]] = defaultdict(list)
        self._links: dict[str, list[str]] = defaultdict(list)
        self._ip: dict[str, list[str]] = defaultdict(list)
        self._late: dict[str, list[str]] = defaultdict(list)
        self._bridge: dict[str, list[str]] = defaultdict(list)
        self._sysctls: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._scripts: dict[str, list[str]] = defaultdict(list)
        self._nft: dict[str, list[str]] = defaultdict(list)

    def node(self, name: str) -> None:
        """A namespace; one that forwards is called r..., a switch sw..."""
        self.nodes[name] = self.lab.namespace("named", name)
        with self.nodes[name].entered():
            Path("/proc/sys/net/ipv6/conf/default/accept_dad").write_text("0")
        self._ip[name].append("link set lo up")
        if name.startswith("r"):
            self.sysctl(name, "ipv4/ip_forward", "1")
            self.sysctl(name, "ipv6/conf/all/forwarding", "1")

    def links(self, node: str, line: str) -> None:
        """An `ip link add` in a node, before anything else; other nodes are named as namespaces."""
        self._links[node].append(line)

    def ip(self, node: str, line: str) -> None:
        """A line for `ip -batch`."""
        self._ip[node].append(line)

    def late(self, node: str, line: str) -> None:
        """A line for `ip -batch`, once all nodes are up. The routes of a VRF's node are those of its VRF."""
        if node in self.vrfs and line.startswith("route ") and " table " not in line:
            line = f"{line} table {VRF}"
        self._late[node].append(line)

    def bridge(self, node: str, line: str) -> None:
        """A line for `bridge -batch`."""
        self._bridge[node].append(line)

    def sysctl(self, node: str, name: str, value: str) -> None:
        """A file under /proc/sys/net."""
        self._sysctls[node].append((name, value))

    def nft(self, node: str, text: str) -> None:
        """A piece of a script for nft."""
        self._nft[node].append(text)

    def shell(self, node: str, command: str) -> None:
        """A command."""
        self._scripts[node].append(command)

    def build(self) -> None:
        """Make it. CalledProcessError."""
        for node, lines in self._links.items():
            self._run(node, ["ip", "-batch", "-"], lines)
        for node, lines in self._ip.items():
            self._run(node, ["ip", "-batch", "-"], lines)
        for node, values in self._sysctls.items():
            with self.nodes[node].entered():
                for name, value in values:
                    with open(f"/proc/sys/net/{name}", "w") as file:
                        file.write(value)
        for node, lines in self._bridge.items():
            self._run(node, ["bridge", "-batch", "-"], lines)
        for node, lines in self._late.items():
            self._run(node, ["ip", "-batch", "-"], lines)
        for node, lines in self._nft.items():
            self._run(node, ["nft", "-f", "-"], lines)
        for node, commands in self._scripts.items():
            self._run(node, ["sh", "-e"], commands)

    def _run(self, node: str, command: list[str], lines: list[str]) -> None:
        text = "\n".join(lines) + "\n"
        with self.nodes[node].entered():
            done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{node}: {' '.join(command)}: {done.stderr}\n{text}")


# -- segments ----------------------------------------------------------------------------------------------------


def _addresses(world: World, segment: Segment, node: str, link: str) -> Leg:
    """Give a node its addresses on a segment."""
    host = len(segment.legs) + 1
    leg = Leg(node, link, f"10.{segment.number}.0.{host}", f"fd00:{segment.number:x}::{host:x}")
    segment.legs.append(leg)
    world.legs[node].append((segment, leg))
    if node in world.vrfs:
        world.ip(node, f"link set {link} master vrf0")
    for table in ("arp_cache", "ndisc_cache"):
        world.ip(node, f"ntable change name {table} dev {link} {ASKING}")
    world.ip(node, f"address add {leg.ipv4}/24 dev {link}")
    world.ip(node, f"address add {leg.ipv6}/64 dev {link} nodad")
    world.ip(node, f"link set {link} up")
    return leg


def pair(world: World, number: int, members: list[str]) -> Segment:
    """Two nodes, one veth."""
    segment = Segment(number, "veth")
    one, other = members[:2]
    kind = "netkit mode l2" if "netkit" in world.have and world.rng.random() < 0.4 else "veth"
    world.links(one, f"link add v{number}a type {kind} peer name v{number}b netns {other}")
    _addresses(world, segment, one, f"v{number}a")
    _addresses(world, segment, other, f"v{number}b")
    return segment


def _port(world: World, segment: Segment, node: str, link: str) -> str:
    """A veth from a node to the segment's switch; the name of the port."""
    port = f"p{segment.number}_{len(segment.ports)}"
    segment.ports.append(port)
    world.links(segment.switch, f"link add {port} type veth peer name {link} netns {node}")
    world.ip(segment.switch, f"link set {port} master br{segment.number} up")
    return port


def switched(world: World, number: int, members: list[str]) -> Segment:
    """A bridge in a namespace of its own, with or without VLANs; some members by macvlan or VLAN on top of their port."""
    rng = world.rng
    segment = Segment(number, "bridge")
    segment.switch = f"sw{number}"
    world.node(segment.switch)
    vlans = rng.random() < 0.4 and "vlan_filtering" in world.have
    options = "vlan_filtering 1 vlan_default_pvid 0" if vlans else ""
    world.links(segment.switch, f"link add br{number} type bridge forward_delay 0 {options}")
    world.ip(segment.switch, f"link set br{number} up")
    vlan = rng.choice((5, 100))
    for node in members:
        link = f"e{number}"
        port = _port(world, segment, node, link)
        tagged = vlans and "vlan" in world.have and rng.random() < 0.4
        if vlans:
            how = "" if tagged else "pvid untagged"
            world.bridge(segment.switch, f"vlan add dev {port} vid {vlan} {how}".strip())
        if tagged:
            world.ip(node, f"link add link {link} name {link}.{vlan} type vlan id {vlan}")
            world.ip(node, f"link set {link} up")
            link = f"{link}.{vlan}"
        elif "bond" in world.have and rng.random() < 0.15:
            world.ip(node, f"link add b{number} type bond mode active-backup")
            world.ip(node, f"link set {link} master b{number}")
            link = f"b{number}"
        elif rng.random() < 0.15:
            world.ip(node, f"link add link {link} name m{number} type macvlan mode bridge")
            world.ip(node, f"link set {link} up")
            link = f"m{number}"
        _addresses(world, segment, node, link)
    if rng.random() < 0.2:
        world.features.append("fdb-of-another")
        leg, other = rng.choice(segment.legs), rng.choice(segment.ports)
        suffix = f" vlan {vlan}" if vlans else ""
        world.shell(
            segment.switch,
            f"bridge fdb replace $(ip -n {leg.node} -br link show {leg.link} | awk '{{print $3}}') dev {other} master sticky static{suffix}",
        )
    return segment


def shared(world: World, number: int, members: list[str]) -> Segment:
    """macvlans (or ipvlans) of several nodes on one lower link, which is one end of a veth."""
    rng = world.rng
    segment = Segment(number, "macvlan")
    owner, rest = members[0], members[1:]
    far = f"sw{number}"
    world.node(far)
    world.links(owner, f"link add l{number} type veth peer name u{number} netns {far}")
    world.ip(owner, f"link set l{number} up")
    world.ip(far, f"link set u{number} up")
    kind = "ipvlan" if "ipvlan" in world.have and rng.random() < 0.4 else "macvlan"
    mode = rng.choice(("bridge", "bridge", "private", "vepa")) if kind == "macvlan" else "l2"
    segment.kind = f"{kind} {mode}"
    for place, node in enumerate(rest):
        link = f"m{number}_{place}"
        world.links(owner, f"link add link l{number} name {link} netns {node} type {kind} mode {mode}")
        _addresses(world, segment, node, link)
    # the lower link's own stack, which none of them can reach, and the other end, which all can
    _addresses(world, segment, owner, f"l{number}")
    _addresses(world, segment, far, f"u{number}")
    return segment


SEGMENTS: tuple[tuple[Callable[[World, int, list[str]], Segment], int], ...] = (
    (pair, 3),
    (switched, 5),
    (shared, 1),
)


def overlay(world: World, number: int, legs: list[tuple[Segment, Leg]]) -> Segment:
    """A vxlan (or another tunnel) between two nodes that have an address each."""
    segment = Segment(number, "vxlan")
    (_, one), (_, other) = legs
    kinds = [kind for kind in ("vxlan", "geneve", "gretap") if kind in world.have]
    kind = world.rng.choice(kinds)
    segment.kind = kind
    for mine, theirs in ((one, other), (other, one)):
        local = "" if kind == "geneve" else f" local {mine.ipv4}"
        more = {"vxlan": f"id {number} dstport 4789", "geneve": f"id {number}", "gretap": ""}[kind]
        world.ip(mine.node, f"link add t{number} type {kind} {more} remote {theirs.ipv4}{local}")
        _addresses(world, segment, mine.node, f"t{number}")
    return segment


# -- routes ------------------------------------------------------------------------------------------------------


def routes(world: World) -> None:
    """Hosts send everything to a router on their segment, routers know all subnets, by the shortest way."""
    for node, legs in world.legs.items():
        reached = {segment.number for segment, _ in legs}
        ways: dict[int, tuple[str, str]] = {}
        frontier: list[tuple[Segment, tuple[str, str] | None]] = [(segment, None) for segment, _ in legs]
        while frontier:
            following: list[tuple[Segment, tuple[str, str] | None]] = []
            for segment, first in frontier:
                for other in segment.legs:
                    if not other.node.startswith("r") or other.node == node:
                        continue
                    hop = first or (other.ipv4, other.ipv6)
                    for further, _ in world.legs[other.node]:
                        if further.number not in reached:
                            reached.add(further.number)
                            ways[further.number] = hop
                            following.append((further, hop))
            frontier = following
        if node.startswith("r"):
            for number, (ipv4, ipv6) in ways.items():
                world.late(node, f"route add 10.{number}.0.0/24 via {ipv4}")
                world.late(node, f"route add fd00:{number:x}::/64 via {ipv6}")
        else:
            routers = [
                other
                for segment, _ in legs
                for other in segment.legs
                if other.node.startswith("r") and other.node != node
            ]
            if routers:
                chosen = world.rng.choice(routers)
                world.late(node, f"route add default via {chosen.ipv4}")
                world.late(node, f"route add default via {chosen.ipv6}")


# -- the whole ---------------------------------------------------------------------------------------------------


def make(lab: Lab, seed: int, have: frozenset[str]) -> World:
    """A world, not yet built."""
    world = World(lab, seed, have)
    rng = world.rng
    routers = [f"r{number}" for number in range(rng.randint(1, 3))]
    hosts = [f"h{number}" for number in range(rng.randint(2, 4))]
    for node in (*routers, *hosts):
        world.node(node)
    if "vrf" in have and rng.random() < 0.2:
        node = rng.choice(routers)
        world.vrfs.add(node)
        world.features.append("vrf")
        world.ip(node, f"link add vrf0 type vrf table {VRF}")
        world.ip(node, "link set vrf0 up")
    waiting = list(hosts)
    for number in range(1, rng.randint(2, 4) + 1):
        kind = rng.choices([one for one, _ in SEGMENTS], [weight for _, weight in SEGMENTS])[0]
        members = [routers[(number - 1) % len(routers)]]
        if rng.random() < 0.6 and len(routers) > 1:
            members.append(rng.choice([one for one in routers if one not in members]))
        wanted = 2 if kind is pair else rng.randint(2, 4)
        while len(members) < wanted:
            pool = waiting or [one for one in hosts if one not in members]
            if not pool:
                break
            members.append(pool.pop(0) if pool is waiting else rng.choice(pool))
        members = list(dict.fromkeys(members))
        if len(members) < 2:
            continue
        world.segments.append(kind(world, number, members))
    if rng.random() < 0.25:
        nodes = [node for node in world.legs if not node.startswith("sw")]
        if len(nodes) > 1:
            chosen = rng.sample(nodes, 2)
            world.segments.append(overlay(world, 40, [rng.choice(world.legs[one]) for one in chosen]))
    routes(world)
    for trouble in rng.choices(
        [one for one, _ in TROUBLE], [weight for _, weight in TROUBLE], k=rng.randint(0, 3)
    ):
        trouble(world)
    return world
