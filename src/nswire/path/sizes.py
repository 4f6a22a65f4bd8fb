"""How long a packet is, as far as that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.path.values import ICMP, ICMPV6, TCP

if TYPE_CHECKING:
    from nswire.path.values import Packet

IPV6_SIZE, TCP_SIZE = 40, 20  # bytes of headers
IP_SIZES = {4: 20, 6: IPV6_SIZE}
ECHOES = (ICMP, ICMPV6)


def size_of(packet: Packet) -> int | None:
    """Its bytes from the IP header on: those that were given, if it is no other packet than the one for which they were; a SYN's are the kernel's."""
    if packet.flow.proto == TCP:
        offers = packet.opening
        return None if offers is None else IP_SIZES[packet.flow.family] + TCP_SIZE + offers.options
    return packet.size if packet.size and (not packet.answer or packet.flow.proto in ECHOES) else None
