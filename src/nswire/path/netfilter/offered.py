"""The options of TCP that a packet has: those that its SYN offers (nft_exthdr.c: nft_exthdr_tcp_eval)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.path.netfilter.compare import ABSENT
from nswire.path.values import TCP

if TYPE_CHECKING:
    from nswire.path.netfilter.compare import Known
    from nswire.path.values import Packet

LENGTHS = {"maxseg": 4, "window": 3, "timestamp": 10, "sack-perm": 2}
USUAL = ("maxseg", "sack-perm", "timestamp", "window", "nop", "mptcp")
"""What a SYN of Linux may have; no others."""


def known(name: str, packet: Packet) -> Known:
    """`tcp option window`: whether it is there; `tcp option maxseg size`."""
    _tcp, _option, option, *field = name.split()
    if packet.flow.proto != TCP or option not in USUAL:
        return ABSENT if field else 0
    offers = packet.opening
    if offers is None or option not in offers.has:
        return None
    if not field:
        return int(offers.has[option])
    if not offers.has[option]:
        return ABSENT
    if field == ["length"]:
        return LENGTHS.get(option)
    return offers.mss or None if (option, field) == ("maxseg", ["size"]) else None
