"""How the kernel makes one setting of that of all links and that of one: the higher, either, or the link's own alone.

include/linux/inetdevice.h (IN_DEV_MAXCONF, IN_DEV_ORCONF, IN_DEV_CONF_GET); IPv6 says it where it looks: ndisc_recv_ns,
ip6_forward, ip6_ignore_linkdown. A table, since each is another, and a guess is a wrong route.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.model.tables import Lookups
    from nswire.model.topology import Link

ALL = "all"


def _own(_: int, own: int) -> int:
    return own


def _either(everywhere: int, own: int) -> int:
    return int(bool(everywhere or own))


def _later(everywhere: int, own: int) -> int | None:
    """Which of the two was written later, which nobody tells, unless both say the same (addrconf_disable_policy)."""
    return own if everywhere == own else None


COMBINED: dict[str, Callable[[int, int], int | None]] = {
    "ipv4/conf/{}/forwarding": _own,  # IN_DEV_FORWARD; writing `all` writes every link's
    "ipv4/conf/{}/rp_filter": max,
    "ipv4/conf/{}/arp_ignore": max,
    "ipv4/conf/{}/arp_filter": _either,
    "ipv4/conf/{}/proxy_arp": _either,
    "ipv4/conf/{}/proxy_arp_pvlan": _either,
    "ipv4/conf/{}/accept_local": _either,
    "ipv4/conf/{}/route_localnet": _either,
    "ipv4/conf/{}/src_valid_mark": _either,
    "ipv4/conf/{}/ignore_routes_with_linkdown": _either,
    "ipv4/conf/{}/drop_unicast_in_l2_multicast": _either,  # ip_rcv_finish_core
    "ipv6/conf/{}/drop_unicast_in_l2_multicast": _own,  # ip6_rcv_core
    "ipv4/conf/{}/disable_xfrm": _either,
    "ipv4/conf/{}/disable_policy": _either,
    "ipv6/conf/{}/disable_policy": _later,
    "ipv6/conf/{}/forwarding": _own,  # as neighbour discovery looks at it; ip6_forward looks at `all`
    "ipv6/conf/{}/force_forwarding": _own,
    "ipv6/conf/{}/disable_ipv6": _own,
    "ipv6/conf/{}/hop_limit": _own,
    "ipv6/conf/{}/proxy_ndp": _either,
    "ipv6/conf/{}/ignore_routes_with_linkdown": _own,
}
"""By name, as `questions.LINK_SYSCTLS` has them: what counts, of the setting of all links and that of one."""


def both(lookups: Lookups, link: Link, name: str) -> tuple[int, int]:
    """That of all links, and that of this one; one that this kernel has not is 0. NotKnown."""
    everywhere, own = (lookups.sysctl(link.end.ns, name, one) or 0 for one in (ALL, link.ifname))
    return everywhere, own


def setting(lookups: Lookups, link: Link, name: str) -> int | None:
    """What counts for a link; None: the settings do not tell. NotKnown; KeyError for a name that is not in the table."""
    combine = COMBINED[name]
    if combine is _own:  # one question less
        return lookups.sysctl(link.end.ns, name, link.ifname) or 0
    return combine(*both(lookups, link, name))
