"""The network as rules see it: a topology, its tables, and a place for what could not be judged.

Every table is read once for all rules (`Lookups`, `Inspector`), and what a rule cannot see becomes a gap of that rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire import kinds
from nswire.model import gaps
from nswire.model.gaps import Subject as About
from nswire.model.gaps import Unseen
from nswire.model.reasons import Reason
from nswire.model.tables import NotKnown
from nswire.model.values import IFF_UP
from nswire.path import sysctls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nswire.check.rule import Subject
    from nswire.model.gaps import Gap
    from nswire.model.reasons import Cause
    from nswire.model.tables import Lookups
    from nswire.model.topology import Link, Topology
    from nswire.model.values import Evidence, Namespace, NsKey, Owner

TABLE = Unseen("check.table", "its {table}", gaps.ADMINISTER)
LINKS = Unseen("check.links", "its links", gaps.ENTER)
OTHER_END = Unseen("check.other_end", "the other end of {link}", gaps.ENTER)
COUNTERS = Unseen("check.counters", "what is counted meanwhile", hint="--interval 2, or --since RECORDING")
ONE_LOOK = Reason("scan.one_look", "it was looked at once")
UNREAD = Reason("scan.unread", "they could not be read")
NOT_TOLD = Reason("scan.other_end", "it is {state}")

# how a table of a namespace is had, by the name of its row in `discover.tables.AHEAD`
TABLES: dict[str, Callable[[Lookups, NsKey], object]] = {
    "rules": lambda lookups, ns: (lookups.rules(ns, 4), lookups.rules(ns, 6)),
    "routes": lambda lookups, ns: lookups.routes(ns),
    "neighbours": lambda lookups, ns: lookups.neighbours(ns),
    "bridge vlans": lambda lookups, ns: lookups.vlans(ns),
    "sysctls": lambda lookups, ns: (lookups.sysctl(ns, "ipv4/ip_forward"), lookups.sysctl(ns, "", "all")),
    "firewall": lambda lookups, ns: lookups.firewall(ns),
    "policies": lambda lookups, ns: lookups.policies(ns),
}


class Pair(NamedTuple):
    """The two ends of a wire (veth, netkit ...), and the evidence for it."""

    a: Link
    b: Link
    evidence: Evidence


class Network:
    """What a rule looks at. `gaps` are what this rule could not see; all else is shared by all rules.

    `before` is an earlier look at the same host, for what is counted: only a difference says anything.
    """

    def __init__(
        self, topology: Topology, shared: Network | None = None, before: Network | None = None
    ) -> None:
        self.topology = topology
        self.before = before
        self.lookups = topology.lookups()
        self.gaps: dict[Gap, None] = {}
        self._memory: dict[object, tuple[object, dict[Gap, None]]] = {} if shared is None else shared._memory  # noqa: SLF001

    def once(self, key: object, make: Callable[[], object]) -> object:
        """What is made once for all rules, such as an index of addresses; what could not be seen for it is a gap of each."""
        if key not in self._memory:
            own, self.gaps = self.gaps, {}
            made = make()
            self._memory[key] = (made, self.gaps)
            self.gaps = own
        found, gaps = self._memory[key]
        self.gaps.update(gaps)
        return found

    # -- what is there -------------------------------------------------------------------------------------------

    def spaces(self, *tables: str) -> Iterator[Namespace]:
        """The namespaces in which these tables can be read (names of `TABLES`); each of the others is a gap of this rule."""
        for ns in self.topology.namespaces.values():
            if not ns.readable:
                self.gap(ns.key, LINKS, UNREAD())
            elif not tables or all(self.can_read(ns, table) for table in tables):
                yield ns

    def can_read(self, ns: Namespace, table: str) -> bool:
        """Whether a table of a namespace can be read; if not, that is a gap of this rule."""
        if ns.hidden:
            self.gap(ns.key, TABLE, gaps.NO_WAY(), table=table)
            return False
        try:
            TABLES[table](self.lookups, ns.key)
        except NotKnown as unknown:
            self.unread(ns, table, unknown.cause)
            return False
        return True

    def unread(self, ns: Namespace, table: str, cause: Cause) -> None:
        """Note that this rule could not read a table of a namespace."""
        self.gap(ns.key, TABLE, cause, table=table)

    def links(self, kind: str | None = None) -> Iterator[Link]:
        """All links of all namespaces, or those of a kind."""
        return (link for link in self.topology if kind is None or link.kind == kind)

    def pairs(self) -> Iterator[Pair]:
        """Every wire between two ends of a pair; an end whose other end cannot be seen is a gap of this rule."""
        for end, wire in self.topology.wires.items():
            a, b = self.topology.get(end), self.topology.at(wire.b)
            if end == wire.a and a is not None and b is not None:
                yield Pair(a, b, wire.evidence)
        for end, loose in self.topology.loose.items():
            if loose.relation == "peer" and loose.state in ("not permitted", "not visible", "ambiguous"):
                link = self.topology.get(end)
                if link is not None:
                    self.gap(end.ns, OTHER_END, NOT_TOLD(state=loose.state), link=link.ifname)

    def gap(self, ns: NsKey, row: Unseen, cause: Cause, **values: str | int) -> None:
        """Note that this rule could not be judged somewhere: what it did not see there, and why."""
        self.gaps[row(About(self.title(ns), (("netns", ns),)), cause, 0, **values)] = None

    # -- what they say -------------------------------------------------------------------------------------------

    def sysctl(self, link: Link, name: str) -> int | None:
        """A setting of a link as the kernel combines it with that of all links; None: that cannot be told. NotKnown."""
        return sysctls.setting(self.lookups, link, name)

    def owners(self, subjects: Iterable[Subject]) -> tuple[Owner, ...]:
        """Whose these links and namespaces are, each once."""
        found: dict[Owner, None] = {}
        for subject in subjects:
            if isinstance(subject, int):
                found.update(dict.fromkeys(self.topology.owners(subject)))
            else:
                found.update(dict.fromkeys(self.topology.owners_of_link(subject)))
        return tuple(found)

    def title(self, ns: NsKey) -> str:
        """A namespace as people call it. Escape it like any text from outside."""
        found = self.topology.namespaces.get(ns)
        return f"net:[{ns}]" if found is None else self.topology.title(found)

    def name(self, link: Link) -> str:
        """`NETNS/IFNAME`. Escape it like any text from outside."""
        return f"{self.title(link.end.ns)}/{link.ifname}"


def is_up(link: Link) -> bool:
    """Whether somebody has set it up (IFF_UP), which says nothing of a carrier."""
    return bool(link.fact.flags & IFF_UP)


def carries(link: Link) -> bool:
    """Whether it is up and packets pass: operstate UP, or UNKNOWN of a link that has no such thing (RFC 2863)."""
    return is_up(link) and link.operstate in ("UP", "UNKNOWN")


def is_switched(link: Link) -> bool:
    """Whether it is a port of a switch: of a bridge, or of Open vSwitch; a bond or a VRF is none."""
    master = link.master
    if master is None:
        return False
    row = kinds.of(master.kind)
    return (row.switch and not row.aggregate) or master.kind == "openvswitch"
