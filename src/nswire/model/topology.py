"""The conclusion: namespaces, links, the wires between them, and what could not be seen."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from nswire.errors import AmbiguousLink, LinkNotFound
from nswire.model import owner_types
from nswire.model.values import FLAGS, IFF_LOOPBACK, IFF_RUNNING, IFF_UP, OPERSTATES, End, Wire

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from nswire.model.gaps import Gap
    from nswire.model.inspector import Inspector
    from nswire.model.sockets import Forward, Listener
    from nswire.model.tables import Lookups
    from nswire.model.values import (
        Address,
        Gateway,
        Holder,
        LinkFact,
        Loose,
        Namespace,
        NsKey,
        Owner,
        Taken,
        Value,
    )


NUMBERED = re.compile(r"^(?:/|net:\[|(?:cni|netns)-[0-9a-f-]{36}$)")  # labels that say nothing to people
NAMED_HOLDERS = 8  # of each type, whose process is asked for its name


class Guest(NamedTuple):
    """A VM's own NIC: its MAC, and the addresses that others here know of that, IPv4 first; it need not have them any more."""

    mac: str
    addresses: tuple[str, ...]


class Link:
    """A link of a topology: what its kernel said (`fact`), and what follows from it.

    Two are equal if they are the same link of the same topology.
    """

    __slots__ = ("_topology", "end", "fact")

    def __init__(self, topology: Topology, end: End, fact: LinkFact) -> None:
        self._topology = topology
        self.end = end
        self.fact = fact

    def __repr__(self) -> str:
        return f"<Link {self.netns.label}/{self.ifname} {self.kind or 'physical'} {self.ifindex}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Link) and self.end == other.end and self._topology is other._topology

    def __hash__(self) -> int:
        return hash(self.end)

    @property
    def topology(self) -> Topology:
        """The topology that it belongs to."""
        return self._topology

    @property
    def ifname(self) -> str:
        """Its name. Bytes that are no UTF-8 are kept as surrogates: os.fsencode gives the exact name."""
        return self.fact.ifname

    @property
    def ifindex(self) -> int:
        """Its index, unique in its namespace only."""
        return self.fact.ifindex

    @property
    def kind(self) -> str:
        """IFLA_INFO_KIND, such as `veth`; empty for links without one, such as NICs and lo."""
        return self.fact.kind

    @property
    def operstate(self) -> str:
        """RFC 2863 state, in iproute2's words; a number that is not known is shown as such."""
        state = self.fact.operstate
        return OPERSTATES[state] if state < len(OPERSTATES) else str(state)

    @property
    def flags(self) -> tuple[str, ...]:
        """Its flags, in iproute2's words and order."""
        flags = self.fact.flags
        no_carrier = ("NO-CARRIER",) if flags & IFF_UP and not flags & IFF_RUNNING else ()
        return (*no_carrier, *(name for name, bit in FLAGS.items() if flags & bit))

    @property
    def loopback(self) -> bool:
        """True for lo."""
        return bool(self.fact.flags & IFF_LOOPBACK)

    @property
    def netns(self) -> Namespace:
        """The namespace that it is in."""
        return self._topology.namespaces[self.end.ns]

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Its addresses, in the kernel's order."""
        return self._topology.addresses_of(self.end)

    @property
    def master(self) -> Link | None:
        """The bridge, bond, VRF ... that it is a port of: always in its own namespace."""
        index = self.fact.master
        return None if index is None else self._topology.get(End(self.end.ns, index))

    @property
    def ports(self) -> tuple[Link, ...]:
        """The links that are ports of this one, those of a virtual switch included."""
        late = (self._topology.at(wire.a) for wire in self.late_wires("port") if wire.b == self.end)
        ports = (*self._topology.ports_of(self.end), *(link for link in late if link is not None))
        return tuple(dict.fromkeys(ports))

    @property
    def numbered_by(self) -> Namespace:
        """The namespace whose nsids its `link_netnsid` is one of: its own, or the one it was read through."""
        seen_from = self.netns.seen_from
        return self.netns if seen_from is None else self._topology.namespaces[seen_from[0]]

    @property
    def wire(self) -> Wire | None:
        """The wire to its peer, with the evidence."""
        return self._topology.wires.get(self.end)

    @property
    def lower(self) -> Link | None:
        """What it stands on: a VLAN's or macvlan's parent, the link that a tunnel's packets leave by; None: nothing."""
        return next(
            (link for wire in self.lower_wires if (link := self._topology.at(wire.b)) is not None), None
        )

    @property
    def lower_wires(self) -> tuple[Wire, ...]:
        """The wires to what it stands on, nearly always one; their relation is `lower` or `underlay`."""
        return self._topology.lowers.get(self.end, ())

    @property
    def uppers(self) -> tuple[Link, ...]:
        """The links that stand on this one, in whatever namespaces."""
        return self._topology.uppers_of(self.end)

    @property
    def loose(self) -> Loose | None:
        """Why its peer is not known, if it has one that is not; the same for what it stands on."""
        return self._topology.loose.get(self.end)

    def late_wires(self, *relations: str) -> tuple[Wire, ...]:
        """Its wires that take questions of their own: to the process that serves it, to a virtual switch, by tc. Asked now.

        Those of these relations, without any: all of them.
        """
        return self._topology.late_wires(self.end, relations)

    def late_loose(self, *relations: str) -> tuple[Loose, ...]:
        """Those of them whose other end is not known for certain. Asked now."""
        return self._topology.late_loose(self.end, relations)

    @property
    def owners(self) -> tuple[Owner, ...]:
        """Whose it is: its own owners (a VM's tap), then those of its namespace, unless that is the host's. Asked now."""
        return self._topology.owners_of_link(self.end)

    @property
    def details(self) -> Mapping[str, Mapping[str, Value]]:
        """What else the kernel says of it: its device, VLANs, programs ... Asked now."""
        return self._topology.details(self.end)

    @property
    def guest(self) -> Guest | None:
        """The NIC of the VM behind a tap; None: it is no VM, or that is not known. Asked now."""
        said = self._topology.details(self.end, "guest").get("guest")
        return None if said is None else Guest(str(said["mac"]), tuple(str(said.get("address", "")).split()))

    @property
    def peer(self) -> Link | None:
        """The other end of the pair; None if it has none, or none that is certain (then see `loose`)."""
        wire = self.wire
        return None if wire is None else self._topology.at(wire.b if wire.a == self.end else wire.a)


