"""The first packet of a TCP connection, as Linux makes it for a socket on which nobody has set anything (tcp_output.c: tcp_syn_options)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.path.values import TCP, Opening

if TYPE_CHECKING:
    from nswire.model.values import NsKey
    from nswire.path.context import PathContext
    from nswire.path.ip.decision import Decision
    from nswire.path.values import Packet

HEADERS = {4: 40, 6: 60}  # IP and TCP, without options
LARGEST = 65535
ASKED_ECN = (1, 3)  # net.ipv4.tcp_ecn: it asks for it itself


def of(walk: PathContext, ns: NsKey, packet: Packet, decision: Decision) -> Opening | None:
    """What a program's SYN is like that this namespace sends; None: it is no SYN, or that cannot be known."""
    if packet.flow.proto != TCP or packet.answer:
        return None
    names = ("tcp_sack", "tcp_timestamps", "tcp_window_scaling", "tcp_ecn")
    sack, stamps, scaled, ecn = (walk.lookups.sysctl(ns, f"ipv4/{name}") for name in names)
    if sack is None or stamps is None or scaled is None or ecn is None:
        return None
    link = walk.topology.at(decision.own or decision.link)
    mtu = decision.mtu or (link.fact.mtu if link is not None else 0)
    known = bool(mtu) and not walk.lookups.marked(ns).segments
    header = HEADERS[packet.flow.family]
    # ipv4_default_advmss, ip6_default_advmss
    mss = min(mtu, LARGEST) - header if packet.flow.family == 4 else _six(mtu - header)
    return Opening(max(mss, 0) if known else 0, bool(sack), bool(stamps), bool(scaled), ecn in ASKED_ECN)


def _six(mss: int) -> int:
    return LARGEST if mss > LARGEST - 20 else mss
