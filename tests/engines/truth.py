"""What is true of a running engine: from its own CLI, and from `ip`, by no code of ours; and nswire's answers held against it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

import nswire

from .place import alive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nswire.model.topology import Link, Topology
    from nswire.model.values import Owner

    from .place import Place
    from .sending import Packet


class Truth(msgspec.Struct, frozen=True):
    """Of one container, pod, VM ...: how it is asked for, who it is, where it is, and what each of its links is tied to.

    `ns` is the inode of its namespace, 0 for one that has links only; `shares`: that is the host's, of which it owns nothing.
    Links are places: `IFNAME` at home, `INODE/IFNAME` elsewhere. `peers` are the other ends of its links, `lowers` what
    they stand on, `served` the pids at the other end of its taps. `also` are further handles that mean the same. `id` tells it
    from others of its name. `bridges` are the switches that its links are ports of by the daemons' word, `loose` its links that
    are tied to nothing else, `guests` the MACs of a VM's own NICs by their taps. `ports` are handles of ports
    of the host that lead to it. `asked`: only its daemons know of it. `short` is the name without the daemons, where that is another one.
    """

    handle: str
    type: str
    name: str
    by: str
    ns: int
    shares: bool = False
    peers: dict[str, str] = {}
    lowers: dict[str, str] = {}
    served: dict[str, int] = {}
    data: dict[str, str] = {}
    also: tuple[str, ...] = ()
    id: str = ""
    bridges: dict[str, str] = {}
    loose: tuple[str, ...] = ()
    short: str = ""
    guests: dict[str, str] = {}
    ports: tuple[str, ...] = ()
    asked: bool = False

    def known(self, state: str) -> Truth:
        """The same, as far as it can be known while the daemons do not answer, or are gone."""
        if state == "up":
            return self
        data = (
            {}
            if self.short
            else {key: self.data[key] for key in self.data if state == "hung" or key != "daemon"}
        )
        served = {place: pid for place, pid in self.served.items() if alive(pid)}
        return msgspec.structs.replace(
            self, name=self.short or self.name, data=data, bridges={}, served=served
        )

    def is_told(self, owners: Iterable[Owner | None]) -> bool:
        """True if it is among these owners."""
        return any(_who(owner) == (self.type, self.name, self.by) and self._fits(owner) for owner in owners)

    def _fits(self, owner: Owner | None) -> bool:
        return owner is not None and (not self.id or owner.id == self.id)


class Way(msgspec.Struct, frozen=True):
    """A path, the packet that is sent along it, and what is true of that.

    From `sender` (the name of a namespace; empty: the host) it ends in the namespace `there`, where it is `seen` as (source,
    destination), which is what NAT makes of it; or it is dropped, and the reason has `why` in it. `waits`: the fault that is to be
    mended before nswire can say so.
    """

    name: str
    sender: str
    packet: Packet
    there: str = ""
    seen: tuple[str, str] = ("", "")
    why: str = ""
    waits: str = ""

    @property
    def arrives(self) -> bool:
        """True if it is delivered, and answered."""
        return bool(self.seen[1])


class Engine(msgspec.Struct):
    """A running engine. `hang` stops its daemons (SIGSTOP), `go_on` lets them go on, `stop` ends them; containers live on.

    `survives` is False for an engine whose containers end with it, `seconds` what a look takes while it is up. `group`: who is in
    it may ask the engine without being root; `user_seconds` is what that takes.
    """

    name: str
    version: str
    truths: list[Truth]
    daemons: list[int]
    stop: Callable[[], None]
    survives: bool = True
    seconds: float = 0.0
    group: str = ""
    user_seconds: float = 0.0


class Row(msgspec.Struct):
    """An engine: the programs that it needs, who starts it, the top control groups that it leaves, what this machine lacks for
    it, the paths through it. `recorded`: these can be told from a recording as well.
    """

    name: str
    needs: tuple[str, ...]
    start: Callable[[Place], Engine]
    cgroups: tuple[str, ...] = ()
    lacks: Callable[[], str] = lambda: ""
    ways: tuple[Way, ...] = ()
    recorded: bool = True

    @property
    def slug(self) -> str:
        """The name as one word."""
        return "-".join(re.findall(r"[a-z0-9]+", self.name.lower()))


# -- what `ip` says ------------------------------------------------------------------------------------------------


def inode(pid: int) -> int:
    """The network namespace of a process."""
    return os.stat(f"/proc/{pid}/ns/net").st_ino


def inside(ns: int) -> list[int]:
    """The processes in a network namespace."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "ns/net").stat().st_ino == ns:
                found.append(int(folder.name))
    return found


HOME = inode(os.getpid())


def ip(*words: str, pid: int = 0) -> list[dict[str, Any]]:
    """What `ip -j` says, here or in the namespace of a process."""
    enter = ("nsenter", f"--net=/proc/{pid}/ns/net") if pid else ()
    done = subprocess.run((*enter, "ip", "-j", *words), check=True, capture_output=True, text=True)
    found: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    return found


class There(NamedTuple):
    """A namespace where the other ends are: its inode (0: home), and what `ip link` says in it."""

    inode: int
    links: list[dict[str, Any]]


