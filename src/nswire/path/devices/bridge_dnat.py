"""A bridged packet that has got another destination on the way: bridged on, if that is behind the same bridge, else for the stack.

net/bridge/br_netfilter_hooks.c (br_nf_pre_routing_finish, br_nf_pre_routing_finish_bridge), br_netfilter_ipv6.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from nswire.path.values import Landing

if TYPE_CHECKING:
    from nswire.model.topology import Link
    from nswire.path.context import PathContext
    from nswire.path.values import Frame, Steps


def onward(
    ctx: PathContext, bridge: Link, frame: Frame, steps: Steps
) -> tuple[Frame, Steps] | Landing | None:
    """The frame that the bridge goes on with, or where it ends; None: it is for the stack, which routes it elsewhere.

    It keeps its source, gets the MAC of its next hop, and goes on from the port that it came by, as any other: that a port
    has no hairpin mode, or is isolated, counts.
    """
    packet = replace(frame.packet, prerouted=False)
    # IPv4: where nothing is forwarded, this finds an error, which is the stack's; IPv6 asks later, in ip6_forward
    hop = ctx.l3.back_out(bridge, packet)
    if hop is None:
        return None
    text = f"{packet.flow.dst} is behind {bridge.ifname} as well, so it is bridged on"
    steps += ctx.step("bridge", text, bridge.end.ns, bridge.end, because=(hop[1],))
    found: list[tuple[Frame, Steps]] = []

    def carry(sent: Frame, told: Steps) -> Landing:
        found.append((replace(frame, dst=sent.dst, packet=packet, along=sent.along), told))
        return Landing("up", told, bridge.end.ns, sent, bridge.end)

    landing = ctx.l3.send(bridge, packet, hop[0], steps, carry=carry)
    return found[0] if found else landing
