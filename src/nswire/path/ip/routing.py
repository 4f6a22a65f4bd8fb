"""The routing decision: the kernel's own where it can be asked, else from rules and routes; `refusals` says why there is none.

IPv4: net/ipv4/route.c (ip_route_input_slow, ip_route_output_key_hash_rcu). IPv6: net/ipv6/route.c, ip6_output.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from nswire import kinds
from nswire.model.reasons import Reason
from nswire.model.routing import DEAD, LINKDOWN
from nswire.model.tables import NotKnown, Query
from nswire.model.values import End
from nswire.path.fib import ANYCAST, REFUSALS, described
from nswire.path.ip import refusals, source_address
from nswire.path.ip.decision import IPV6, Decision, hop_text, route_text
from nswire.path.values import ICMP, ICMPV6

if TYPE_CHECKING:
    from nswire.model.routing import NextHop, Route
    from nswire.model.values import NsKey
    from nswire.path.context import PathContext
    from nswire.path.fib import Found
    from nswire.path.values import Packet

SOURCE_UNKNOWN = Reason(
    "route.source_unknown",
    "which source address it would get cannot be told from the tables alone",
    unknown=True,
)
ENCAPSULATED = Reason(
    "route.encapsulated",
    "{route}: what becomes of a packet that is put into {encap} is not followed",
    unknown=True,
)
DSCP = 0xFC  # INET_DSCP_MASK: what of the traffic class routes and rules look at


def output(ctx: PathContext, ns: NsKey, packet: Packet, oif: int = 0, *, anysrc: bool = False) -> Decision:
    """Where a packet of this namespace's own goes, and by which source address if it has none yet.

    `anysrc`: it keeps its source, which need be no address of this namespace (FLOWI_FLAG_ANYSRC).
    """
    query = _query(packet, oif=oif)
    # the kernel does not look, but nobody can bind to it
    if query.src and query.family == IPV6 and not ctx.depth and not anysrc:
        refusal = refusals.source6(ctx, ns, query)
        if refusal is not None:
            return refusal
    if not anysrc or not query.src or ctx.has(ns, query.src):
        return _decide(ctx, ns, query)
    if any(rule.src and not rule.src.endswith("/0") for rule in ctx.lookups.rules(ns, query.family)):
        return _by_tables(ctx, ns, query, anysrc=True)  # the kernel takes no such source from anybody else
    return _decide(ctx, ns, query._replace(src=""))._replace(source=query.src)


def looked_up(ctx: PathContext, ns: NsKey, packet: Packet, link: End) -> Decision:
    """The look-up for a packet that came in by that link, before IPv6 asks whether it forwards."""
    return _decide(ctx, ns, _query(packet, iif=link.ifindex))


def arriving(ctx: PathContext, ns: NsKey, packet: Packet, link: End) -> Decision:
    """Where a packet goes that came in by that link: up to a socket here, or on."""
    query = _query(packet, iif=link.ifindex)
    decision = _decide(ctx, ns, query)
    if packet.flow.family == IPV6 and decision.type == "unicast":
        return refusals.forwarded6(ctx, ns, query, decision)
    return decision


def kind_of(ctx: PathContext, ns: NsKey, query: Query) -> Decision:
    """What kind of address a packet is for (`local`, `unicast` ...), or `dropped` and why. NotKnown."""
    said = ctx.lookups.decision(ns, query)
    if isinstance(said, int):
        return refusals.refused(ctx, ns, query, said)
    if said is not None:
        return Decision(said.type, _end(ns, said.hops))
    decision = _by_tables(ctx, ns, query)
    if decision.type == "unknown":
        raise NotKnown(decision.cause or SOURCE_UNKNOWN())
    if decision.type == "local" and ctx.fib.anycast(ns, query.dst):
        return decision._replace(type=ANYCAST)
    return decision


def _own(route: Route) -> Route:
    """What is for an anycast address of a namespace is for itself, as what is for its other ones (ip6_input)."""
    return replace(route, type="local") if route.type == ANYCAST else route


def _own_found(found: Found) -> Found:
    return found._replace(type="local") if found.type == ANYCAST else found


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
        uid=_uid(packet) if not iif else None,
    )


def _uid(packet: Packet) -> int | None:
    """Whose it is: echo replies are the kernel's own (icmp_sk)."""
    return 0 if packet.answer and packet.flow.proto in (ICMP, ICMPV6) else packet.uid


def _decide(ctx: PathContext, ns: NsKey, query: Query) -> Decision:
    said = None if ctx.fib.asks_more(ns, query) else ctx.lookups.decision(ns, query)
    if isinstance(said, int):
        return refusals.refused(ctx, ns, query, said)
    if said is None:
        return _by_tables(ctx, ns, query)
    said = _own(said)
    entry = ctx.lookups.decision(ns, query._replace(match=True))
    matched = _own(entry) if entry is not None and not isinstance(entry, int) else said
    if said.type not in ("unicast", "local"):
        return Decision(said.type, _end(ns, said.hops), text=route_text(ctx, ns, matched))
    if matched.type == "local":
        end = _end(ns, said.hops) if query.iif else loop_of(ctx, ns, _end(ns, said.hops))
        own = _end(ns, matched.hops) if matched is not said else None  # the look-up itself says lo
        chosen = query.src or said.prefsrc
        return Decision("local", end, source=chosen, text=route_text(ctx, ns, matched), own=own)
    hops = matched.hops if len(matched.hops) > 1 else said.hops
    if matched.nh_id and not matched.hops:
        hops = ctx.fib.reachable(ns, matched, query)[0] or said.hops
    hop, because = _choose(ctx, ns, hops, query.family)
    if hop is not None and hop.encap:
        return _encapsulated(ctx, ns, matched, hop)
    chosen = said.prefsrc
    if hop is not None and said.hops and hop.ifindex != said.hops[0].ifindex and not query.iif:
        again = ctx.lookups.decision(ns, query._replace(oif=hop.ifindex))
        chosen = again.prefsrc if again is not None and not isinstance(again, int) else ""
    return Decision(
        said.type,
        None if hop is None else End(ns, hop.ifindex),
        "" if hop is None else hop.gateway,
        query.src or chosen,
        matched.mtu,
        route_text(ctx, ns, matched),
        because,
        hoplimit=matched.hoplimit,
        by_kernel=True,
    )


