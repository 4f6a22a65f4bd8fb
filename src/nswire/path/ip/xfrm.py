"""XFRM policies (IPsec): what they refuse, and what they would transform, which is not followed.

net/xfrm/xfrm_policy.c: xfrm_lookup_with_ifid for what is sent and forwarded, __xfrm_policy_check for what comes in and what is forwarded,
xfrm_selector_match. What comes in as a plain packet, and should have come encrypted, is dropped.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NamedTuple

from nswire.model.reasons import Reason
from nswire.path.values import ICMP, ICMPV6, WITH_PORTS

if TYPE_CHECKING:
    from nswire.model.reasons import Cause
    from nswire.model.tables import Policy
    from nswire.model.topology import Link
    from nswire.model.values import NsKey
    from nswire.path.context import PathContext
    from nswire.path.values import Flow, Packet

BLOCKED = Reason("xfrm.blocked", "the XFRM policy {policy} blocks it", "XFRM_POLICY")
BLOCKED_BY_DEFAULT = Reason(
    "xfrm.default",
    "no XFRM policy takes it, and the default of {netns} for {direction} is block",
    "XFRM_POLICY",
)
NOT_ENCRYPTED = Reason(
    "xfrm.not_encrypted",
    "the XFRM policy {policy} wants it to come by {transform}, and it comes as it is",
    "XFRM_POLICY",
)
TRANSFORMED = Reason(
    "xfrm.transformed", "an XFRM policy decides: {policy} sends it by {transform}", unknown=True
)
UNDECIDED = Reason(
    "xfrm.undecided", "an XFRM policy may decide: whether {policy} takes it is not known", unknown=True
)

# by direction: the sysctl of a link that spares its packets, IPv4's and IPv6's (empty: there is none)
SPARED = {
    "out": ("ipv4/conf/{}/disable_xfrm", ""),
    "fwd": ("ipv4/conf/{}/disable_policy", "ipv6/conf/{}/disable_policy"),
    "in": ("ipv4/conf/{}/disable_policy", "ipv6/conf/{}/disable_policy"),
}
WHOLE = 0xFFFF  # of the mask of a port
ICMP_ECHO = {(ICMP, False): 8, (ICMP, True): 0, (ICMPV6, False): 128, (ICMPV6, True): 129}


class Ruling(NamedTuple):
    """What the policies do to a packet, unless they let it pass: `dropped` or `unknown`, and why."""

    fate: str
    reason: Cause


def ruling(ctx: PathContext, link: Link | None, ns: NsKey, direction: str, packet: Packet) -> Ruling | None:
    """What becomes of a packet, whose flow is as before NAT for `fwd` and `in`; None: it passes. NotKnown.

    `link`: that it leaves by (`out`), or came in by.
    """
    policies = ctx.lookups.policies(ns)
    blocked = direction in policies.blocked
    those = [
        one for one in policies.policies if (one.direction, one.family) == (direction, packet.flow.family)
    ]
    spared = SPARED[direction][packet.flow.family == 6] if those or blocked else ""
    if link is not None and spared and ctx.setting(link, spared):
        return None
    for policy in those:
        takes = _takes(policy, packet)
        if takes is None:
            return Ruling("unknown", UNDECIDED(policy=described(policy)))
        if takes:
            return _applied(policy)
    # xfrm_lookup spares lo; what comes in by it has passed already
    if blocked and not (link is not None and link.loopback):
        return Ruling("dropped", BLOCKED_BY_DEFAULT(netns=ctx.name(ns), direction=direction))
    return None


def _applied(policy: Policy) -> Ruling | None:
    if policy.block:
        return Ruling("dropped", BLOCKED(policy=described(policy)))
    if policy.direction == "out":
        if not policy.transforms:
            return None
        transform = ", ".join(one.text for one in policy.transforms)
        return Ruling("unknown", TRANSFORMED(policy=described(policy), transform=transform))
    wanted = next((one.text for one in policy.transforms if not one.optional), None)
    if wanted is None:
        return None
    return Ruling("dropped", NOT_ENCRYPTED(policy=described(policy), transform=wanted))


def _takes(policy: Policy, packet: Packet) -> bool | None:
    """Whether a policy is about a packet (xfrm_selector_match); None: that is not known."""
    if policy.special == "an xfrm interface":
        return False  # what passes one is not followed at all
    flow = packet.flow
    tests = (
        _within(flow.src, policy.src),
        _within(flow.dst, policy.dst),
        policy.proto in (0, flow.proto),
        (packet.mark ^ policy.mark[0]) & policy.mark[1] == 0,
        *_ports(policy, flow, answer=packet.answer),
        None if policy.special else True,
    )
    if False in tests:
        return False
    return None if None in tests else True


def _ports(policy: Policy, flow: Flow, *, answer: bool) -> tuple[bool | None, bool | None]:
    """By the ports, which are type and code of ICMP (xfrm_flowi_sport)."""
    source, target = (flow.sport, flow.sports), (flow.dport, flow.dports)
    if flow.proto not in WITH_PORTS:
        kind = ICMP_ECHO.get((flow.proto, answer), 0)
        source, target = (kind, (kind, kind)), (0, (0, 0))
    return _port(*source, *policy.sport), _port(*target, *policy.dport)


def _port(port: int, within: tuple[int, int], wanted: int, mask: int) -> bool | None:
    """Whether a port is like the one that is wanted under a mask; `within`: of what range one is that is not known (0)."""
    if not mask:
        return True
    first, last = within
    if port or first == last:
        return ((port or first) ^ wanted) & mask == 0
    return None if mask != WHOLE or first <= wanted <= last else False


def _within(address: str, network: str) -> bool | None:
    if network.endswith("/0"):
        return True
    return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False) if address else None


def described(policy: Policy) -> str:
    """A policy as `ip xfrm policy` prints it."""
    words = [f"src {policy.src} dst {policy.dst}"]
    words += [f"proto {policy.proto}"] if policy.proto else []
    words += [
        f"{name} {port}" for name, (port, mask) in (("sport", policy.sport), ("dport", policy.dport)) if mask
    ]
    words += [f"mark {policy.mark[0]:#x}/{policy.mark[1]:#x}"] if policy.mark[1] else []
    return " ".join([*words, f"dir {policy.direction}", f"priority {policy.priority}"])
