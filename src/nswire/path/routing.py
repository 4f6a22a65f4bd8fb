"""The routing decision: the kernel's own where it can be asked, else from rules and routes; and why a packet is refused.

IPv4: net/ipv4/route.c (ip_route_input_slow, ip_route_output_key_hash_rcu), fib_frontend.c (fib_validate_source).
IPv6: net/ipv6/route.c, ip6_output.c (ip6_forward).
"""

from __future__ import annotations

import ipaddress
from errno import EACCES, EHOSTUNREACH, EINVAL, ENETUNREACH, EXDEV
from os import strerror
from typing import TYPE_CHECKING, NamedTuple

from nswire import kinds
from nswire.model.lookups import NotKnown, Query
from nswire.model.reasons import Reason
from nswire.model.routing import DEAD, LINKDOWN
from nswire.model.values import End, Evidence
from nswire.path import source
from nswire.path.fib import REFUSALS, described, table_name
from nswire.path.values import Mend

if TYPE_CHECKING:
    from nswire.model.reasons import Cause
    from nswire.model.routing import NextHop, Route
    from nswire.model.topology import Link
    from nswire.model.values import NsKey
    from nswire.path.fib import Found
    from nswire.path.values import Packet
    from nswire.path.walk import Walk

SOURCE_UNKNOWN = Reason(
    "route.source_unknown", "which source address it would get cannot be told from the tables alone"
)
ENCAPSULATED = Reason(
    "route.encapsulated", "{route}: what becomes of a packet that is put into {encap} is not followed"
)
REFUSED = Reason("route.refused", "the kernel refuses to route it: {error}", "IP_OUTNOROUTES")
NOT_OWN_SOURCE = Reason(
    "route.not_own_source", "{address} is no address of this namespace, so nothing here can send from it"
)
LO_DOWN = Reason("route.lo_down", "{link} in {netns} is down", "DEV_READY")
REFUSING_ROUTE = Reason("route.refusing_route", "the route says {route}", "IP_OUTNOROUTES")
REFUSING_RULE = Reason("route.refusing_rule", "the rule says {rule}", "IP_OUTNOROUTES")
NO_ROUTE = Reason("route.no_route", "there is no route to {address}", "IP_OUTNOROUTES")
NO_FORWARDING = Reason(
    "route.no_forwarding", "{sysctl}=0 in {netns}: it forwards nothing that comes in there"
)
NO_FORWARDING6 = Reason(
    "route.no_forwarding6", "net.ipv6.conf.all.forwarding=0 in {netns}: it forwards nothing"
)
FORWARDING_UNREAD = Reason("route.forwarding_unread", "whether IPv6 is forwarded here could not be read")
MARTIAN = Reason("route.martian_source", "martian: no packet can come from {address}", "IP_INVALID_SOURCE")
MARTIAN_LOOPBACK = Reason(
    "route.martian_loopback",
    "martian: a packet {word} {address} may not come in by {link} (route_localnet=0)",
    "IP_LOCALNET",
)
MARTIAN_OWN = Reason(
    "route.martian_own", "martian: its source {address} is an address of {netns} itself", "IP_LOCAL_SOURCE"
)
RP_FILTER = Reason(
    "route.rp_filter",
    "rp_filter={mode} on {link}: the way back to {address} is {route}, not by {link}",
    "IP_RPFILTER",
)

IPV6 = 6
DSCP = 0xFC  # INET_DSCP_MASK: what of the traffic class routes and rules look at
KERNEL = "the kernel's own lookup"
STRICT, LOOSE = 1, 2
IFF_UP = 0x1


class Decision(NamedTuple):
    """What routing does with a packet. `type`: `unicast`, `local`, `broadcast`, `multicast`, `dropped` or `unknown`.

    `text` is the route that decides; `cause` is there for `dropped` and `unknown` alone.
    """

    type: str
    link: End | None = None
    gateway: str = ""
    source: str = ""
    mtu: int = 0
    text: str = ""
    because: tuple[str, ...] = ()
    evidence: Evidence = "proved"
    mend: Mend | None = None
    cause: Cause | None = None


