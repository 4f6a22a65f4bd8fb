"""What NAT makes of the first packet of a connection (nf_nat_core.c: get_unique_tuple, nf_nat_l4proto_unique_tuple)."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from msgspec.structs import replace

from nswire.model.firewall import Target
from nswire.path.values import ICMP, ICMPV6

if TYPE_CHECKING:
    from nswire.model.firewall import Nat
    from nswire.model.values import NsKey
    from nswire.path.context import PathContext
    from nswire.path.netfilter.hook_point import AtHook, Place
    from nswire.path.values import Flow

MANY = 8  # addresses of a range that are worth walking for each
CLASSES = ((1, 511), (600, 1023), (1024, 65535))
"""Where a port that NAT has to change comes from, by the one that it was (nf_nat_l4proto_unique_tuple)."""
TO_DESTINATION = ("dnat", "redirect")


def translated(run: AtHook, nat: Nat, to: Target) -> Flow | None:
    """The flow after translation to a target; None if it cannot be told."""
    flow = run.packet.flow
    address = _address(run, nat, to)
    if address is None:
        return None
    if nat.kind in TO_DESTINATION:
        flow = replace(flow, dst=address)
        port, ports = _port(flow.dport, flow.dports, to.ports, nat, flow.proto)
        return replace(flow, dport=port, dports=ports)
    flow = replace(flow, src=address)
    port, ports = _port(flow.sport, flow.sports, to.ports, nat, flow.proto)
    return replace(flow, sport=port, sports=ports)


def _address(run: AtHook, nat: Nat, to: Target) -> str | None:
    flow, place = run.packet.flow, run.place
    old = flow.dst if nat.kind in TO_DESTINATION else flow.src
    if nat.kind == "masquerade":
        link = run.walk.named(run.ns, place.oif)
        if link is not None and ":" in flow.dst and run.walk.has(run.ns, flow.dst):
            return (
                flow.dst
            )  # ipv6_dev_get_saddr: the address itself is the best to reach it by, whosever link it is of
        return (link and run.walk.l3.source_address(link.end, place.gateway, flow.dst)) or None
    if nat.kind == "redirect":
        return _own_address(run.walk, run.ns, place, flow) or None
    if to.prefix:
        return _within(to.prefix, old)
    if not to.addresses:
        return old
    return _one_of(run.walk, to.addresses)


def _own_address(walk: PathContext, ns: NsKey, place: Place, flow: Flow) -> str:
    """Where `redirect` sends to: the link's own first address, or the loopback for what is sent from here."""
    if place.hook == "output":
        return "::1" if flow.family == 6 else "127.0.0.1"
    link = walk.named(ns, place.iif)
    family = 10 if flow.family == 6 else 2
    found = [one for one in link.addresses if one.family == family] if link is not None else []
    return found[0].ip if found else ""


def _within(prefix: str, address: str) -> str | None:
    """An address with the bits of a network before its own (NF_NAT_RANGE_NETMAP)."""
    network, old = ipaddress.ip_network(prefix, strict=False), ipaddress.ip_address(address)
    if network.version != old.version:
        return None
    host = int(old) & int(network.hostmask)
    return str(type(old)(int(network.network_address) | host))


def _one_of(walk: PathContext, addresses: tuple[str, ...]) -> str | None:
    first, last = (int(ipaddress.ip_address(one)) for one in (addresses[0], addresses[-1]))
    if not 0 <= last - first < MANY:
        return None
    kind = type(ipaddress.ip_address(addresses[0]))
    found = [str(kind(number)) for number in range(first, last + 1)]
    return found[walk.chooser.choose([f"NAT picks {one}" for one in found])]


def _port(
    port: int, within: tuple[int, int], wanted: tuple[int, ...], nat: Nat, proto: int
) -> tuple[int, tuple[int, int]]:
    """A port after translation: the number, or 0 and its range."""
    if proto in (ICMP, ICMPV6):
        return port, within
    low, high = (port, port) if port else within
    if nat.base is not None and len(wanted) == 2:
        return _shifted(port, wanted, nat.base)
    if not wanted:
        if not nat.random or nat.kind in TO_DESTINATION:
            return port, within
        wanted = next((one for one in CLASSES if one[0] <= low and high <= one[1]), (1, 65535))
    first, last = wanted[0], wanted[-1]
    if first == last:
        return first, (first, first)
    if not nat.random and first <= low and high <= last:  # as it was: it is one of them
        return port, within
    return 0, (first, last)


def _shifted(port: int, wanted: tuple[int, ...], base: int) -> tuple[int, tuple[int, int]]:
    """`80-90/4000`: the first becomes the port that is as far from the first of the range (NF_NAT_RANGE_PROTO_OFFSET)."""
    first, last = wanted
    if not port or first == last:
        return 0, (first, last)
    new = first + ((port - base) & 0xFFFF) % (last - first + 1)
    return new, (new, new)