def veths(pid: int, there: There | None = None) -> dict[str, str]:
    """The other ends of a process's veths: the blog's method, `ip link` on both sides, in the namespaces of two processes.

    Which two they are is known from the engine (the other one is home, unless it says something else); both ends have to name
    each other.
    """
    other = there or There(0, ip("link"))
    by_index = {link["ifindex"]: link for link in other.links}
    found = {}
    for link in ip("-d", "link", "show", "type", "veth", pid=pid):
        peer = by_index[link["link_index"]]
        assert peer["link_index"] == link["ifindex"], (link, peer)
        name = peer["ifname"]
        found[at(pid, link["ifname"])] = f"{other.inode}/{name}" if other.inode else name
    return found


def at(pid: int, ifname: str) -> str:
    """A link in the namespace of a process, as a place."""
    return ifname if inode(pid) == HOME else f"{inode(pid)}/{ifname}"


# -- nswire's answers ----------------------------------------------------------------------------------------------


def link_to_peer(topology: Topology, truth: Truth) -> list[str]:
    """What is wrong in the answer to its handles: one owner, its links and no others, each with what it is tied to."""
    wrong = []
    for handle in (truth.handle, *truth.also):
        matches = [match for match in nswire.find(topology, handle) if match.owner is not None]
        if len(matches) != 1:
            wrong.append(f"{handle}: {len(matches)} owners: {[match.owner for match in matches]}")
            continue
        (match,) = matches
        told = {
            "owner": truth.is_told([match.owner]) or match.owner,
            "ns": 0 if match.namespace is None else match.namespace.inode,
            "peers": {_place(link): _place(link.peer) for link in match.links if link.peer is not None},
            "lowers": {_place(link): _place(link.lower) for link in match.links if link.lower is not None},
            "served": {_place(link): pid for link in match.links for pid in _servers(link)},
            "bridges": {_place(link): name for link in match.links for name in _bridges(link)},
            "guests": {_place(link): link.guest.mac for link in match.links if link.guest is not None},
        }
        true = {
            "owner": True,
            "ns": truth.ns,
            "peers": truth.peers,
            "lowers": truth.lowers,
            "served": truth.served,
            "bridges": truth.bridges,
            "guests": truth.guests,
        }
        wrong += [
            f"{handle}: {key} is {told[key]}, and should be {true[key]}"
            for key in true
            if told[key] != true[key]
        ]
        more = set(map(_place, match.links)) ^ {*truth.peers, *truth.lowers, *truth.served, *truth.loose}
        wrong += [f"{handle}: {more} are its links, or are told to be, but not both"] if more else []
        data = {} if match.owner is None else dict(match.owner.data)
        wrong += [
            f"{handle}: {key} is {data.get(key)!r}" for key in truth.data if data.get(key) != truth.data[key]
        ]
    return wrong + [line for handle in truth.ports for line in _leads(topology, truth, handle)]


def _leads(topology: Topology, truth: Truth, handle: str) -> list[str]:
    """What is wrong in where a port of the host leads to: there, and nowhere else."""
    places = [
        match.namespace.inode if match.namespace is not None else match.links[0].end.ns
        for match in nswire.find(topology, handle)
    ]
    return [] if places == [truth.ns] else [f"{handle} leads to {places}, and should to {truth.ns}"]


def peer_to_owner(topology: Topology, truth: Truth) -> list[str]:
    """What is wrong in whose each link is, asked from its other end, and in whose the namespace is."""
    wrong = []
    who = truth.handle
    links = {_place(link): link for link in topology}
    for place, other in truth.peers.items():
        peer = links.get(other)
        link = None if peer is None else peer.peer
        if peer is None or link is None or _place(link) != place:
            wrong.append(f"{other}: its other end is {link}")
        elif not truth.is_told(link.owners):
            wrong.append(f"{other}: its other end is {[_who(owner) for owner in link.owners]}'s")
        elif peer.netns.home and other not in truth.peers and truth.is_told(peer.owners):
            wrong.append(f"{other}: it is said to be {who}'s itself")
    for place in (*truth.lowers, *truth.served, *truth.loose):
        link = links.get(place)
        if link is None or not truth.is_told(link.owners):
            wrong.append(f"{place} is {None if link is None else [_who(owner) for owner in link.owners]}'s")
    if truth.shares:
        wrong += [f"{link} is said to be {who}'s" for link in topology if truth.is_told(link.owners)]
    elif truth.ns and not truth.is_told(topology.owners(truth.ns)):
        wrong.append(f"net:[{truth.ns}] is {[_who(owner) for owner in topology.owners(truth.ns)]}'s")
    return wrong


def _who(owner: Owner | None) -> tuple[str, str, str] | None:
    return None if owner is None else (owner.type, owner.name, owner.by)


def _place(link: Link | None) -> str:
    if link is None:
        return ""
    return link.ifname if link.netns.home else f"{link.end.ns}/{link.ifname}"


def _servers(link: Link) -> list[int]:
    return [wire.to.pid for wire in link.late_wires("tap") if wire.to is not None and wire.to.pid]


def _bridges(link: Link) -> list[str]:
    """The bridges of Open vSwitch that a link is a port of; its datapath in the kernel is none."""
    wires = link.late_wires("port")
    found = [link.topology.get(wire.b) for wire in wires if wire.a == link.end and wire.b is not None]
    return [bridge.ifname for bridge in found if bridge is not None and bridge.ifname != "ovs-system"]
