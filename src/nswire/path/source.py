"""The source address of a packet that has none yet, where the kernel cannot be asked.

IPv4: inet_select_addr (net/ipv4/devinet.c). IPv6: RFC 6724, as far as addresses alone tell (net/ipv6/addrconf.c).
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nswire.model.values import Address, End
    from nswire.path.walk import Walk

UNIVERSE, LINK, HOST = 0, 253, 254  # RT_SCOPE_*
INET, INET6 = 2, 10


def select(walk: Walk, end: End, gateway: str, dst: str) -> str:
    """The address that a packet out of that link gets; empty if it has none, or if the tables alone do not tell."""
    if ":" in dst:
        return _select6(walk, end, dst)
    towards = ipaddress.ip_address(gateway or dst)
    own = [one for one in walk.topology.addresses_of(end) if one.family == INET and one.scope < HOST]
    for one in own:
        if towards in ipaddress.ip_interface(one.address).network:
            return _plain(one)
    if own:
        return _plain(own[0])
    others = [
        one
        for link in walk.topology.links(end.ns)
        for one in walk.topology.addresses_of(link.end)
        if one.family == INET and one.scope < LINK
    ]
    return _plain(others[0]) if others else ""


def _select6(walk: Walk, end: End, dst: str) -> str:
    wanted = ipaddress.IPv6Address(dst)
    own = [one for one in walk.topology.addresses_of(end) if one.family == INET6]
    if wanted.is_link_local:
        return _only([one for one in own if one.scope == LINK])
    return _only([one for one in own if one.scope == UNIVERSE])


def _only(addresses: Sequence[Address]) -> str:
    return _plain(addresses[0]) if len(addresses) == 1 else ""


def _plain(address: Address) -> str:
    return address.address.partition("/")[0]


def masquerade(walk: Walk, end: End, gateway: str, dst: str) -> str:
    """The address behind which what leaves by that link is hidden (nf_nat_masquerade: inet_select_addr, universe)."""
    return select(walk, end, gateway, dst)