class Topology:
    """What a scan or a recording says about a machine.

    `namespaces` by key, `links` in the order of namespaces and ifindexes, `wires`, `lowers` and `loose` by end, `gaps`: what
    could not be seen, `taken`: how the answer was made. Addresses that were not wanted at once, `gateways`, `comm`,
    `late_wires`, `details`, owners and what listens are asked of the machine when they are wanted, through `inspector`;
    nothing else is.
    """

    def __init__(
        self,
        *,
        home: NsKey,
        namespaces: Mapping[NsKey, Namespace],
        links: Mapping[NsKey, Mapping[int, LinkFact]],
        wires: Mapping[End, Wire],
        lowers: Mapping[End, tuple[Wire, ...]],
        loose: Mapping[End, Loose],
        gaps: tuple[Gap, ...],
        taken: Taken,
        inspector: Inspector,
    ) -> None:
        self.home = home
        self.namespaces = namespaces
        self.wires = wires
        self.lowers = lowers
        self.loose = loose
        self._gaps = gaps
        self.taken = taken
        self._inspector = inspector
        self._links = links
        self._by_link: dict[NsKey, dict[int, tuple[Address, ...]]] = {}
        self._ports: dict[NsKey, dict[int, list[End]]] = {}
        self._uppers: dict[End, list[End]] | None = None
        self._titles: dict[NsKey, str] = {}
        self._told: tuple[Gap, ...] | None = None
        self._owned: tuple[tuple[Owner, NsKey | None, tuple[End, ...]], ...] | None = None
        self._ranked: dict[NsKey, list[str]] | None = None

    def __iter__(self) -> Iterator[Link]:
        """All links."""
        return self.links()

    def links(self, ns: NsKey | None = None) -> Iterator[Link]:
        """All links, or those of one namespace."""
        for key in self.namespaces if ns is None else (ns,):
            for index, fact in self._links.get(key, {}).items():
                yield Link(self, End(key, index), fact)

    def count(self, ns: NsKey) -> int:
        """The number of links of a namespace."""
        return len(self._links.get(ns, ()))

    def get(self, end: End) -> Link | None:
        """The link that is there, if any."""
        fact = self._links.get(end.ns, {}).get(end.ifindex)
        return None if fact is None else Link(self, end, fact)

    def at(self, end: End | None) -> Link | None:
        """The link at that end of a wire, if it is one and it is there."""
        return None if end is None else self.get(end)

    def link(self, name: str) -> Link:
        """The one link called `IFNAME`, an altname, or `NETNS/IFNAME`. Raise LinkNotFound if there is none, AmbiguousLink if there are several.

        For everything else that one may hold (MAC, address, pid ...) see `nswire.find`.
        """
        where, slash, ifname = name.rpartition("/")
        found = [
            link
            for link in self
            if (link.ifname == ifname or ifname in link.fact.altnames)
            and (not slash or where == link.netns.label or where in link.netns.names)
        ]
        if len(found) == 1:
            return found[0]
        raise AmbiguousLink(name, tuple(found)) if found else LinkNotFound(name)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What could not be seen; it grows if something that is asked only now cannot be seen either, until `close`."""
        if self._told is not None:
            return self._told
        known = dict.fromkeys((*self._inspector.gaps(), *self._gaps))
        return tuple(sorted(known, key=lambda gap: not gap.row.hides))  # mere leftovers last

    def close(self) -> tuple[Gap, ...]:
        """The gaps, for good: an answer is complete. Whatever is asked after that changes neither them nor an exit status."""
        self._told = self.gaps
        return self._told

    def addresses_of(self, end: End) -> tuple[Address, ...]:
        """The addresses of a link."""
        table = self._by_link.get(end.ns)
        if table is None:
            table = self._by_link[end.ns] = {}
            for address in self._inspector.addresses(end.ns):
                table[address.ifindex] = (*table.get(address.ifindex, ()), address)
        return table.get(end.ifindex, ())

    def ports_of(self, end: End) -> tuple[Link, ...]:
        """The ports of a bridge, bond ..., in the order of their ifindexes."""
        table = self._ports.get(end.ns)
        if table is None:
            table = self._ports[end.ns] = {}
            for index, fact in self._links.get(end.ns, {}).items():
                if fact.master is not None:
                    table.setdefault(fact.master, []).append(End(end.ns, index))
        return tuple(link for port in table.get(end.ifindex, ()) if (link := self.get(port)) is not None)

    def uppers_of(self, end: End) -> tuple[Link, ...]:
        """The links that stand on a link."""
        if self._uppers is None:
            self._uppers = {}
            for wires in self.lowers.values():
                for wire in wires:
                    if wire.b is not None:
                        self._uppers.setdefault(wire.b, []).append(wire.a)
        return tuple(link for upper in self._uppers.get(end, ()) if (link := self.get(upper)) is not None)

    def gateways(self, ns: NsKey) -> tuple[Gateway, ...]:
        """The gateways of a namespace's default routes, asked now."""
        return self._inspector.gateways(ns)

    def comm(self, pid: int) -> str:
        """The name of a process, asked now."""
        return self._inspector.comm(pid)

    def late_wires(self, end: End, relations: Collection[str] = ()) -> tuple[Wire, ...]:
        """The wires of a link that take questions of their own, asked now."""
        return self._inspector.wires(end, relations)

    def late_loose(self, end: End, relations: Collection[str] = ()) -> tuple[Loose, ...]:
        """Those of them whose other end is not known for certain, asked now."""
        return self._inspector.loose(end, relations)

    def details(self, end: End, *only: str) -> Mapping[str, Mapping[str, Value]]:
        """What else is known of a link, asked now; `only`: these facets are asked."""
        return self._inspector.details(end, *only)

    def listeners(self, ns: NsKey) -> frozenset[tuple[str, int]]:
        """(`tcp` or `udp`, port) of what listens in a namespace, asked now."""
        return self._inspector.listeners(ns)

    def forwards(self, ns: NsKey, pid: int, listener: Listener) -> tuple[Forward, ...] | None:
        """Where a process (docker-proxy, pasta, rootlessport ...) hands on what comes to a socket of its in `ns`, asked now.

        None: it is no program that does nothing else. Empty: it is, and where is not known.
        """
        return self._inspector.forwards(ns, pid, listener)

    def lookups(self) -> Lookups:
        """The tables that paths look up: each is asked for when it is wanted."""
        return self._inspector.lookups()

    def owners(self, ns: NsKey) -> tuple[Owner, ...]:
        """Whose a namespace is, asked now."""
        return self._inspector.owners(ns)

    def title(self, ns: Namespace) -> str:
        """What people call a namespace: its label or, where that is a mere path or number, the handle of its first owner.

        Such as `pod:shop/web` or `container:db`: it can be typed, and names no other one.
        """
        if ns.key not in self._titles:
            self._titles[ns.key] = self._owner_handle(ns) or ns.label
        return self._titles[ns.key]

    def _owner_handle(self, ns: Namespace) -> str:
        if ns.home or ns.hidden or not NUMBERED.match(ns.label):
            return ""
        if self._ranked is None:
            self._ranked = self._handles_of_owners()
        return next(iter(self._ranked.get(ns.key, ())), "")

    def _handles_of_owners(self) -> dict[NsKey, list[str]]:
        """Handles of owners that name no other one, by namespace; the oldest process is the one that the others joined."""
        titled = [(owner, ns) for owner, ns, _ in self.owned() if owner_types.of(owner.type).titles_namespace]
        uses = Counter((owner.type, owner.name) for owner, _ in titled)
        found: dict[NsKey, list[str]] = {}
        for owner, ns in sorted(titled, key=lambda one: (owner_types.RANKS[one[0].type], one[0].pid or 0)):
            sayable = owner.name.isprintable() and " " not in owner.name
            if ns is not None and sayable and uses[owner.type, owner.name] == 1:
                found.setdefault(ns, []).append(f"{owner.type}:{owner.name}")
        return found

    def owners_of_link(self, end: End) -> tuple[Owner, ...]:
        """Whose a link is, asked now: its own owners, then those of its namespace."""
        shared = () if end.ns == self.home else self._inspector.owners(end.ns)
        return tuple(dict.fromkeys((*self._inspector.link_owners(end), *shared)))

    def owned(self) -> tuple[tuple[Owner, NsKey | None, tuple[End, ...]], ...]:
        """Every owner that is known, with its namespace and its links, asked now.

        Home for a namespace: he uses the host's network, and owns none of it. None, and no links: where he is cannot be seen.
        """
        if self._owned is None:
            self._owned = self._inspector.owned()
        return self._owned

    def all_wires(self) -> Iterator[Wire]:
        """Every wire once, each with its evidence: pairs, masters, what links stand on, and those asked for only now."""
        for end, wire in self.wires.items():
            if end == wire.a:
                yield wire
        for wires in self.lowers.values():
            yield from wires
        late = [wire for link in self for wire in link.late_wires() if wire.a == link.end]
        switched = {wire.a for wire in late if wire.relation == "port"}
        for link in self:
            master = link.master
            if master is not None and link.end not in switched:
                yield Wire("port", link.end, master.end, "proved", "IFLA_MASTER")
        yield from late

    def ask_everything(self) -> None:
        """Ask now whatever would be asked late of any link."""
        self._inspector.everything()

    def enriched(self) -> Topology:
        """The same as a value: everything that can be asked of it is asked now, and nothing after that.

        It can be pickled, and kept when the machine or the recording is gone. What paths look up is not in it.
        """
        from nswire.model.inspector import Answered

        chosen = {holder.pid for ns in self.namespaces for holder in self._told_holders(ns)}
        known = self._inspector.known(sorted(chosen))
        return Topology(
            home=self.home,
            namespaces=self.namespaces,
            links=self._links,
            wires=self.wires,
            lowers=self.lowers,
            loose=self.loose,
            gaps=self._gaps,
            taken=self.taken,
            inspector=Answered(known),
        )

    def named_holders(self, ns: NsKey) -> dict[Holder, str]:
        """The holders whose processes are told by name, with that name: the first few of each type.

        Only a few, since home is held by every process of the host.
        """
        return {holder: self.comm(holder.pid) for holder in self._told_holders(ns)}

    def _told_holders(self, ns: NsKey) -> Iterator[Holder]:
        counts: dict[str, int] = {}
        for holder in self.namespaces[ns].holders:
            if holder.pid and counts.setdefault(holder.type, 0) < NAMED_HOLDERS:
                counts[holder.type] += 1
                yield holder
