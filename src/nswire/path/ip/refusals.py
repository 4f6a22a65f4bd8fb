"""Why a packet is not routed: which of the tables and settings refuses it, and what would change that.

IPv4: net/ipv4/route.c (ip_route_input_slow), fib_frontend.c (fib_validate_source). IPv6: net/ipv6/ip6_output.c (ip6_forward).
"""

from __future__ import annotations

import ipaddress
from errno import EACCES, EHOSTUNREACH, EINVAL, ENETUNREACH, EXDEV
from os import strerror
from typing import TYPE_CHECKING

from nswire import kinds
from nswire.model.reasons import Reason
from nswire.model.tables import NotKnown, Query
from nswire.model.values import DADFAILED, End
from nswire.path import sysctls
from nswire.path.fib import LOCAL, REFUSALS, described, table_name
from nswire.path.ip.decision import IPV6, KERNEL, Decision, network, route_text
from nswire.path.values import Mend

if TYPE_CHECKING:
    from nswire.model.reasons import Cause
    from nswire.model.routing import Route
    from nswire.model.topology import Link
    from nswire.model.values import Address, NsKey
    from nswire.path.context import PathContext
    from nswire.path.fib import Found

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
RULE_BEFORE_LOCAL = Reason(
    "route.rule_before_local",
    "{address} is an address of {netns}, but the rule `{rule}` is asked before `lookup local` ({priority})",
    "IP_INADDRERRORS",
)
NOT_LOCAL = Reason(
    "route.not_local", "{address} is an address of {netns}, but its routes do not say so", "IP_INADDRERRORS"
)
TENTATIVE_ADDRESS = Reason(
    "route.tentative",
    "{address} is tentative on {link} in {netns}: its duplicate address detection has not ended",
)
DAD_FAILED = Reason(
    "route.dad_failed",
    "{address} failed its duplicate address detection on {link} in {netns}: somebody else has it",
)
FORWARDING_UNREAD = Reason(
    "route.forwarding_unread", "whether IPv6 is forwarded here could not be read", unknown=True
)
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

NOT_FORWARDED = (NO_FORWARDING, NO_FORWARDING6)
LOOSE = 2  # rp_filter
IFF_UP = 0x1


def refused(ctx: PathContext, ns: NsKey, query: Query, errno: int) -> Decision:
    """Why the kernel refuses. That it does is certain, whether or not its reason can be told."""
    try:
        return _explained(ctx, ns, query, errno) or _unexplained(errno)
    except NotKnown:
        return _unexplained(errno)


def _unexplained(errno: int) -> Decision:
    return Decision("dropped", cause=REFUSED(error=strerror(errno)), because=(_errno(errno),))


def _explained(ctx: PathContext, ns: NsKey, query: Query, errno: int) -> Decision | None:
    """The first of the reasons for that errno that the tables confirm."""
    if query.iif and query.family != IPV6:
        if errno in (EXDEV, EINVAL):
            wrong = wrong_way(ctx, ns, query)
            if wrong is not None:
                return wrong._replace(evidence="proved", because=(*wrong.because, _errno(errno)))
        if errno == EINVAL:
            cause = martian(ctx, ns, query)
            if cause is not None:
                return Decision("dropped", cause=cause, because=(_errno(errno),), mend=allowing(ns, cause))
        link = ctx.topology.get(End(ns, query.iif))
        if errno == EHOSTUNREACH and link is not None:
            forwarding = ctx.setting(link, "ipv4/conf/{}/forwarding")
            if forwarding == 0:
                return no_forwarding(ctx, ns, query)._replace(because=(_errno(errno),))
    if not query.iif and errno == EINVAL and query.src and not is_local(ctx, ns, query.src):
        return foreign_source(query)._replace(evidence="proved", because=(_errno(errno),))
    found = ctx.fib.lookup(ns, query)
    if errno in (EACCES, EHOSTUNREACH, ENETUNREACH, EINVAL) and (
        found.type in REFUSALS or found.type == "none"
    ):
        return nowhere(ctx, ns, query, found)._replace(evidence="proved", because=(_errno(errno),))
    return None


