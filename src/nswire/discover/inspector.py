"""Questions that are asked only when somebody wants to know: addresses, default routes, facets of links, names of processes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nswire import facets
from nswire.discover import queries
from nswire.discover.client import ScanClient, listening
from nswire.facets.facet import Detail
from nswire.host import requests
from nswire.model import owner_types
from nswire.model.gaps import Gap
from nswire.model.inspector import Known
from nswire.model.values import End, Loose

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from types import ModuleType

    from nswire.discover.scan_state import Scan
    from nswire.discover.tables import Lookups
    from nswire.facets.facet import Facet
    from nswire.model.sockets import Forward, Listener
    from nswire.model.values import Address, Gateway, NsKey, Owner, Value, Wire
    from nswire.owners.owner import Claim

FEW = 8  # namespaces that are asked one by one, before it is cheaper to ask all that are left
FEW_LINKS = 64


class ScanInspector(ScanClient):
    """Asks the scanned machine (or recording) and remembers the answers; after a few questions of a kind, all of it."""

    def __init__(self, scan: Scan) -> None:
        super().__init__(scan)
        self._claims: list[Claim] | None = None
        self._lookups: Lookups | None = None
        self._of_ns: dict[NsKey, list[Owner]] = {}
        self._of_end: dict[End, list[Owner]] = {}
        self._listeners: dict[NsKey, frozenset[tuple[str, int]]] | None = None
        self._owners: dict[NsKey, tuple[Owner, ...]] = {}
        self._forwards: dict[tuple[NsKey, int, Listener], tuple[Forward, ...] | None] = {}
        self._gateways: dict[NsKey, tuple[Gateway, ...]] = {}
        self._asked: Counter[str] = Counter()
        self._known: dict[str, set[End]] = {}
        # Each once: a facet that is asked about one link may tell of others as well.
        self._wires: dict[End, dict[Wire, None]] = {}
        self._loose: dict[End, dict[Loose, None]] = {}
        self._details: dict[End, dict[str, dict[str, Value]]] = {}

    def addresses(self, ns: NsKey) -> tuple[Address, ...]:
        """The addresses of a namespace."""
        addresses = self._scan.facts.addresses
        if ns in self._scan.undecoded:
            queries.store_addresses(self._scan, ns, self._scan.undecoded.pop(ns), None)
        elif ns not in addresses:
            queries.read_addresses(self._scan, self._to_ask("addresses", ns, addresses))
        return addresses.get(ns, ())

    def gateways(self, ns: NsKey) -> tuple[Gateway, ...]:
        """The gateways of a namespace's default routes; none for a hidden one, whose routes cannot be read."""
        if ns not in self._gateways:
            queries.read_gateways(self._scan, self._to_ask("gateways", ns, self._gateways), self._gateways)
        return self._gateways.get(ns, ())

    def _to_ask(self, what: str, ns: NsKey, known: Mapping[NsKey, object]) -> set[NsKey]:
        self._asked[what] += 1
        return {ns} if self._asked[what] <= FEW else self._scan.facts.links.keys() - known.keys()

    def gaps(self) -> tuple[Gap, ...]:
        """What could not be seen, as far as was asked until now."""
        return tuple(self._scan.facts.gaps)

    def comm(self, pid: int) -> str:
        """The name of a process, as it calls itself; empty if it is gone."""
        answer = self._scan.system.host(f"comm/{pid}")
        return answer.decode("utf-8", "surrogateescape") if isinstance(answer, bytes) else ""

    def listeners(self, ns: NsKey) -> frozenset[tuple[str, int]]:
        """What listens in a namespace: all of them are asked at once, since a port is looked for in all of them."""
        if self._listeners is None:
            spaces = [key for key in self.facts.links if key not in self.facts.hidden]
            answers = self.query(dict.fromkeys(spaces, requests.SOCKETS))
            self._listeners = {key: listening(said) for key, said in answers.items()}
        return self._listeners.get(ns, frozenset())

    def forwards(self, ns: NsKey, pid: int, listener: Listener) -> tuple[Forward, ...] | None:
        """Where a process hands on what comes to a socket of its; None: it is no program that does nothing else."""
        key = (ns, pid, listener)
        if key not in self._forwards:
            self._forwards[key] = _owners().forwards(self, ns, pid, listener)
        return self._forwards[key]

    def lookups(self) -> Lookups:
        """The tables that paths look up."""
        if self._lookups is None:
            from nswire.discover.tables import Lookups  # and with it all that reads firewalls

            self._lookups = Lookups(self, self._scan.about)
        return self._lookups

    # -- owners --------------------------------------------------------------------------------------------------

    def owners(self, ns: NsKey) -> tuple[Owner, ...]:
        """Whose a namespace is; home, which all share, is nobody's."""
        self._claimed()
        if ns != self._scan.facts.home and ns not in self._owners:
            # pods before their containers, the oldest process first
            his = sorted(
                self._of_ns.get(ns, ()),
                key=lambda owner: (not owner_types.of(owner.type).holds_others, owner.pid or 0),
            )
            self._owners[ns] = tuple(his)
            if not self._owners[ns]:
                one = self._kept(_owners().of_each(self, ns))
                self._owners[ns] = tuple(claim.owner for claim in one)
        return self._owners.get(ns, ())

    def link_owners(self, end: End) -> tuple[Owner, ...]:
        """Whose a link is, beyond whose its namespace is."""
        self._claimed()
        return tuple(self._of_end.get(end, ()))

    def owned(self) -> tuple[tuple[Owner, NsKey | None, tuple[End, ...]], ...]:
        """Every owner that is known, with the namespace it is in (home: the host's) and the links that are its own."""
        return tuple((claim.owner, claim.ns, claim.ends) for claim in self._claimed())

    def _claimed(self) -> list[Claim]:
        if self._claims is None:
            self._claims = []  # what is asked meanwhile must not ask for owners again
            self._claims = self._kept(_owners().known(self))
            for claim in self._claims:
                if claim.ns is not None:
                    self._of_ns.setdefault(claim.ns, []).append(claim.owner)
                for end in claim.ends:
                    self._of_end.setdefault(end, []).append(claim.owner)
        return self._claims

    def _kept(self, said: Iterable[Claim | Gap]) -> list[Claim]:
        claims = []
        for one in said:
            if isinstance(one, Gap):
                self.facts.gaps.append(one)
            else:
                claims.append(one)
        return claims

    # -- facets of links -----------------------------------------------------------------------------------------

    def wires(self, end: End, relations: Collection[str]) -> tuple[Wire, ...]:
        """The wires that facets make of a link, from either end; of these relations, or all."""
        self._ask(end, lambda facet: _makes(facet, relations))
        return tuple(wire for wire in self._wires.get(end, ()) if not relations or wire.relation in relations)

    def loose(self, end: End, relations: Collection[str]) -> tuple[Loose, ...]:
        """Those whose other end is not known for certain."""
        self._ask(end, lambda facet: _makes(facet, relations))
        return tuple(
            loose for loose in self._loose.get(end, ()) if not relations or loose.relation in relations
        )

    def details(self, end: End, *only: str) -> Mapping[str, Mapping[str, Value]]:
        """What facets tell of a link besides, by the facet's name; `only`: these facets are asked, or all."""
        self._ask(end, lambda facet: not only or facet.name in only)
        return self._details.get(end, {})

    def known(self, pids: Iterable[int]) -> Known:
        """All that can be asked on demand, asked now."""
        links = self.facts.links
        self.everything()
        owners = {ns: self.owners(ns) for ns in links}
        gateways = {ns: self.gateways(ns) for ns in links}
        return Known(
            addresses={ns: self.addresses(ns) for ns in links},
            gateways=gateways,
            comms={pid: self.comm(pid) for pid in pids},
            wires={end: tuple(found) for end, found in self._wires.items()},
            loose={end: tuple(found) for end, found in self._loose.items()},
            details=self._details,
            listeners={ns: self.listeners(ns) for ns in links},
            owners=owners,
            link_owners={end: tuple(found) for end, found in self._of_end.items()},
            owned=self.owned(),
            gaps=self.gaps(),
        )

    def everything(self) -> None:
        """Ask all that can be asked of all links."""
        for facet in facets.TABLE:
            known = self._known.setdefault(facet.name, set())
            ends = self._all_about(facet, self._scan.facts.links) - known
            known |= ends
            if ends:
                self._learn(facet, ends)

    def _ask(self, end: End, wanted: Callable[[Facet], bool]) -> None:
        link = self._scan.facts.links.get(end.ns, {}).get(end.ifindex)
        if link is None:
            return
        for facet in facets.TABLE:
            known = self._known.setdefault(facet.name, set())
            if end in known or not wanted(facet) or not facet.about(link):
                continue
            self._asked[facet.name] += 1
            ends = {end}
            if facet.scope == "namespace":
                ends = self._all_about(facet, (end.ns,)) - known
            if facet.scope == "host" or self._asked[facet.name] > FEW_LINKS:
                ends = self._all_about(facet, self._scan.facts.links) - known
            known |= ends
            self._learn(facet, ends)

    def _all_about(self, facet: Facet, spaces: Iterable[NsKey]) -> set[End]:
        links = self._scan.facts.links
        return {End(ns, link.ifindex) for ns in spaces for link in links[ns].values() if facet.about(link)}

    def _learn(self, facet: Facet, ends: Collection[End]) -> None:
        for said in facet.ask(self, ends):
            if isinstance(said, Gap):
                self._scan.facts.gaps.append(said)
            elif isinstance(said, Loose):
                self._loose.setdefault(said.a, {})[said] = None
            elif isinstance(said, Detail):
                self._details.setdefault(said.end, {}).setdefault(facet.name, {}).update(said.values)
            else:
                for at in {said.a, said.b}:
                    if at is not None:
                        self._wires.setdefault(at, {})[said] = None


def _owners() -> ModuleType:
    """The package of owners: more code than all that a scan takes, and many a topology is never asked whose it is."""
    from nswire import owners

    return owners


def _makes(facet: Facet, relations: Collection[str]) -> bool:
    return bool(facet.wires) and (not relations or not set(relations).isdisjoint(facet.wires))