def output(walk: Walk, ns: NsKey, packet: Packet, oif: int = 0, *, anysrc: bool = False) -> Decision:
    """Where a packet of this namespace's own goes, and by which source address if it has none yet.

    `anysrc`: it keeps its source, which need be no address of this namespace (FLOWI_FLAG_ANYSRC).
    """
    query = _query(packet, oif=oif)
    if not anysrc or not query.src or walk.has(ns, query.src):
        return _decide(walk, ns, query)
    if any(rule.src and not rule.src.endswith("/0") for rule in walk.lookups.rules(ns, query.family)):
        return _by_tables(walk, ns, query, anysrc=True)  # the kernel takes no such source from anybody else
    return _decide(walk, ns, query._replace(src=""))._replace(source=query.src)


def arriving(walk: Walk, ns: NsKey, packet: Packet, link: End) -> Decision:
    """Where a packet goes that came in by that link: up to a socket here, or on."""
    decision = _decide(walk, ns, _query(packet, iif=link.ifindex))
    if packet.flow.family == IPV6 and decision.type == "unicast":
        return _forwarded6(walk, ns, link, decision)
    return decision


def kind_of(walk: Walk, ns: NsKey, query: Query) -> Decision:
    """What kind of address a packet is for (`local`, `unicast` ...), or `dropped` and why. NotKnown."""
    said = walk.lookups.decision(ns, query)
    if isinstance(said, int):
        return _refused(walk, ns, query, said)
    if said is not None:
        return Decision(said.type, _end(ns, said.hops))
    decision = _by_tables(walk, ns, query)
    if decision.type == "unknown":
        raise NotKnown(decision.cause or SOURCE_UNKNOWN())
    return decision


def _query(packet: Packet, *, iif: int = 0, oif: int = 0) -> Query:
    flow = packet.flow
    return Query(
        flow.dst,
        flow.src,
        iif,
        oif,
        packet.mark,
        flow.proto,
        flow.sport,
        flow.dport,
        tos=(packet.tos or 0) & DSCP,
    )


def _decide(walk: Walk, ns: NsKey, query: Query) -> Decision:
    said = None if walk.fib.asks_more(ns, query) else walk.lookups.decision(ns, query)
    if isinstance(said, int):
        return _refused(walk, ns, query, said)
    if said is None:
        return _by_tables(walk, ns, query)
    entry = walk.lookups.decision(ns, query._replace(match=True))
    matched = entry if entry is not None and not isinstance(entry, int) else said
    if said.type not in ("unicast", "local"):
        return Decision(said.type, _end(ns, said.hops), text=route_text(walk, ns, matched))
    if matched.type == "local":
        end = _end(ns, said.hops) if query.iif else loop_of(walk, ns, _end(ns, said.hops))
        return Decision("local", end, source=query.src or said.prefsrc, text=route_text(walk, ns, matched))
    hops = matched.hops if len(matched.hops) > 1 else said.hops
    if matched.nh_id and not matched.hops:
        hops = walk.fib.reachable(ns, matched, query)[0] or said.hops
    hop, because = _choose(walk, ns, hops)
    if hop is not None and hop.encap:
        return _encapsulated(walk, ns, matched, hop)
    chosen = said.prefsrc
    if hop is not None and said.hops and hop.ifindex != said.hops[0].ifindex and not query.iif:
        again = walk.lookups.decision(ns, query._replace(oif=hop.ifindex))
        chosen = again.prefsrc if again is not None and not isinstance(again, int) else ""
    return Decision(
        said.type,
        None if hop is None else End(ns, hop.ifindex),
        "" if hop is None else hop.gateway,
        query.src or chosen,
        matched.mtu,
        route_text(walk, ns, matched),
        (*because, KERNEL),
    )


