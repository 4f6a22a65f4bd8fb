"""XFRM policies (IPsec): which of them takes a packet, and what it does to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from path_cases import ASK, LINE, PING, PING6, Case, hold
from path_exchanges import ICMP, ICMPV6

from nswire.path import Flow

if TYPE_CHECKING:
    from pathlib import Path

    from nswire.lab.lab import Lab

pytestmark = pytest.mark.needs("ip", "nft")

NAT = "nft 'table ip n { chain p { type nat hook postrouting priority 100; oifname rb masquerade; }; }'"
CASES: dict[str, Case] = {
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
            "block out, to itself, IPv6": (
                "a ip xfrm policy add dst fd00::1/128 dir out action block",
                "xfrm.blocked",
                Flow("fd00::1", "", ICMPV6),
            ),
            "block in, to itself, IPv6": (
                "a ip xfrm policy add dst fd00::1/128 dir in action block",
                "xfrm.blocked",
                Flow("fd00::1", "", ICMPV6),
            ),
            "block in, to itself, IPv4, but for lo": (
                "a ip xfrm policy add dst 10.0.0.1/32 dir in action block\na sysctl -qw net.ipv4.conf.lo.disable_policy=0",
                "xfrm.blocked",
                Flow("10.0.0.1", "", ICMP),
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
            "encrypted out": (
                "a ip xfrm policy add dst 10.0.0.2/32 dir out tmpl proto esp mode transport",
                "xfrm.transformed",
                PING,
                "a",
                0,
                "b",
                "unknown",
            ),
            "by a port that the sender chooses": (
                "a ip xfrm policy add dst 10.0.0.2/32 proto udp sport 40000 dir out action block",
                "xfrm.undecided",
                ASK,
                "a",
                0,
                "b",
                "unknown",
            ),
            "by a port that no sender chooses": (
                "a ip xfrm policy add dst 10.0.0.2/32 proto udp sport 500 dir out action block",
                "",
                ASK,
            ),
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


@pytest.mark.parametrize("name", CASES)
def test_said_and_sent(name: str, lab: Lab, tmp_path: Path) -> None:
    hold(CASES[name], lab, tmp_path)
