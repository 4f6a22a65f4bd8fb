"""What rules ask the routing tables: `fib saddr . iif oif`, `fib daddr type`, `-m rpfilter`, `-m addrtype`.

nft_fib_ipv4.c, nft_fib_ipv6.c, xt_rpfilter.c (ipt_rpfilter.c, ip6t_rpfilter.c), xt_addrtype.c; fib_frontend.c (inet_dev_addr_type).
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from nswire.codec import protocol_numbers
from nswire.model.tables import Query

if TYPE_CHECKING:
    from nswire.model.topology import Link
    from nswire.model.values import NsKey
    from nswire.path.context import PathContext
    from nswire.path.netfilter.compare import Known
    from nswire.path.netfilter.hook_point import Place
    from nswire.path.values import Packet

LOCAL_TABLE = 255
TYPES = protocol_numbers.ADDRESS_TYPES


def known(walk: PathContext, ns: NsKey, name: str, place: Place, packet: Packet) -> Known:
    """The value of `fib ADDRESS [. mark] [. iif | . oif] type | oif | oifname`; a link by its name, empty for none."""
    words = name.split()
    flags, result = [one for one in words[1:-1] if one != "."], words[-1]
    flow = packet.flow
    link = walk.named(ns, place.iif if "iif" in flags else place.oif) if {"iif", "oif"} & set(flags) else None
    address = flow.dst if "daddr" in flags else flow.src
    other = flow.src if "daddr" in flags else flow.dst
    if not address:
        return None
    if {"iif", "oif"} & set(flags) and link is None:
        return None
    if result == "type":
        return address_type(walk, ns, address, link, packet.mark if "mark" in flags else 0)
    if result not in ("oif", "oifname"):
        return None
    came = walk.named(ns, place.iif) if place.iif else None
    looped = came is not None and came.loopback
    if looped and came is not None and place.hook in ("prerouting", "ingress"):  # nft_fib_is_loopback
        return came.ifname
    mark = packet.mark if "mark" in flags else 0
    found = _way_back(walk, ns, Query(address, other, mark=mark), link)
    # newer kernels have that in input as well (seen on 6.18), older ones look up, and find no way to what is local
    return None if looped and place.hook == "input" and came is not None and found != came.ifname else found


def rpfilter(walk: PathContext, ns: NsKey, name: str, place: Place, packet: Packet) -> Known:
    """`rpfilter [loose] [validmark] [accept-local]`: whether the answer would go where the packet came from."""
    options = set(name.split()[1:])
    link = walk.named(ns, place.iif)
    if link is None:
        return None
    if link.loopback:
        return 1
    flow = packet.flow
    query = Query(flow.src, flow.dst, mark=packet.mark if "validmark" in options else 0)
    found = walk.fib.lookup(ns, query)
    if found.unsure:
        return None
    if found.type == "local":
        return int(
            "accept-local" in options and ("loose" in options or flow.family == 6 or _uses(found.hops, link))
        )
    if found.type != "unicast":
        return 0
    return int("loose" in options or _uses(found.hops, link))


def _uses(hops: object, link: Link) -> bool:
    return any(hop.ifindex == link.ifindex for hop in hops)  # type: ignore[attr-defined]


def _way_back(walk: PathContext, ns: NsKey, query: Query, link: Link | None) -> Known:
    found = walk.fib.lookup(ns, query)
    if found.unsure:
        return None
    if found.type != "unicast":
        return ""
    if link is not None:
        return link.ifname if _uses(found.hops, link) else ""
    names = {
        one.ifname for one in walk.topology.links(ns) if any(hop.ifindex == one.ifindex for hop in found.hops)
    }
    return names.pop() if len(names) == 1 else None


def address_type(walk: PathContext, ns: NsKey, address: str, link: Link | None, mark: int = 0) -> Known:
    """What kind of address it is to this namespace, or to that link of it (RTN_LOCAL, RTN_UNICAST ...)."""
    if ":" in address:
        return _type6(walk, ns, address, link, mark)
    number = ipaddress.IPv4Address(address)
    if int(number) >> 24 == 0 or address == "255.255.255.255":
        return TYPES["broadcast"]
    if number.is_multicast:
        return TYPES["multicast"]
    best = None
    for route in walk.lookups.routes(ns):
        if route.table != LOCAL_TABLE or ":" in route.dst:
            continue
        network = ipaddress.ip_network(route.dst)
        if number in network and (best is None or network.prefixlen > best[0]):
            best = (network.prefixlen, route)
    if best is None:
        return TYPES["unicast"]
    route = best[1]
    if link is not None and not (route.hops and route.hops[0].ifindex == link.ifindex):
        return TYPES["unicast"]
    return TYPES.get(route.type)


def _type6(walk: PathContext, ns: NsKey, address: str, link: Link | None, mark: int) -> Known:
    number = ipaddress.IPv6Address(address)
    if number.is_unspecified:
        return TYPES["unspec"]
    if number.is_multicast:
        return TYPES["multicast"]
    if number.is_link_local and link is None:
        return None
    if link is not None and any(one.ip == address for one in walk.topology.addresses_of(link.end)):
        return TYPES["local"]
    found = walk.fib.lookup(ns, Query(address, mark=mark))
    if found.unsure:
        return None
    if found.type == "local":
        return TYPES["unicast" if link is not None else "local"]
    return TYPES["unreachable"] if found.type == "none" else TYPES.get(found.type)