def _by_tables(walk: Walk, ns: NsKey, query: Query, *, anysrc: bool = False) -> Decision:
    """The decision where the kernel cannot be asked."""
    if query.iif and query.family != IPV6:
        martian = _martian(walk, ns, query)
        if martian:
            return Decision("dropped", cause=martian, evidence="inferred")
    foreign = query.src and not query.iif and query.family != IPV6 and not anysrc
    if foreign and not _is_local(walk, ns, query.src):
        return _foreign_source(query)
    found = walk.fib.lookup(ns, query, walk.chooser)
    if found.type == "none" or found.type in REFUSALS:
        return _nowhere(walk, ns, query, found)
    link = walk.topology.get(End(ns, query.iif)) if query.iif else None
    if link is not None and query.family != IPV6:
        wrong = _wrong_way(walk, ns, query)
        if wrong is not None:
            return wrong
        if found.type == "unicast" and not walk.lookups.sysctl(ns, "ipv4/conf/{}/forwarding", link.ifname):
            return _no_forwarding(walk, ns, query)
    hop, because = _choose(walk, ns, found.hops)
    route = found.route
    if hop is not None and hop.encap and route is not None:
        return _encapsulated(walk, ns, route, hop)
    end = None if hop is None else End(ns, hop.ifindex)
    chosen = query.src
    if found.type == "local" and not query.iif:
        end = loop_of(walk, ns, end)
        chosen = chosen or _own_source(walk, ns, query, route)
    if not chosen and end is not None and route is not None:
        chosen = route.prefsrc or source.select(walk, end, hop.gateway if hop else "", query.dst)
        if not chosen:
            return Decision("unknown", cause=SOURCE_UNKNOWN())
    text = route_text(walk, ns, route) if route is not None else ""
    rule = f"rule {described(found.rule)}" if found.rule is not None else "the tables"
    gateway = "" if hop is None else hop.gateway
    return Decision(
        found.type, end, gateway, chosen, route.mtu if route else 0, text, (*because, rule), "inferred"
    )


def loop_of(walk: Walk, ns: NsKey, end: End | None) -> End | None:
    """What brings back what a namespace sends to itself: the VRF that the address is in, else lo.

    IPv4: ip_route_output_key_hash_rcu; IPv6: ip6_rt_get_dev_rcu.
    """
    link = walk.topology.at(end)
    for one in (link, link.master if link is not None else None):
        if one is not None and kinds.of(one.kind).routes:
            return one.end
    return next((one.end for one in walk.topology.links(ns) if one.loopback), None)


def _own_source(walk: Walk, ns: NsKey, query: Query, route: Route | None) -> str:
    """The source of what is sent to an own address: that of the route, else the address itself; empty if tables do not tell."""
    if route is not None and route.prefsrc:
        return route.prefsrc
    return query.dst if query.family != IPV6 or walk.has(ns, query.dst) else ""


def _choose(walk: Walk, ns: NsKey, hops: tuple[NextHop, ...]) -> tuple[NextHop | None, tuple[str, ...]]:
    """One of the ways of a route: which, a hash decides."""
    alive = [hop for hop in hops if not hop.flags & DEAD and not _skipped(walk, ns, hop)]
    if len(alive) <= 1:
        return next(iter(alive or hops), None), ()
    names = [f"the hash picks {_hop_text(walk, ns, hop)}" for hop in alive]
    taken = walk.chooser.choose(names)
    return alive[taken], (f"one of {len(alive)} ways, by a hash of the flow",)


def _encapsulated(walk: Walk, ns: NsKey, route: Route, hop: NextHop) -> Decision:
    cause = ENCAPSULATED(route=route_text(walk, ns, route), encap=hop.encap)
    return Decision("unknown", End(ns, hop.ifindex), cause=cause)


def _skipped(walk: Walk, ns: NsKey, hop: NextHop) -> bool:
    if not hop.flags & LINKDOWN:
        return False
    link = walk.topology.get(End(ns, hop.ifindex))
    name = (
        "ipv6/conf/{}/ignore_routes_with_linkdown"
        if ":" in hop.gateway
        else "ipv4/conf/{}/ignore_routes_with_linkdown"
    )
    return bool(link is not None and walk.lookups.sysctl(ns, name, link.ifname))


def _end(ns: NsKey, hops: tuple[NextHop, ...]) -> End | None:
    return End(ns, hops[0].ifindex) if hops else None


# -- refusals ----------------------------------------------------------------------------------------------------


def _refused(walk: Walk, ns: NsKey, query: Query, errno: int) -> Decision:
    """Why the kernel refuses. That it does is certain, whether or not its reason can be told."""
    try:
        return _explained(walk, ns, query, errno) or _unexplained(errno)
    except NotKnown:
        return _unexplained(errno)


def _unexplained(errno: int) -> Decision:
    return Decision("dropped", cause=REFUSED(error=strerror(errno)), because=(_errno(errno),))