def is_local(ctx: PathContext, ns: NsKey, address: str) -> bool:
    """Whether a namespace may send from an address: one of a link, or what its table `local` has as such (__ip_dev_find)."""
    return ctx.has(ns, address) or ctx.fib.local(ns, address, ctx.chooser)


def foreign_source(query: Query) -> Decision:
    """A source that is nobody's here."""
    return Decision("dropped", cause=NOT_OWN_SOURCE(address=query.src), evidence="inferred")


def _errno(errno: int) -> str:
    return f"{KERNEL}: {strerror(errno)}"


def nowhere(ctx: PathContext, ns: NsKey, query: Query, found: Found) -> Decision:
    """The rule or the route that refuses, or that there is none."""
    if found.route is not None:
        cause = REFUSING_ROUTE(route=route_text(ctx, ns, found.route))
        words = ("ip", *(("-6",) if query.family == IPV6 else ()), "route", "del", *_deletable(found.route))
        mend = Mend("would remove that route", ns, words)
        return Decision("dropped", cause=cause, evidence="inferred", mend=mend)
    lo = next((one for one in ctx.topology.links(ns) if one.loopback), None)
    if lo is not None and not lo.fact.flags & IFF_UP and ipaddress.ip_address(query.dst).is_loopback:
        cause = LO_DOWN(link=lo.ifname, netns=ctx.name(ns))
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
    return (route.type, network(route.dst), *where)


def _sysctl(ns: NsKey, name: str, value: int, effect: str) -> Mend:
    return Mend(effect, ns, ("sysctl", "-w", f"{name}={value}"))


def _conf(ifname: str, name: str) -> str:
    """A sysctl of a link; a name with a dot in it has to be written with slashes."""
    return f"net/ipv4/conf/{ifname}/{name}" if "." in ifname else f"net.ipv4.conf.{ifname}.{name}"


def no_forwarding(ctx: PathContext, ns: NsKey, query: Query) -> Decision:
    """Nothing is forwarded; where the packet is for an address of this namespace itself, why that is not seen."""
    mine = _not_taken_for_own(ctx, ns, query)
    if mine is not None:
        return Decision("dropped", cause=mine, evidence="inferred")
    link = ctx.topology.get(End(ns, query.iif))
    name = "net.ipv4.ip_forward"
    if link is not None and ctx.lookups.sysctl(ns, "ipv4/ip_forward"):
        name = _conf(link.ifname, "forwarding")
    return Decision(
        "dropped",
        cause=NO_FORWARDING(sysctl=name, netns=ctx.name(ns)),
        evidence="inferred",
        mend=_sysctl(ns, name, 1, "would forward"),
    )


def forwarded6(ctx: PathContext, ns: NsKey, query: Query, decision: Decision) -> Decision:
    """A decision to forward, if this namespace does so (ip6_forward)."""
    at = ctx.topology.get(End(ns, query.iif))
    forced = at is not None and ctx.setting(at, "ipv6/conf/{}/force_forwarding")
    allowed = ctx.lookups.sysctl(ns, "ipv6/conf/all/forwarding")
    if allowed is None:
        return Decision("unknown", cause=FORWARDING_UNREAD())
    if allowed or forced:
        return decision
    mine = _not_taken_for_own(ctx, ns, query)
    if mine is not None:
        return Decision("dropped", cause=mine)
    return Decision(
        "dropped",
        cause=NO_FORWARDING6(netns=ctx.name(ns)),
        mend=_sysctl(ns, "net.ipv6.conf.all.forwarding", 1, "would forward"),
    )


def _not_taken_for_own(ctx: PathContext, ns: NsKey, query: Query) -> Cause | None:
    """Why an address of this namespace is not seen to be one; None if it is none. To forward would be no cure."""
    own = ctx.address(ns, query.dst)
    if own is None:
        return None
    if not own.usable:
        return unusable(ctx, ns, own)
    found = ctx.fib.lookup(ns, query)
    local = next((rule.priority for rule in ctx.lookups.rules(ns, query.family) if rule.table == LOCAL), None)
    told = {"address": query.dst, "netns": ctx.name(ns)}
    if found.rule is not None and local is not None and found.rule.priority < local:
        return RULE_BEFORE_LOCAL(**told, rule=described(found.rule), priority=local)
    return NOT_LOCAL(**told)


