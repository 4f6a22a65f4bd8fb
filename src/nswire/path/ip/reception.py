"""What a stack takes of what comes to it: frames for everybody, addresses that nothing from outside may have.

net/ipv4/ip_input.c, ip_forward.c, tcp_ipv4.c; net/ipv6/ip6_input.c, tcp_ipv6.c.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from nswire.model.reasons import Reason
from nswire.path.ip import refusals
from nswire.path.values import PACKET_BROADCAST, PACKET_MULTICAST, TCP

if TYPE_CHECKING:
    from nswire.model.reasons import Cause
    from nswire.model.topology import Link
    from nswire.model.values import NsKey
    from nswire.path.context import PathContext
    from nswire.path.values import Packet

NOT_FOR_HOST = Reason(
    "path.pkttype",
    "a rule has set its pkttype to another than `host`, and such packets are not for the stack",
)
TO_EVERYBODY = Reason(
    "path.to_everybody",
    "it came in a frame to {mac}, and what came to more than one is neither forwarded nor for TCP",
)
DROPS_TO_EVERYBODY = Reason(
    "path.drops_to_everybody",
    "it came in a frame to {mac}, and {sysctl}=1 in {netns}: nothing is taken that came to more than one",
    "UNICAST_IN_L2_MULTICAST",
)
ANYCAST_TCP = Reason(
    "local.anycast_tcp",
    "{address} is an anycast address: TCP takes no connection to one (tcp_v6_conn_request)",
)
MARTIAN_LOOPBACK6 = Reason(
    "route.martian_loopback6", "martian: a packet {word} {address} may not come in by {link}", "IP_INHDR"
)


def not_for_host(packet: Packet) -> Cause | None:
    """Why a packet is neither forwarded nor for TCP: it came to more than one, or a rule has made it so."""
    if not packet.pkttype:
        return None
    header = packet.header
    return TO_EVERYBODY(mac=header.dst) if header is not None and header.to_all else NOT_FOR_HOST()


def no_connection(ctx: PathContext, ns: NsKey, packet: Packet) -> Cause | None:
    """Why TCP does not take what has come to the namespace itself (tcp_v4_rcv, tcp_v6_rcv, tcp_v6_conn_request)."""
    if packet.flow.proto != TCP:
        return None
    if not packet.answer and ctx.fib.anycast(ns, packet.flow.dst):
        return not_for_host(packet) or ANYCAST_TCP(address=packet.flow.dst)
    return not_for_host(packet)


def came_to_all(ctx: PathContext, link: Link, packet: Packet) -> Cause | None:
    """Why a link takes no packet for one address that came in a frame for several (RFC 1122, 3.3.6)."""
    name = f"ipv{packet.flow.family}/conf/{{}}/drop_unicast_in_l2_multicast"
    mac = packet.header.dst if packet.header is not None else "everybody"
    to_group = ipaddress.ip_address(packet.flow.dst).is_multicast
    if packet.pkttype in (PACKET_BROADCAST, PACKET_MULTICAST) and not to_group and ctx.setting(link, name):
        sysctl = f"net/{name.replace('{}', link.ifname)}"
        return DROPS_TO_EVERYBODY(mac=mac, sysctl=sysctl, netns=ctx.name(link.end.ns))
    return None


def martian6(link: Link, packet: Packet) -> Cause | None:
    """Why an IPv6 packet has an address that no link but a loopback may bring (ip6_rcv_core, before any hook)."""
    src, dst = ipaddress.ip_address(packet.flow.src), ipaddress.ip_address(packet.flow.dst)
    if link.loopback:
        return None
    if src.is_multicast:
        return refusals.MARTIAN(address=str(src))
    for address, word in ((src, "from"), (dst, "for")):
        if address.is_loopback:
            return MARTIAN_LOOPBACK6(word=word, address=str(address), link=link.ifname)
    return None