def _explained(walk: Walk, ns: NsKey, query: Query, errno: int) -> Decision | None:
    """The first of the reasons for that errno that the tables confirm."""
    if query.iif and query.family != IPV6:
        if errno in (EXDEV, EINVAL):
            wrong = _wrong_way(walk, ns, query)
            if wrong is not None:
                return wrong._replace(evidence="proved", because=(*wrong.because, _errno(errno)))
        if errno == EINVAL:
            martian = _martian(walk, ns, query)
            if martian:
                return Decision("dropped", cause=martian, because=(_errno(errno),))
        link = walk.topology.get(End(ns, query.iif))
        if errno == EHOSTUNREACH and link is not None:
            forwarding = walk.lookups.sysctl(ns, "ipv4/conf/{}/forwarding", link.ifname)
            if forwarding == 0:
                return _no_forwarding(walk, ns, query)._replace(because=(_errno(errno),))
    if not query.iif and errno == EINVAL and query.src and not _is_local(walk, ns, query.src):
        return _foreign_source(query)._replace(evidence="proved", because=(_errno(errno),))
    found = walk.fib.lookup(ns, query)
    if errno in (EACCES, EHOSTUNREACH, ENETUNREACH, EINVAL) and (
        found.type in REFUSALS or found.type == "none"
    ):
        return _nowhere(walk, ns, query, found)._replace(evidence="proved", because=(_errno(errno),))
    return None


def _is_local(walk: Walk, ns: NsKey, address: str) -> bool:
    """Whether a namespace may send from an address: one of a link, or what its table `local` has as such (__ip_dev_find)."""
    return walk.has(ns, address) or walk.fib.local(ns, address)


def _foreign_source(query: Query) -> Decision:
    return Decision("dropped", cause=NOT_OWN_SOURCE(address=query.src), evidence="inferred")


def _errno(errno: int) -> str:
    return f"{KERNEL}: {strerror(errno)}"


def _nowhere(walk: Walk, ns: NsKey, query: Query, found: Found) -> Decision:
    if found.route is not None:
        cause = REFUSING_ROUTE(route=route_text(walk, ns, found.route))
        words = ("ip", *(("-6",) if query.family == IPV6 else ()), "route", "del", *_deletable(found.route))
        mend = Mend("would remove that route", ns, words)
        return Decision("dropped", cause=cause, evidence="inferred", mend=mend)
    lo = next((one for one in walk.topology.links(ns) if one.loopback), None)
    if lo is not None and not lo.fact.flags & IFF_UP and ipaddress.ip_address(query.dst).is_loopback:
        cause = LO_DOWN(link=lo.ifname, netns=walk.name(ns))
        return Decision("dropped", cause=cause, evidence="inferred", mend=bring_up(lo))
    if found.rule is not None:
        return Decision("dropped", cause=REFUSING_RULE(rule=described(found.rule)), evidence="inferred")
    return Decision(
        "dropped",
        cause=NO_ROUTE(address=query.dst),
        evidence="inferred",
        mend=Mend("would be a route to it", ns, ("ip", "route", "add", "default", "via", "GATEWAY")),
    )


def bring_up(link: Link) -> Mend:
    """A link that is down."""
    return Mend("would bring it up", link.end.ns, ("ip", "link", "set", link.ifname, "up"))


def _deletable(route: Route) -> tuple[str, ...]:
    where = () if route.table == 254 else ("table", table_name(route.table))
    return (route.type, _network(route.dst), *where)


def _sysctl(ns: NsKey, name: str, value: int, effect: str) -> Mend:
    return Mend(effect, ns, ("sysctl", "-w", f"{name}={value}"))


def _conf(ifname: str, name: str) -> str:
    """A sysctl of a link; a name with a dot in it has to be written with slashes."""
    return f"net/ipv4/conf/{ifname}/{name}" if "." in ifname else f"net.ipv4.conf.{ifname}.{name}"


def _no_forwarding(walk: Walk, ns: NsKey, query: Query) -> Decision:
    link = walk.topology.get(End(ns, query.iif))
    name = "net.ipv4.ip_forward"
    if link is not None and walk.lookups.sysctl(ns, "ipv4/ip_forward"):
        name = _conf(link.ifname, "forwarding")
    return Decision(
        "dropped",
        cause=NO_FORWARDING(sysctl=name, netns=walk.name(ns)),
        evidence="inferred",
        mend=_sysctl(ns, name, 1, "would forward"),
    )


