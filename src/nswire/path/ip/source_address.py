"""The source address of a packet that has none yet, where the kernel cannot be asked.

IPv4: inet_select_addr (net/ipv4/devinet.c). IPv6: RFC 6724, as far as addresses alone tell (net/ipv6/addrconf.c).
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from nswire import kinds
from nswire.model.values import DEPRECATED, RT_SCOPE_LINK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nswire.model.topology import Link
    from nswire.model.values import Address, End
    from nswire.path.context import PathContext

UNIVERSE, HOST = 0, 254  # RT_SCOPE_*
INET, INET6 = 2, 10


def select(ctx: PathContext, end: End, gateway: str, dst: str) -> str:
    """The address that a packet out of that link gets, sent or masqueraded; empty if it has none, or if tables do not tell."""
    if ":" in dst:
        return _select6(ctx, end, dst)
    towards = ipaddress.ip_address(gateway or dst)
    own = [one for one in ctx.topology.addresses_of(end) if one.family == INET and one.scope < HOST]
    for one in own:
        if towards in ipaddress.ip_interface(one.address).network:
            return one.ip
    if own:
        return own[0].ip
    others = [
        one
        for link in ctx.topology.links(end.ns)
        for one in ctx.topology.addresses_of(link.end)
        if one.family == INET and one.scope < RT_SCOPE_LINK
    ]
    return others[0].ip if others else ""


def _select6(ctx: PathContext, end: End, dst: str) -> str:
    wanted = ipaddress.IPv6Address(dst)
    own = [one for one in ctx.topology.addresses_of(end) if one.family == INET6 and one.usable]
    if wanted.is_link_local:
        return _only([one for one in own if one.scope == RT_SCOPE_LINK])
    chosen = [one for one in own if one.scope == UNIVERSE]
    if chosen:
        return _only(chosen)
    # another link's, if it is of the same VRF (ipv6_dev_get_saddr)
    vrf = _vrf(ctx.topology.at(end))
    links = [link for link in ctx.topology.links(end.ns) if _vrf(link) == vrf]
    return _only(
        [
            one
            for link in links
            for one in ctx.topology.addresses_of(link.end)
            if one.family == INET6 and one.scope == UNIVERSE
        ]
    )


def _vrf(link: Link | None) -> End | None:
    for one in (link, link.master if link is not None else None):
        if one is not None and kinds.of(one.kind).routes:
            return one.end
    return None


def _only(addresses: Sequence[Address]) -> str:
    addresses = [one for one in addresses if not one.flags & DEPRECATED] or addresses  # rule 3
    return addresses[0].ip if len(addresses) == 1 else ""
