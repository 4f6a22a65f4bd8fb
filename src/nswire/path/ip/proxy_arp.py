"""Who answers for an address that he has not: AnyIP, proxy ARP, private VLANs, the proxies of neighbour discovery.

net/ipv4/arp.c (arp_process, arp_fwd_proxy, arp_fwd_pvlan), net/ipv6/ndisc.c (ndisc_recv_ns, pndisc_is_router).
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from nswire.model.reasons import Reason
from nswire.path.values import Mend

if TYPE_CHECKING:
    from nswire.model.reasons import Cause
    from nswire.model.topology import Link
    from nswire.model.values import End, NsKey
    from nswire.path.context import PathContext

HALF = Reason(
    "neighbour.half_a_proxy", "{link} in {netns} would answer for {address}, but {missing}", "NEIGH_FAILED"
)


def stands_in(ctx: PathContext, end: End | None, target: str) -> bool:
    """Whether it may answer for an address that it has not."""
    link = ctx.topology.at(end)
    if link is None or ctx.has(link.end.ns, target):
        return False
    if ":" in target:
        return stands_in6(ctx, link, target)
    private = bool(ctx.setting(link, "ipv4/conf/{}/proxy_arp_pvlan"))
    return private or _anycast(ctx, link.end.ns, target) or answers_for(ctx, link, target, None)


def _anycast(ctx: PathContext, ns: NsKey, target: str) -> bool:
    """A route of type local for more than the addresses of links (AnyIP)."""
    return any(
        route.type == "local"
        and not route.dst.endswith(("/32", "/128"))
        and (":" in route.dst) == (":" in target)
        and ipaddress.ip_address(target) in ipaddress.ip_network(route.dst)
        for route in ctx.lookups.routes(ns)
    )


def _listed(ctx: PathContext, link: Link, target: str) -> bool:
    """Whether it is told to answer for that address (`ip neigh add proxy`)."""
    return any(
        one.proxy and one.address == target and one.ifindex in (0, link.ifindex)
        for one in ctx.lookups.neighbours(link.end.ns)
    )


def answers_for(ctx: PathContext, link: Link, target: str, onward: End | None) -> bool:
    """Whether it answers ARP for an address that it routes to by the link `onward` (None: by any other than this).

    arp_fwd_proxy and arp_fwd_pvlan: by another link than it was asked by; a private VLAN's, by the same.
    """
    if onward == link.end:
        return bool(ctx.setting(link, "ipv4/conf/{}/proxy_arp_pvlan"))
    return bool(ctx.setting(link, "ipv4/conf/{}/proxy_arp")) or _listed(ctx, link, target)


def stands_in6(ctx: PathContext, link: Link, target: str) -> bool:
    """Whether it answers solicitations for an address that is elsewhere: by three things, all of which it takes."""
    return not _lacking(ctx, link, target)


def half(ctx: PathContext, end: End | None, target: str) -> tuple[Cause, Mend] | None:
    """What one lacks that is set up to answer for others, but for a part of it; None if it is not."""
    link = ctx.topology.at(end)
    lacking = _lacking(ctx, link, target) if link is not None else []
    if link is None or len(lacking) != 1:
        return None
    (missing, words), ns = lacking[0], link.end.ns
    cause = HALF(link=link.ifname, netns=ctx.name(ns), address=target, missing=missing)
    return cause, Mend("would complete it", ns, words)


def _lacking(ctx: PathContext, link: Link, target: str) -> list[tuple[str, tuple[str, ...]]]:
    """What a link lacks to answer for an address, with the command that would give it that."""
    found: list[tuple[str, tuple[str, ...]]] = []
    if not ctx.setting(link, "ipv6/conf/{}/forwarding"):
        name = "net.ipv6.conf.all.forwarding"
        found.append((f"forwarding=0 on {link.ifname}", ("sysctl", "-w", f"{name}=1")))
    if not ctx.setting(link, "ipv6/conf/{}/proxy_ndp"):
        name = f"net/ipv6/conf/{link.ifname}/proxy_ndp"
        found.append((f"proxy_ndp=0 on {link.ifname}", ("sysctl", "-w", f"{name}=1")))
    if not _listed(ctx, link, target):
        words = ("ip", "-6", "neigh", "add", "proxy", target, "dev", link.ifname)
        found.append(("it has no proxy entry for it", words))
    return found
