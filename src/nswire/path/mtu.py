"""MTU: the smallest on the way, and what becomes of a packet that is larger and must not be split (DF).

ip_forward.c, ip_output.c: a packet with DF that is too large is answered with "fragmentation needed"; bridges and veths drop
what does not fit without a word (is_skb_forwardable).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from nswire.model.reasons import Reason
from nswire.path.values import ICMPV6, Ended, Going, Landing, Mend

if TYPE_CHECKING:
    from nswire.model.topology import Link
    from nswire.path.context import PathContext
    from nswire.path.values import Frame

TOO_LARGE = Reason(
    "mtu.too_large",
    "it has {size} bytes and must not be split, but the MTU of {link} is {mtu}",
    "PKT_TOO_BIG",
)

VLAN_HEADER = 4
NO_LIMIT = 65536  # lo's


def check(ctx: PathContext, link: Link, going: Going, route: int, *, own: bool) -> Going:
    """A packet that is too large for a link (or the MTU of its route) is split, or Ended if it must not be. `own`: sent from here."""
    packet = going.packet
    splits = not packet.whole or (own and packet.answer and packet.flow.proto == ICMPV6)  # icmpv6_echo_reply
    limit = min(route, link.fact.mtu) if route else link.fact.mtu
    note(ctx, link, limit)
    if not packet.size or packet.size <= limit:
        return going
    if not splits:
        reason = TOO_LARGE(size=packet.size, link=link.ifname, mtu=limit)
        steps = going.steps + ctx.step("mtu", reason, link.end.ns, link.end)
        mend = Mend(f"at most {limit} bytes pass; so does anything, once its MTU is raised")
        raise Ended(Landing("dropped", steps, going.ns, None, link.end, packet, reason, mend))
    text = f"{packet.size} bytes are split for {link.ifname}, whose MTU is {limit}"
    steps = going.steps + ctx.step("mtu", text, link.end.ns, link.end)
    return Going(going.ns, replace(packet, size=limit), steps)


def too_large(link: Link, frame: Frame, *, exactly: bool = False) -> int:
    """The size of a frame that a bridge's port or a veth drops without a word; 0: it fits.

    is_skb_forwardable leaves room for a tag, whether there is one or not; br_nf_dev_queue_xmit (`exactly`) does not.
    """
    size = frame.packet.size + VLAN_HEADER * max(0, len(frame.vlans) - 1)
    limit = link.fact.mtu + (0 if exactly else VLAN_HEADER)
    return size if frame.packet.size and size > limit and not frame.asks else 0


def note(ctx: PathContext, link: Link, limit: int, frame: Frame | None = None) -> None:
    """Remember the MTU, less the outer headers of the tunnels that the packet is in. Only the packet's own way counts: no question, no try."""
    if ctx.l2.light or (frame is not None and frame.asks):
        return
    if limit and limit < NO_LIMIT:
        ctx.mtus.append((limit - ctx.overhead, link.end))
