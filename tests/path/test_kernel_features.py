"""What newer kernels can do to a packet, one thing at a time: packets really sent, and what is said of them, live and by a recording.

Kinds that this kernel lacks are made on the newest one in a VM (tools/test).
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest
from path_exchanges import ICMP, ICMPV6, UDP, Spaces

import nswire
from nswire.model.reasons import Cause
from nswire.path import Flow
from nswire.path.choices import Chooser
from nswire.path.fib import Fib
from nswire.path.values import Packet
from nswire.path.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nswire.lab.truth import Lab

pytestmark = pytest.mark.needs("ip", "bridge", "tc")

LINE = """\
a ip link add a0 type veth peer name b0 netns b
a ip address add 10.0.0.1/24 dev a0
a ip -6 address add fd00::1/64 dev a0 nodad
a ip link set lo up
a ip link set a0 up
b ip address add 10.0.0.2/24 dev b0
b ip -6 address add fd00::2/64 dev b0 nodad
b ip link set lo up
b ip link set b0 up
"""
BRIDGE = """\
r ip link add br0 type bridge mcast_snooping 0 forward_delay 0
r ip link add pa type veth peer name a0 netns a
r ip link add pb type veth peer name b0 netns b
r ip link set pa master br0 up
r ip link set pb master br0 up
r ip link set br0 up
r true
a ip address add 10.0.0.1/24 dev a0
a ip -6 address add fd00::1/64 dev a0 nodad
a ip link set a0 up
b ip address add 10.0.0.2/24 dev b0
b ip -6 address add fd00::2/64 dev b0 nodad
b ip link set b0 up
"""
EARLY = "r true\n"  # where a line stands before anything was sent, by IPv6 on its own
FILTERING = BRIDGE.replace("forward_delay 0", "forward_delay 0 vlan_filtering 1")
HUB = BRIDGE.replace("forward_delay 0", "forward_delay 0 ageing_time 0")
UNCALLED = BRIDGE + "r ip link set pb mtu 1400\nr sysctl -qw net.bridge.bridge-nf-call-iptables=0 || true"
CALLED = BRIDGE + "r ip link set pb mtu 1400\nr sysctl -qw net.bridge.bridge-nf-call-iptables=1"
NAT = "nft 'table ip n { chain p { type nat hook postrouting priority 100; oifname rb masquerade; }; }'"
PING = Flow("10.0.0.2", "", ICMP)
PING6 = Flow("fd00::2", "", ICMPV6)
ASK = Flow("10.0.0.2", "", UDP, 0, 9000)


class Case(NamedTuple):
    """What is built, the packet, and which reason its loss has (empty: it arrives at `at`, and is answered, unless it has a size)."""

    lines: str
    code: str = ""
    flow: Flow = PING
    start: str = "a"
    size: int = 0
    at: str = "b"


CASES: dict[str, Case] = {
    "a locked port": Case(
        BRIDGE.replace(EARLY, "r bridge link set dev pa locked on learning off\n"), "bridge.locked"
    ),
    "a locked port that knows who comes": Case(
        BRIDGE.replace(EARLY, "r bridge link set dev pa locked on learning off\n")
        + "r bridge fdb replace $(ip netns exec a cat /sys/class/net/a0/address) dev pa master static"
    ),
    "a port with proxy_arp": Case(
        BRIDGE + "r ip link set pb type bridge_slave proxy_arp on", "neighbour.nobody"
    ),
    "a port with neigh_suppress": Case(BRIDGE + "r bridge link set dev pb neigh_suppress on"),
    "a port with neigh_suppress, and the bridge knows who it is": Case(
        BRIDGE + "r bridge link set dev pb neigh_suppress on\n"
        "r bridge fdb replace $(ip netns exec b cat /sys/class/net/b0/address) dev pb master static\n"
        "r ip neigh add 10.0.0.2 lladdr $(ip netns exec b cat /sys/class/net/b0/address) dev br0"
    ),
    "the same, and what it knows is wrong": Case(
        BRIDGE + "r bridge link set dev pb neigh_suppress on\n"
        "r bridge fdb replace 02:00:00:00:00:99 dev pb master static\n"
        "r ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:99 dev br0",
        "l2.other_mac",
    ),
    "bcast_flood off": Case(BRIDGE + "r bridge link set dev pb bcast_flood off", "neighbour.nobody"),
    "bcast_flood off does not count for what the bridge itself asks": Case(
        BRIDGE + "r bridge link set dev pb bcast_flood off\nr ip address add 10.0.0.3/24 dev br0", start="r"
    ),
    "a hub, and no flood": Case(HUB + "r bridge link set dev pb flood off", "bridge.no_flood"),
    "a bridge that learns, and no flood": Case(BRIDGE + "r bridge link set dev pb flood off"),
    **{
        f"an XFRM policy: {name}": Case(f"{LINE}{lines}", *rest)  # type: ignore[arg-type]
        for name, (lines, *rest) in {
            "block out": ("a ip xfrm policy add dst 10.0.0.2/32 dir out action block", "xfrm.blocked"),
            "block in": ("b ip xfrm policy add dst 10.0.0.2/32 dir in action block", "xfrm.blocked"),
            "block in, IPv6": (
                "b ip xfrm policy add dst fd00::2/128 dir in action block",
                "xfrm.blocked",
                PING6,
            ),
            "block out, IPv6": (
                "a ip xfrm policy add dst fd00::2/128 dir out action block",
                "xfrm.blocked",
                PING6,
            ),
            "block in, to itself": (
                "a ip xfrm policy add dst 10.0.0.1/32 dir in action block",
                "",
                Flow("10.0.0.1", "", ICMP),
                "a",
                0,
                "a",
            ),
            "block out, to itself": (
                "a ip xfrm policy add dst 10.0.0.1/32 dir out action block",
                "",
                Flow("10.0.0.1", "", ICMP),
                "a",
                0,
                "a",
            ),
            "the default out, to itself": (
                "a ip xfrm policy setdefault out block",
                "",
                Flow("10.0.0.1", "", ICMP),
                "a",
                0,
                "a",
            ),
            "block another": ("a ip xfrm policy add dst 10.0.0.3/32 dir out action block",),
            "block another family": ("a ip xfrm policy add dst ::/0 dir out action block",),
            "allow": (
                (
                    "a ip xfrm policy add dst 10.0.0.0/8 dir out action block priority 9\n"
                    "a ip xfrm policy add dst 10.0.0.2/32 dir out action allow priority 8"
                ),
            ),
            "the older of two of one priority": (
                (
                    "a ip xfrm policy add dst 10.0.0.2/32 dir out action block\n"
                    "a ip xfrm policy add dst 10.0.0.0/24 dir out action allow"
                ),
                "xfrm.blocked",
            ),
            "a port": (
                "a ip xfrm policy add dst 10.0.0.2/32 proto udp dport 9000 dir out action block",
                "xfrm.blocked",
                ASK,
            ),
            "another port": (
                "a ip xfrm policy add dst 10.0.0.2/32 proto udp dport 9001 dir out action block",
                "",
                ASK,
            ),
            "the type of ICMP": (
                "a ip xfrm policy add proto icmp type 8 dir out action block",
                "xfrm.blocked",
            ),
            "another type of ICMP": ("a ip xfrm policy add proto icmp type 0 dir out action block",),
            "a mark": ("a ip xfrm policy add dst 10.0.0.2/32 dir out mark 5 mask 255 action block",),
            "encrypted in": (
                "b ip xfrm policy add dst 10.0.0.2/32 dir in tmpl proto esp mode transport",
                "xfrm.not_encrypted",
            ),
            "encrypted in if it likes": (
                "b ip xfrm policy add dst 10.0.0.2/32 dir in tmpl proto esp mode transport level use",
            ),
            "the default out": ("a ip xfrm policy setdefault out block", "xfrm.default"),
            "the default in": ("b ip xfrm policy setdefault in block", "xfrm.default"),
            "the default, but for some": (
                "a ip xfrm policy setdefault out block\na ip xfrm policy add dst 10.0.0.0/8 dir out",
            ),
            "disable_xfrm": (
                "a ip xfrm policy add dst 10.0.0.2/32 dir out action block\na sysctl -w net.ipv4.conf.a0.disable_xfrm=1",
            ),
            "disable_policy": (
                "b ip xfrm policy add dst 10.0.0.2/32 dir in action block\nb sysctl -w net.ipv4.conf.all.disable_policy=1",
            ),
        }.items()
    },
}


CASES |= {
    "veth: room for a tag": Case(LINE + "b ip link set b0 mtu 1400", "", ASK, size=1404),
    "veth: too large": Case(LINE + "b ip link set b0 mtu 1400", "pair.too_large", ASK, size=1405),
    "a port: room for a tag": Case(UNCALLED, "", ASK, size=1404),
    "a port: too large": Case(UNCALLED, "bridge.too_large", ASK, size=1405),
    "br_netfilter: it fits": Case(CALLED, "", ASK, size=1400),
    "br_netfilter: no room for a tag": Case(CALLED, "bridge.not_split", ASK, size=1401),
    "br_netfilter of the bridge alone": Case(
        CALLED.replace("iptables=1", "iptables=0") + "\nr ip link set br0 type bridge nf_call_iptables 1",
        "bridge.not_split",
        ASK,
        size=1401,
    ),
}
ROUTED = """\
r ip link add ra type veth peer name a0 netns a
r ip link add rb type veth peer name b0 netns b
r ip address add 10.0.0.254/24 dev ra
r ip address add 10.0.1.254/24 dev rb
r ip link set ra up
r ip link set rb up
r sysctl -qw net.ipv4.ip_forward=1
a ip address add 10.0.0.1/24 dev a0
a ip link set a0 up
a ip route add default via 10.0.0.254
b ip address add 10.0.1.2/24 dev b0
b ip link set b0 up
b ip route add default via 10.0.1.254
"""
FAR = Flow("10.0.1.2", "", ICMP)
CASES |= {
    f"an XFRM policy of a router: {name}": Case(f"{ROUTED}{lines}", code, FAR)
    for name, lines, code in (
        ("fwd", "r ip xfrm policy add dst 10.0.1.2/32 dir fwd action block", "xfrm.blocked"),
        ("fwd, encrypted", "r ip xfrm policy add dst 10.0.1.2/32 dir fwd tmpl proto esp mode tunnel", "xfrm.not_encrypted"),
        ("out", "r ip xfrm policy add dst 10.0.1.2/32 dir out action block", "xfrm.blocked"),
        ("in", "r ip xfrm policy add dst 10.0.1.2/32 dir in action block", ""),
        ("the default fwd", "r ip xfrm policy setdefault fwd block", "xfrm.default"),
        ("out, of what it is after NAT", f"r {NAT}\nr ip xfrm policy add src 10.0.1.254/32 dst 10.0.1.2/32 dir out action block", "xfrm.blocked"),
        ("in at the end, of another source", f"r {NAT}\nb ip xfrm policy add src 10.0.0.1/32 dir in action block", ""),
    )
}  # fmt: skip


def codes(cause: Cause | None) -> Iterator[str]:
    """The code of a reason, and those of what led to it."""
    if cause is not None:
        yield cause.code
        for value in cause.values.values():
            if isinstance(value, Cause):
                yield from codes(value)


def build(lab: Lab, lines: str) -> Spaces:
    """Skipped, with what the kernel says, where it lacks the kind."""
    try:
        spaces = Spaces(lab, "a true\nb true\n" + lines)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"not on this kernel: {error.stderr.strip().splitlines()[-1] if error.stderr else error}")
    spaces.settled()
    return spaces


@pytest.mark.parametrize("name", CASES)
def test_said_and_sent(name: str, lab: Lab, tmp_path: Path) -> None:
    """Foretold before anything is sent, since that would fill tables; then sent."""
    case = CASES[name]
    spaces = build(lab, case.lines)
    live = spaces.said(case.start, case.flow, size=case.size)
    by_recording = spaces.said(case.start, case.flow, size=case.size, recording=f"{tmp_path}/recording")
    real = spaces.really(case.start, case.flow, size=case.size)
    assert real.at == (() if case.code else (case.at,))
    assert bool(real.answer) == (not case.code) or case.size
    for said in (live, by_recording):
        if case.code:
            assert said.fate == "dropped", said.reason
            assert case.code in set(codes(said.trace.forward.reason))
        elif case.size:
            assert (said.fate, said.at) == ("delivered", real.at), said.reason
        else:
            assert (said.fate, said.answer) == ("delivered", "delivered"), said.reason


def test_br_netfilter_splits_what_may_be_split(lab: Lab) -> None:
    """Of a whole packet it says the same as the port itself; of one without DF it makes two."""
    spaces = build(lab, CALLED)
    topology = nswire.scan()
    walk = Walk(topology, topology.lookups(), Fib(topology, topology.lookups()), Chooser())
    landing = walk.originate(spaces["a"].inode, Packet(ASK, size=1460, whole=False))
    assert (landing.fate, landing.packet and landing.packet.size) == ("delivered", 1400)
    assert spaces.really("a", ASK, size=1460, whole=False).at == ("b",)


def test_the_largest_that_passes(lab: Lab) -> None:
    """The room for a tag belongs to it; and what only the question passes does not count."""
    third = """
r ip link add pc type veth peer name c0 netns c
r ip link set pc mtu 1300 master br0 up
c ip link set c0 mtu 1200 up
"""
    said = build(lab, UNCALLED + third).said("a", ASK)
    assert (said.fate, said.trace.mtu) == ("delivered", 1404)
