"""A routing decision from rules and routes alone: for recordings, and to say why the kernel decides as it does.

IPv4: net/ipv4/fib_rules.c, fib_trie.c (fib_table_lookup). IPv6: net/ipv6/fib6_rules.c, route.c.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NamedTuple

from nswire import kinds
from nswire.codec.netlink.route import TOLD_PROTOCOLS
from nswire.model.routing import DEAD, LINKDOWN, TABLES, NextHop, Ports, Route, Rule
from nswire.model.tables import Query
from nswire.model.values import End
from nswire.path import sysctls
from nswire.path.values import WITH_PORTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.tables import Lookups
    from nswire.model.topology import Topology
    from nswire.model.values import NsKey
    from nswire.path.branching import Chooser

INET, INET6 = 2, 10  # AF_INET, AF_INET6
IPV4 = 4
LOCAL_AND_MAIN = -1  # under which both are kept as one
FAMILIES = {4: INET, 6: INET6}
LOCAL, MAIN, DEFAULT = 255, 254, 253  # RT_TABLE_*
KERNELS_OWN = ((0, LOCAL), (32766, MAIN), (32767, DEFAULT))
"""The rules that a namespace begins with. While it has had no other, its IPv4 tables local and main are one (fib_trie_table,
net->ipv4.fib_has_custom_rules): the longest prefix of both counts. The first rule that is added or removed parts them
for good (fib_unmerge); where that rule is gone again, only /proc/net/fib_triestat tells."""
ONE = "tables local and main are one, as no rule was ever added there"
APART = "tables local and main are two, as a rule was there once"
LOOPBACK = "lo"  # how rules call packets of this namespace's own
EVERYBODY = (None, (0, 0xFFFFFFFF))  # ranges of user ids that say nothing
ANYCAST = "anycast"
REFUSALS = ("blackhole", "unreachable", "prohibit")


class Found(NamedTuple):
    """A decision: the route and the rule that led to it. `type` is the route's, `none` without any.

    `unsure` says what could not be decided on the way; then it may be another one.
    """

    type: str
    route: Route | None = None
    rule: Rule | None = None
    hops: tuple[NextHop, ...] = ()
    unsure: str = ""


class _Table:
    """The routes of a table of a family, by prefix length and network."""

    def __init__(self) -> None:
        self.by_length: dict[int, dict[int, list[Route]]] = {}
        self.size = 0

    def add(self, route: Route) -> None:
        self.size += 1
        network, _, length = route.dst.partition("/")
        bits = int(length)
        self.by_length.setdefault(bits, {}).setdefault(int(ipaddress.ip_address(network)), []).append(route)

    def covering(self, address: int, size: int) -> Iterator[list[Route]]:
        """The routes whose networks the address is in, the longest prefix first."""
        for length in sorted(self.by_length, reverse=True):
            network = address >> (size - length) << (size - length)
            found = self.by_length[length].get(network)
            if found:
                yield sorted(found, key=lambda route: (-route.table, -route.tos, route.priority))


def as_begun(rules: tuple[Rule, ...]) -> bool:
    """Whether a namespace has the rules that it began with, and no others."""
    return len(rules) == len(KERNELS_OWN) and all(
        rule == Rule(rule.family, priority, "table", table)
        for rule, (priority, table) in zip(rules, KERNELS_OWN, strict=True)
    )


def _is_local(found: Found | None) -> bool:
    return found is not None and found.type == "local"


class Fib:
    """The tables of all namespaces, each read when it is needed."""

    def __init__(self, topology: Topology, lookups: Lookups) -> None:
        self._topology = topology
        self._lookups = lookups
        self._tables: dict[NsKey, dict[tuple[int, int], _Table]] = {}

    def lookup(self, ns: NsKey, query: Query, chooser: Chooser | None = None) -> Found:
        """What the rules and routes say about a packet. Whether it may be forwarded at all is no matter of theirs.

        Where it cannot be known whether a rule takes it, the chooser decides; without one, what was found is `unsure`.
        """
        rules = self._lookups.rules(ns, query.family)
        apart = self._by_rules(ns, query, rules, chooser)
        one = self._in_one(ns, query, rules)
        if one is None or one.route == apart.route:
            return apart
        parted = self._parted(ns, chooser)
        if parted is None:
            return one._replace(unsure=f"whether the {APART}, is not known")
        return apart if parted else one

    def _in_one(self, ns: NsKey, query: Query, rules: tuple[Rule, ...]) -> Found | None:
        """The decision of local and main as one table; None: they are two, or it has none."""
        if query.family != IPV4 or not as_begun(rules):
            return None
        tables = self._read(ns)
        found = self._in_table(ns, tables.get((INET, LOCAL_AND_MAIN)), query)
        if found is None or found.route is None:
            return found
        return found._replace(rule=next(rule for rule in rules if rule.table == found.route.table))

    def _parted(self, ns: NsKey, chooser: Chooser | None) -> bool | None:
        """Whether local and main are two by now: by what the kernel counts in them, else the chooser decides; None without one."""
        tables = self._read(ns)
        held = [table.size if (table := tables.get((INET, number))) else 0 for number in (LOCAL, MAIN)]
        counted = self._lookups.prefixes(ns).get("Local")
        if counted in (held[0], sum(held)) and held[1]:
            return counted == held[0]
        return (
            bool(chooser.choose_once(("local and main", ns), (ONE, APART))) if chooser is not None else None
        )

    def _by_rules(self, ns: NsKey, query: Query, rules: tuple[Rule, ...], chooser: Chooser | None) -> Found:
        tables = self._read(ns)
        unsure = ""
        skip_to = -1
        for rule in rules:
            if rule.priority < skip_to:
                continue
            matches = self._matches(ns, rule, query)
            if matches is None and chooser is not None:
                text = f"the rule `{described(rule)}`"
                matches = bool(chooser.choose((f"{text} does not take it", f"{text} takes it")))
            if matches is None:
                unsure = unsure or f"whether the rule {described(rule)} takes it is not known"
                continue
            if not matches:
                continue
            if rule.action == "goto":
                skip_to = rule.target
            elif rule.action in REFUSALS:
                return Found(rule.action, None, rule, (), unsure)
            elif rule.action == "table":
                table = self._l3mdev(ns, query) if rule.l3mdev else rule.table
                found = self._in_table(ns, tables.get((FAMILIES[query.family], table)), query)
                if found is None:
                    continue
                length = int(found.route.dst.partition("/")[2]) if found.route else 0
                if length <= rule.suppress_prefixlength and found.type not in REFUSALS:
                    continue
                if rule.suppress_ifgroup >= 0 and self._group(ns, found) == rule.suppress_ifgroup:
                    continue
                return found._replace(rule=rule, unsure=unsure or found.unsure)
        return Found("none", unsure=unsure)

    def _group(self, ns: NsKey, found: Found) -> int:
        """The group of the link of a decision's first next hop (fib4_rule_suppress, fib6_rule_suppress); -1 if it has none."""
        return self._lookups.groups(ns).get(found.hops[0].ifindex, 0) if found.hops else -1

    def local(self, ns: NsKey, address: str, chooser: Chooser) -> bool:
        """Whether the table `local` has an address as one of the namespace's own (__ip_dev_find)."""
        query = Query(address)
        family = FAMILIES[query.family]
        tables = self._read(ns)
        apart = _is_local(self._in_table(ns, tables.get((family, LOCAL)), query))
        if family != INET or not as_begun(self._lookups.rules(ns, query.family)):
            return apart
        one = _is_local(self._in_table(ns, tables.get((INET, LOCAL_AND_MAIN)), query))
        return one if one == apart or not self._parted(ns, chooser) else apart

    def anycast(self, ns: NsKey, address: str, ifindex: int = 0) -> bool:
        """Whether an address is one of the anycast addresses of a namespace (of one link), such as a router's PREFIX:: (RFC 4291, 2.6.1)."""
        return ":" in address and any(
            route.type == ANYCAST
            and route.dst == f"{address}/128"
            and (not ifindex or any(hop.ifindex == ifindex for hop in route.hops))
            for route in self._lookups.routes(ns)
        )

    def asks_more(self, ns: NsKey, query: Query) -> bool:
        """Whether a rule looks at what the kernel cannot be told of a packet, and so would answer for another one."""
        return any(
            (rule.proto and query.proto not in TOLD_PROTOCOLS[FAMILIES[query.family]])
            or (
                query.proto in WITH_PORTS
                and ((rule.sports and not query.sport) or (rule.dports and not query.dport))
            )
            or (rule.uids not in EVERYBODY and not query.iif and query.uid is None)
            or (rule.flowlabel is not None and query.iif)
            for rule in self._lookups.rules(ns, query.family)
        )

    def _read(self, ns: NsKey) -> dict[tuple[int, int], _Table]:
        if ns not in self._tables:
            tables = self._tables[ns] = {}
            for route in self._lookups.routes(ns):
                tables.setdefault((route.family, route.table), _Table()).add(route)
                if route.family == INET and route.table in (LOCAL, MAIN):
                    tables.setdefault((INET, LOCAL_AND_MAIN), _Table()).add(route)
        return self._tables[ns]

    def _in_table(self, ns: NsKey, table: _Table | None, query: Query) -> Found | None:
        if table is None:
            return None
        address = ipaddress.ip_address(query.dst)
        for routes in table.covering(int(address), address.max_prefixlen):
            for route in routes:
                if route.tos not in (0, query.tos) or (route.src and not self._source_fits(route, query)):
                    continue
                if route.type == "throw":
                    return None
                if route.type in REFUSALS:
                    return Found(route.type, route)
                hops, blackhole = self.reachable(ns, route, query)
                if blackhole:
                    return Found("blackhole", route)
                if hops or (not route.hops and not route.nh_id):
                    return Found(route.type, route, hops=hops)
        return None

    def _source_fits(self, route: Route, query: Query) -> bool:
        return bool(query.src) and ipaddress.ip_address(query.src) in ipaddress.ip_network(route.src)

    def reachable(self, ns: NsKey, route: Route, query: Query) -> tuple[tuple[NextHop, ...], bool]:
        """The ways of a route that can be used now; whether it is a next hop object that swallows everything."""
        hops = route.hops
        if route.nh_id and not hops:
            objects = self._lookups.next_hops(ns)
            one = objects.get(route.nh_id)
            if one is not None and one.blackhole:
                return (), True
            members = [objects.get(number) for number, _ in one.group] if one is not None else []
            hops = tuple(member.hop for member in (*members, one) if member is not None and member.hop)
        return tuple(hop for hop in hops if self._usable(ns, hop, query)), False

    def _usable(self, ns: NsKey, hop: NextHop, query: Query) -> bool:
        if hop.flags & DEAD or (
            query.oif and hop.ifindex != query.oif and not self._l3mdev_of(ns, query.oif)
        ):
            return False
        if hop.flags & LINKDOWN:
            link = self._topology.get(End(ns, hop.ifindex))
            name = f"ipv{query.family}/conf/{{}}/ignore_routes_with_linkdown"
            return link is None or not sysctls.setting(self._lookups, link, name)
        return True

    def _l3mdev(self, ns: NsKey, query: Query) -> int:
        """The table of the VRF that the packet belongs to; 0 if to none."""
        return self._l3mdev_of(ns, query.oif) or self._l3mdev_of(ns, query.iif)

    def _l3mdev_of(self, ns: NsKey, ifindex: int) -> int:
        link = self._topology.get(End(ns, ifindex)) if ifindex else None
        for one in (link, link.master if link is not None else None):
            if one is not None and kinds.of(one.kind).routes:
                table = kinds.details(one.fact).get("table", 0)
                return table if isinstance(table, int) else 0
        return 0

    def _name(self, ns: NsKey, ifindex: int) -> str:
        link = self._topology.get(End(ns, ifindex)) if ifindex else None
        return link.ifname if link is not None else ""

    def _matches(self, ns: NsKey, rule: Rule, query: Query) -> bool | None:
        """Whether a rule takes the packet; None if that cannot be known."""
        if rule.unknown:
            return None
        iif = self._name(ns, query.iif) if query.iif else LOOPBACK
        tests: list[bool | None] = [
            not rule.iif or rule.iif in (iif, self._master_name(ns, query.iif)),
            not rule.oif or rule.oif in (self._name(ns, query.oif), self._master_name(ns, query.oif)),
            (query.mark ^ rule.fwmark) & rule.fwmask == 0,
            rule.tos in (0, query.tos),
            rule.dscp is None or rule.dscp.fits(query.tos >> 2),
            _label_fits(rule, query),
            not rule.dst or ipaddress.ip_address(query.dst) in ipaddress.ip_network(rule.dst, strict=False),
            self._from(rule, query),
            not rule.proto or rule.proto == query.proto,
            _port_fits(rule.sports, query.sport, query.proto),
            _port_fits(rule.dports, query.dport, query.proto),
            _uid_fits(rule, query),
            not rule.l3mdev or bool(self._l3mdev(ns, query)),
        ]
        if False in tests:
            return rule.invert
        return None if None in tests else not rule.invert

    def _master_name(self, ns: NsKey, ifindex: int) -> str:
        """The VRF of a link, which a rule may mean as well."""
        link = self._topology.get(End(ns, ifindex)) if ifindex else None
        master = link.master if link is not None else None
        return master.ifname if master is not None and kinds.of(master.kind).routes else ""

    def _from(self, rule: Rule, query: Query) -> bool:
        if not rule.src or rule.src.endswith("/0"):
            return True
        return bool(query.src) and ipaddress.ip_address(query.src) in ipaddress.ip_network(
            rule.src, strict=False
        )