def _by_tables(ctx: PathContext, ns: NsKey, query: Query, *, anysrc: bool = False) -> Decision:
    """The decision where the kernel cannot be asked."""
    if query.iif and query.family != IPV6:
        cause = refusals.martian(ctx, ns, query)
        if cause is not None:
            mend = refusals.allowing(ns, cause)
            return Decision("dropped", cause=cause, evidence="inferred", mend=mend)
    foreign = query.src and not query.iif and query.family != IPV6 and not anysrc
    if foreign and not refusals.is_local(ctx, ns, query.src):
        return refusals.foreign_source(query)
    found = _own_found(ctx.fib.lookup(ns, query, ctx.chooser))
    if found.type == "none" or found.type in REFUSALS:
        return refusals.nowhere(ctx, ns, query, found)
    link = ctx.topology.get(End(ns, query.iif)) if query.iif else None
    if link is not None and query.family != IPV6:
        wrong = refusals.wrong_way(ctx, ns, query)
        if wrong is not None:
            return wrong
        if found.type == "unicast" and not ctx.setting(link, "ipv4/conf/{}/forwarding"):
            return refusals.no_forwarding(ctx, ns, query)
    hop, because = _choose(ctx, ns, found.hops, query.family)
    route = found.route
    if hop is not None and hop.encap and route is not None:
        return _encapsulated(ctx, ns, route, hop)
    end = None if hop is None else End(ns, hop.ifindex)
    chosen, own = query.src, end
    if found.type == "local" and not query.iif:
        end = loop_of(ctx, ns, end)
        chosen = chosen or _own_source(ctx, ns, query, route)
    if not chosen and end is not None and route is not None:
        chosen = route.prefsrc or source_address.select(ctx, end, hop.gateway if hop else "", query.dst)
        if not chosen:
            return Decision("unknown", cause=SOURCE_UNKNOWN())
    text = route_text(ctx, ns, route) if route is not None else ""
    rule = f"rule {described(found.rule)}" if found.rule is not None else "the tables"
    gateway = "" if hop is None else hop.gateway
    decision = Decision(found.type, end, gateway, chosen, 0, text, (*because, rule), "inferred", own=own)
    return decision if route is None else decision._replace(mtu=route.mtu, hoplimit=route.hoplimit)


def loop_of(ctx: PathContext, ns: NsKey, end: End | None) -> End | None:
    """What brings back what a namespace sends to itself: the VRF that the address is in, else lo.

    IPv4: ip_route_output_key_hash_rcu; IPv6: ip6_rt_get_dev_rcu.
    """
    link = ctx.topology.at(end)
    for one in (link, link.master if link is not None else None):
        if one is not None and kinds.of(one.kind).routes:
            return one.end
    return next((one.end for one in ctx.topology.links(ns) if one.loopback), None)


def _own_source(ctx: PathContext, ns: NsKey, query: Query, route: Route | None) -> str:
    """The source of what is sent to an own address: that of the route, else the address itself; empty if tables do not tell."""
    if route is not None and route.prefsrc:
        return route.prefsrc
    return query.dst if query.family != IPV6 or ctx.has(ns, query.dst) else ""


def _choose(
    ctx: PathContext, ns: NsKey, hops: tuple[NextHop, ...], family: int
) -> tuple[NextHop | None, tuple[str, ...]]:
    """One of the ways of a route: which, a hash decides."""
    alive = [hop for hop in hops if not hop.flags & DEAD and not _skipped(ctx, ns, hop, family)]
    if len(alive) <= 1:
        return next(iter(alive or hops), None), ()
    names = [f"the hash picks {hop_text(ctx, ns, hop)}" for hop in alive]
    taken = ctx.chooser.choose(names)
    return alive[taken], (f"one of {len(alive)} ways, by a hash of the flow",)


def _encapsulated(ctx: PathContext, ns: NsKey, route: Route, hop: NextHop) -> Decision:
    cause = ENCAPSULATED(route=route_text(ctx, ns, route), encap=hop.encap)
    return Decision("unknown", End(ns, hop.ifindex), cause=cause)


def _skipped(ctx: PathContext, ns: NsKey, hop: NextHop, family: int) -> bool:
    if not hop.flags & LINKDOWN:
        return False
    link = ctx.topology.get(End(ns, hop.ifindex))
    return link is not None and bool(ctx.setting(link, f"ipv{family}/conf/{{}}/ignore_routes_with_linkdown"))


def _end(ns: NsKey, hops: tuple[NextHop, ...]) -> End | None:
    return End(ns, hops[0].ifindex) if hops else None