def _forwarded6(walk: Walk, ns: NsKey, link: End, decision: Decision) -> Decision:
    at = walk.topology.get(link)
    forced = at is not None and walk.lookups.sysctl(ns, "ipv6/conf/{}/force_forwarding", at.ifname)
    allowed = walk.lookups.sysctl(ns, "ipv6/conf/all/forwarding")
    if allowed is None:
        return Decision("unknown", cause=FORWARDING_UNREAD())
    if allowed or forced:
        return decision
    return Decision(
        "dropped",
        cause=NO_FORWARDING6(netns=walk.name(ns)),
        mend=_sysctl(ns, "net.ipv6.conf.all.forwarding", 1, "would forward"),
    )


def _martian(walk: Walk, ns: NsKey, query: Query) -> Cause | None:
    """Why an address cannot come in from outside at all; None if it can."""
    link = walk.topology.get(End(ns, query.iif))
    if link is None or link.loopback:
        return None
    src, dst = ipaddress.ip_address(query.src), ipaddress.ip_address(query.dst)
    if src.is_multicast or query.src == "255.255.255.255" or (src.is_unspecified and not dst.is_multicast):
        return MARTIAN(address=query.src)
    localnet = any(walk.settings(link, "ipv4/conf/{}/route_localnet"))
    for address, word in ((src, "from"), (dst, "for")):
        if address.is_loopback and not localnet:
            return MARTIAN_LOOPBACK(word=word, address=str(address), link=link.ifname)
    return None


def _wrong_way(walk: Walk, ns: NsKey, query: Query) -> Decision | None:
    """Whether its source address may come in by that link (fib_validate_source); None if it may."""
    link = walk.topology.get(End(ns, query.iif))
    if link is None or link.loopback:
        return None
    modes = walk.settings(link, "ipv4/conf/{}/rp_filter")
    accept_local = any(walk.settings(link, "ipv4/conf/{}/accept_local"))
    if not accept_local and walk.has(ns, query.src):
        cause = MARTIAN_OWN(address=query.src, netns=walk.name(ns))
        return Decision("dropped", cause=cause, evidence="inferred")
    mode = max(modes)
    if not mode:
        return None
    mark = query.mark if walk.lookups.sysctl(ns, "ipv4/conf/{}/src_valid_mark", link.ifname) else 0
    master = link.master
    # a VRF's ports are asked about in its own table (fib_validate_source: flowi4_l3mdev)
    back = Query(
        query.src,
        query.dst,
        oif=master.ifindex if master is not None and kinds.of(master.kind).routes else 0,
        mark=mark,
        proto=query.proto,
        sport=query.dport,
        dport=query.sport,
    )
    found = walk.fib.lookup(ns, back)
    same = {query.iif, link.fact.master or 0}
    if found.type == "unicast" and any(hop.ifindex in same for hop in found.hops):
        return None
    if mode == LOOSE and found.type == "unicast":
        return None
    way = route_text(walk, ns, found.route) if found.route is not None else "no route at all"
    where = _conf("all" if modes[0] >= modes[1] else link.ifname, "rp_filter")
    return Decision(
        "dropped",
        cause=RP_FILTER(mode=mode, link=link.ifname, address=query.src, route=way),
        evidence="inferred",
        because=(f"{where}={mode}",),
        mend=_sysctl(ns, where, 2, f"would let it in, and so would a route to {query.src} by {link.ifname}"),
    )


# -- words -------------------------------------------------------------------------------------------------------


def route_text(walk: Walk, ns: NsKey, route: Route) -> str:
    """A route as `ip route` prints it."""
    words = [] if route.type == "unicast" else [route.type]
    words.append(_network(route.dst))
    words += [f"from {route.src}"] if route.src else []
    if len(route.hops) == 1:
        words.append(_hop_text(walk, ns, route.hops[0]))
    words += [
        f"nexthop {_hop_text(walk, ns, hop)} weight {hop.weight}" for hop in route.hops if len(route.hops) > 1
    ]
    words += [f"metric {route.priority}"] if route.priority else []
    words += [f"table {table_name(route.table)}"] if route.table != 254 else []
    return " ".join(words)


def _network(dst: str) -> str:
    address, _, length = dst.partition("/")
    if length == "0":
        return "default"
    return address if length == ("128" if ":" in address else "32") else dst


def _hop_text(walk: Walk, ns: NsKey, hop: NextHop) -> str:
    link = walk.topology.get(End(ns, hop.ifindex))
    dev = f"dev {link.ifname if link is not None else hop.ifindex}"
    encap = f"encap {hop.encap} " if hop.encap else ""
    return f"{encap}via {hop.gateway} {dev}" if hop.gateway else f"{encap}{dev}"