def unusable(ctx: PathContext, ns: NsKey, own: Address) -> Cause:
    """What is the matter with an address that cannot be used."""
    link = ctx.topology.get(End(ns, own.ifindex))
    reason = DAD_FAILED if own.flags & DADFAILED else TENTATIVE_ADDRESS
    return reason(
        address=own.ip, link=link.ifname if link is not None else str(own.ifindex), netns=ctx.name(ns)
    )


def source6(ctx: PathContext, ns: NsKey, query: Query) -> Decision | None:
    """Why nothing here can send from that address (inet6_bind: EADDRNOTAVAIL); None if it can."""
    own = ctx.address(ns, query.src)
    if own is not None:
        return None if own.usable else Decision("dropped", cause=unusable(ctx, ns, own))
    own_too = ctx.fib.local(ns, query.src, ctx.chooser) or ctx.fib.anycast(ns, query.src)  # by IPV6_PKTINFO
    return None if own_too else foreign_source(query)


def allowing(ns: NsKey, cause: Cause) -> Mend | None:
    """What would let in what is refused as a martian."""
    if cause.reason != MARTIAN_LOOPBACK:
        return None
    return _sysctl(ns, _conf(str(cause.values["link"]), "route_localnet"), 1, "would let it in")


def martian(ctx: PathContext, ns: NsKey, query: Query) -> Cause | None:
    """Why an address cannot come in from outside at all; None if it can."""
    link = ctx.topology.get(End(ns, query.iif))
    if link is None or link.loopback or not query.src:
        return None
    src, dst = ipaddress.ip_address(query.src), ipaddress.ip_address(query.dst)
    if src.is_multicast or query.src == "255.255.255.255" or (src.is_unspecified and not dst.is_multicast):
        return MARTIAN(address=query.src)
    localnet = ctx.setting(link, "ipv4/conf/{}/route_localnet")
    for address, word in ((src, "from"), (dst, "for")):
        if address.is_loopback and not localnet:
            return MARTIAN_LOOPBACK(word=word, address=str(address), link=link.ifname)
    return None


def wrong_way(ctx: PathContext, ns: NsKey, query: Query) -> Decision | None:
    """Whether its source address may come in by that link (fib_validate_source); None if it may."""
    link = ctx.topology.get(End(ns, query.iif))
    if link is None or link.loopback:
        return None
    modes = sysctls.both(ctx.lookups, link, "ipv4/conf/{}/rp_filter")
    accept_local = ctx.setting(link, "ipv4/conf/{}/accept_local")
    if not accept_local and ctx.has(ns, query.src):
        cause = MARTIAN_OWN(address=query.src, netns=ctx.name(ns))
        return Decision("dropped", cause=cause, evidence="inferred")
    mode = max(modes)
    if not mode:
        return None
    mark = query.mark if ctx.setting(link, "ipv4/conf/{}/src_valid_mark") else 0
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
    found = ctx.fib.lookup(ns, back)
    same = {query.iif, link.fact.master or 0}

    def fits(found: Found) -> bool:
        return found.type == "unicast" and any(hop.ifindex in same for hop in found.hops)

    if fits(found):
        return None
    if mode == LOOSE and found.type == "unicast":
        return None
    way = route_text(ctx, ns, found.route) if found.route is not None else "no route at all"
    where = _conf("all" if modes[0] >= modes[1] else link.ifname, "rp_filter")
    because = (f"{where}={mode}",)
    cause = RP_FILTER(mode=mode, link=link.ifname, address=query.src, route=way)
    if query.mark != mark and fits(ctx.fib.lookup(ns, back._replace(mark=query.mark))):
        name = "net.ipv4.conf.all.src_valid_mark"
        mend = _sysctl(
            ns, name, 1, f"would look up the way back with the mark {query.mark:#x} as well, and let it in"
        )
        return Decision(
            "dropped", cause=cause, evidence="inferred", because=(*because, f"{name}=0"), mend=mend
        )
    return Decision(
        "dropped",
        cause=cause,
        evidence="inferred",
        because=because,
        mend=_sysctl(ns, where, 2, f"would let it in, and so would a route to {query.src} by {link.ifname}"),
    )
