"""The ways that packets take through the laboratory without any ruleset, and where on each of them chains are met."""

from __future__ import annotations

from typing import NamedTuple

from rulesets_lab import BY_LINK, NOWHERE, UNROUTED
from rulesets_packets import ICMP, ICMPV6, TCP, UDP, Probe

LOOPS = ("127.0.0.1", "::1")


class Stay(NamedTuple):
    """A namespace on a way: in by one link, out by another. `ports`: those of its bridge."""

    node: str
    iif: str = ""
    oif: str = ""
    physin: str = ""
    physout: str = ""


class Course(NamedTuple):
    """A way and the way back. `src` and `dst`: their IPv4 and IPv6 addresses."""

    name: str
    src: tuple[str, str]
    dst: tuple[str, str]
    there: tuple[Stay, ...]
    back: tuple[Stay, ...]

    @property
    def node(self) -> str:
        """Who sends."""
        return self.there[0].node


class Spot(NamedTuple):
    """A hook that a packet passes. `layer`: ip, bridge, netdev or arp. `back`: it is the answer that passes there."""

    node: str
    layer: str
    hook: str
    iif: str = ""
    oif: str = ""
    physin: str = ""
    physout: str = ""
    smac: str = ""
    dmac: str = ""
    back: bool = False


class Aim(NamedTuple):
    """A packet at a spot: whatever a rule there could look at."""

    spot: Spot
    probe: Probe

    @property
    def src(self) -> str:
        """Where it comes from, in its direction."""
        return self.probe.dst if self.spot.back else self.probe.src

    @property
    def dst(self) -> str:
        """Where it goes to."""
        return self.probe.src if self.spot.back else self.probe.dst

    @property
    def sport(self) -> int:
        """Its source port."""
        return self.probe.dport if self.spot.back else self.probe.sport

    @property
    def dport(self) -> int:
        """Its destination port."""
        return self.probe.sport if self.spot.back else self.probe.dport

    @property
    def proto(self) -> int:
        """Its protocol."""
        return self.probe.proto

    @property
    def six(self) -> bool:
        """Whether it is IPv6."""
        return self.probe.six

    @property
    def ported(self) -> bool:
        """Whether it has ports."""
        return self.proto in (TCP, UDP)


def _of(link: str) -> tuple[str, str]:
    return BY_LINK[link].ipv4, BY_LINK[link].ipv6


R_THERE = (Stay("a", oif="a0"), Stay("r", "r0", "r1"), Stay("b", "b0"))
R_BACK = (Stay("b", oif="b0"), Stay("r", "r1", "r0"), Stay("a", "a0"))
Q_THERE = (Stay("a", oif="a1"), Stay("q", "q0", "q1"), Stay("b", "b1"))
Q_BACK = (Stay("b", oif="b1"), Stay("q", "q1", "q0"), Stay("a", "a1"))
S_UP = (Stay("c", oif="c0"), Stay("s", "br0", "s1", "p0"), Stay("e", "e0"))
S_DOWN = (Stay("e", oif="e0"), Stay("s", "s1", "br0", "", "p0"), Stay("c", "c0"))
COURSES = (
    Course("routed", _of("a0"), _of("b0"), R_THERE, R_BACK),
    Course("answered another way", _of("a1"), _of("b0"), R_THERE, Q_BACK),
    Course("asked another way", _of("a0"), _of("b1"), Q_THERE, R_BACK),
    Course("from an address without a way back", UNROUTED["a"], _of("b0"), R_THERE, ()),
    Course("to nobody", _of("a0"), NOWHERE, (Stay("a", oif="a0"), Stay("r", "r0")), ()),
    Course("to a router", _of("a0"), _of("r0"), (Stay("a", oif="a0"), Stay("r", "r0")), (Stay("r", oif="r0"), Stay("a", "a0"))),
    Course("from a router", _of("r1"), _of("b0"), (Stay("r", oif="r1"), Stay("b", "b0")), (Stay("b", oif="b0"), Stay("r", "r1"))),
    Course("to its own address", _of("a0"), _of("a0"), (Stay("a", "lo", "lo"),), (Stay("a", "lo", "lo"),)),
    Course("to the loopback", LOOPS, LOOPS, (Stay("a", "lo", "lo"),), (Stay("a", "lo", "lo"),)),
    Course("bridged", _of("c0"), _of("d0"), (Stay("c", oif="c0"), Stay("s", physin="p0", physout="p1"), Stay("d", "d0")),
           (Stay("d", oif="d0"), Stay("s", physin="p1", physout="p0"), Stay("c", "c0"))),
    Course("up from a bridge", _of("c0"), _of("e0"), S_UP, S_DOWN),
    Course("down to a bridge", _of("e0"), _of("c0"), S_DOWN, S_UP),
    Course("to a bridge", _of("c0"), _of("br0"), (Stay("c", oif="c0"), Stay("s", "br0", "", "p0")), (Stay("s", "", "br0", "", "p0"), Stay("c", "c0"))),
    Course("from a bridge", _of("br0"), _of("c0"), (Stay("s", "", "br0", "", "p0"), Stay("c", "c0")), (Stay("c", oif="c0"), Stay("s", "br0", "", "p0"))),
)  # fmt: skip
WEIGHTS = (10, 3, 3, 3, 3, 2, 2, 2, 2, 5, 3, 3, 1, 1)
PROTOCOLS = ((ICMP, UDP, TCP), (ICMPV6, UDP, TCP))


