"""XDP, tc and netfilter's own hooks at a link: from there on a program decides, unless all that it does is plain.

A tc filter of kind matchall that redirects everything is followed, as Kata Containers have it; copies change nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from msgspec.structs import replace

from nswire.model.reasons import Reason
from nswire.model.values import End
from nswire.path import netfilter
from nswire.path.netfilter import Place, verdict
from nswire.path.netfilter.fields import Sight
from nswire.path.values import Ended, Going

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.model.tables import Filter
    from nswire.model.topology import Link
    from nswire.path.context import PathContext
    from nswire.path.values import Frame, Landing, Steps

BPF = Reason("tc.bpf", "{link}: a BPF program decides here ({place}: {program})", unknown=True)
TC = Reason("tc.filter", "{link}: a tc filter ({kind}) decides here ({direction})", unknown=True)
REDIRECT_GONE = Reason("tc.redirect_gone", "tc sends it to a link that is gone ({direction})")

Direction = Literal["ingress", "egress"]
ETH_P_ALL, ETH_P_IP, ETH_P_ARP, ETH_P_IPV6 = 0x0003, 0x0800, 0x0806, 0x86DD
VLAN_PROTOCOLS = {"802.1Q": 0x8100, "802.1ad": 0x88A8}
PROGRAMS = {
    "ingress": ("xdp", "tc ingress", "tcx ingress"),
    "egress": ("tc egress", "tcx egress", "netkit primary", "netkit peer"),
}


class Changed(NamedTuple):
    """A frame that passes, but with another packet in it, and the steps that tell of that."""

    frame: Frame
    steps: Steps


def decides(
    walk: PathContext, link: Link, frame: Frame, steps: Steps, direction: Direction
) -> Iterable[Landing] | Changed | None:
    """Where the frame lands if something at this link decides that; None if it simply passes."""
    if link.loopback:
        return None
    attached = walk.lookups.details(link.end, "programs")
    for place in PROGRAMS[direction]:
        if place in attached:
            reason = BPF(link=link.ifname, place=place, program=str(attached[place]))
            return (walk.l2.unknown(link, frame, steps, reason, "tc"),)
    found = walk.lookups.filters(link.end)
    for one in found.get(direction, ()):
        turned = _filtered(walk, link, frame, steps, direction, one=one)
        if turned is not None:
            return turned
    return _netdev(walk, link, frame, steps, direction)


def _protocol(frame: Frame) -> int:
    if frame.vlans:
        return VLAN_PROTOCOLS.get(frame.vlans[-1][0], 0)
    if frame.asks and ":" not in frame.asks:
        return ETH_P_ARP
    return ETH_P_IPV6 if frame.packet.flow.family == 6 else ETH_P_IP


def _filtered(
    walk: PathContext, link: Link, frame: Frame, steps: Steps, direction: Direction, *, one: Filter
) -> Iterable[Landing] | None:
    if one.chain or one.protocol not in (ETH_P_ALL, _protocol(frame)):
        return None
    away = [redirect for redirect in one.redirects if not redirect.copy]
    takes_all = one.kind == "matchall" and one.plain and not (frame.vlans and one.protocol != ETH_P_ALL)
    if takes_all and not away:
        return None
    if takes_all and len(away) == 1 == len(one.redirects):
        target = walk.topology.get(End(link.end.ns, away[0].ifindex))
        if target is None:
            return (walk.l2.lost(link, frame, steps, REDIRECT_GONE(direction=direction)),)
        text = f"tc {direction} of {link.ifname} redirects everything to {target.ifname}"
        steps += walk.step("tc", text, link.end.ns, link.end)
        onward = walk.l2.arrive if away[0].ingress else walk.l2.send
        return onward(target, frame, steps)
    reason = TC(link=link.ifname, kind=one.kind, direction=direction)
    return (walk.l2.unknown(link, frame, steps, reason, "tc"),)


def _netdev(
    walk: PathContext, link: Link, frame: Frame, steps: Steps, direction: Direction
) -> Iterable[Landing] | Changed | None:
    ns = link.end.ns
    names = (link.ifname, "") if direction == "ingress" else ("", link.ifname)
    place = Place("netdev", direction, *names, sight=Sight(walk, ns, frame))
    outcome = netfilter.traverse(walk, ns, place, frame.packet)
    if outcome.verdict == "accept" and outcome.packet == frame.packet:
        return None
    try:
        going = verdict.passed(
            walk, Going(ns, frame.packet, steps), outcome, f"netdev {direction} of {link.ifname}"
        )
    except Ended as ended:
        return (ended.landing,)
    return Changed(replace(frame, packet=going.packet), going.steps)