def _uid_fits(rule: Rule, query: Query) -> bool | None:
    """What is not from here is root's (ip_route_input_slow: sock_net_uid of no socket)."""
    uid = 0 if query.iif else query.uid
    if rule.uids is None or rule.uids in EVERYBODY:
        return True
    return None if uid is None else rule.uids[0] <= uid <= rule.uids[1]


def _port_fits(ports: Ports | None, port: int, proto: int) -> bool | None:
    if ports is None:
        return True
    if proto not in WITH_PORTS:  # to the kernel they are 0, which no rule can mean
        return False
    if not port:
        return None
    return (port ^ ports.first) & ports.mask == 0 if ports.mask else ports.first <= port <= ports.last


def _label_fits(rule: Rule, query: Query) -> bool | None:
    """The flow label of what is sent from here is put in after routing (ip6_make_flowlabel); that of others is not known."""
    if rule.flowlabel is None:
        return True
    return None if query.iif and rule.flowlabel.mask else rule.flowlabel.fits(0)


def described(rule: Rule) -> str:
    """A rule as `ip rule` prints it."""
    words = [f"{rule.priority}:", *(("not",) if rule.invert else ()), f"from {rule.src or 'all'}"]
    words += [f"to {rule.dst}"] if rule.dst else []
    words += [f"iif {rule.iif}"] if rule.iif else []
    words += [f"oif {rule.oif}"] if rule.oif else []
    words += [f"fwmark {rule.fwmark:#x}/{rule.fwmask:#x}"] if rule.fwmask else []
    words += [f"ipproto {rule.proto}"] if rule.proto else []
    for name, ports in (("sport", rule.sports), ("dport", rule.dports)):
        words += [f"{name} {ports.text}"] if ports else []
    words += [f"dscp {rule.dscp.text(0x3F)}"] if rule.dscp else []
    words += [f"flowlabel {rule.flowlabel.text(0xFFFFF)}"] if rule.flowlabel else []
    words += [f"uidrange {rule.uids[0]}-{rule.uids[1]}"] if rule.uids else []
    if rule.action == "table":
        words.append("lookup [l3mdev-table]" if rule.l3mdev else f"lookup {table_name(rule.table)}")
        for name, value in (("prefixlength", rule.suppress_prefixlength), ("ifgroup", rule.suppress_ifgroup)):
            words += [f"suppress_{name} {value}"] if value >= 0 else []
    else:
        words.append(f"goto {rule.target}" if rule.action == "goto" else rule.action)
    return " ".join(words)


def table_name(table: int) -> str:
    """A table as people call it."""
    return TABLES.get(table, str(table))