def spots(course: Course, *, back: bool, called: bool = False) -> list[Spot]:
    """The hooks on a way, in their order. `called`: br_netfilter calls those of IP for what is bridged."""
    stays = course.back if back else course.there
    found = []
    for at, stay in enumerate(stays):
        smac, dmac = _macs(stays, at)
        found += [
            Spot(stay.node, *one, smac=smac, dmac=dmac, back=back)
            for one in _hooks(stay, first=at == 0, called=called)
        ]
    return found


def _macs(stays: tuple[Stay, ...], at: int) -> tuple[str, str]:
    """Of the frame that came in to this namespace; of none for the first."""
    if at == 0:
        return "", ""
    into = next((one.iif for one in stays[at:] if one.iif), "")
    out_of = next((one.oif for one in reversed(stays[:at]) if one.oif), "")
    return (BY_LINK[out_of].mac if out_of in BY_LINK else "", BY_LINK[into].mac if into in BY_LINK else "")


def _hooks(stay: Stay, *, first: bool, called: bool) -> list[tuple[str, str, str, str, str, str]]:
    _, iif, oif, physin, physout = stay
    ins = physin or iif
    outs = physout or oif
    if iif == "lo":
        return [
            ("ip", "output", "", "lo", "", ""),
            ("ip", "postrouting", "", "lo", "", ""),
            ("ip", "prerouting", "lo", "", "", ""),
            ("ip", "input", "lo", "", "", ""),
        ]
    if physin and physout:
        hooks = [
            ("netdev", "ingress", ins, "", "", ""),
            ("bridge", "prerouting", physin, "", physin, ""),
            ("bridge", "forward", physin, physout, physin, physout),
            ("bridge", "postrouting", "", physout, physin, physout),
            ("netdev", "egress", "", outs, "", ""),
        ]
        if called:
            hooks += [
                ("ip", "prerouting", "br0", "", physin, ""),
                ("ip", "forward", "br0", "br0", physin, physout),
                ("ip", "postrouting", "", "br0", physin, physout),
            ]
        return hooks
    hooks = []
    if not first:
        hooks.append(("netdev", "ingress", ins, "", "", ""))
        if physin:
            hooks += [
                ("bridge", "prerouting", physin, "", physin, ""),
                ("bridge", "input", physin, "", physin, ""),
            ]
        hooks.append(("ip", "prerouting", iif, "", physin, ""))
        hooks.append(("ip", "forward", iif, oif, physin, "") if oif else ("ip", "input", iif, "", physin, ""))
    elif oif:
        hooks.append(("ip", "output", "", oif, "", ""))
    if oif:
        hooks.append(("ip", "postrouting", "", oif, physin, ""))
        if physout:
            hooks += [
                ("bridge", "output", "", physout, "", physout),
                ("bridge", "postrouting", "", physout, "", physout),
            ]
        hooks.append(("netdev", "egress", "", outs, "", ""))
    return hooks


def probe_of(course: Course, proto: int, sport: int, dport: int, **more: int) -> Probe:
    """A packet on a course; ICMPV6 makes it IPv6, and so does a negative `proto`."""
    six = proto == ICMPV6 or proto < 0
    return Probe(course.node, course.src[six], course.dst[six], abs(proto), sport, dport, **more)
