"""A namespace that speaks to itself: by lo, which brings packets back with the route that they left by."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest
from path_exchanges import ICMP, ICMPV6, TCP, UDP, Real, Spaces

from nswire.path import Flow
from nswire.show.text_path import commanded

if TYPE_CHECKING:
    from pathlib import Path

    from nswire.lab.lab import Lab

PAIR = """
a ip link add a0 type veth peer name b0 netns b
a ip address add 10.0.0.1/24 dev a0
a ip address add fd01::1/64 dev a0 nodad
a ip link set lo up
a ip link set a0 up
b ip address add 10.0.0.2/24 dev b0
b ip address add fd01::2/64 dev b0 nodad
b ip link set lo up
b ip link set b0 up
"""
ANSWERED, LOST = Real(("a",), "answered"), Real((), "")


class Own(NamedTuple):
    """What is done to a, a packet of a, and what becomes of it."""

    done: str
    flow: Flow
    real: Real = ANSWERED
    reason: str = ""
    mark: int = 0


VRF = """
a ip link add vrf0 type vrf table 100
a ip link set vrf0 up
a ip link set a0 master vrf0
"""
OWN = {
    "127.0.0.1": Own("", Flow("127.0.0.1", "", TCP, 0, 80)),
    "another one of 127/8": Own("", Flow("127.9.9.9", "", UDP, 0, 53)),
    "its own": Own("", Flow("10.0.0.1")),
    "its own, from 127.0.0.1": Own("", Flow("10.0.0.1", "127.0.0.1", UDP, 0, 53)),
    "::1": Own("", Flow("::1", "", TCP, 0, 80)),
    "its own, IPv6": Own("", Flow("fd01::1", "", ICMPV6)),
    "rp_filter is not asked": Own("a sysctl -qw net.ipv4.conf.all.rp_filter=1", Flow("10.0.0.1")),
    "lo down": Own("a ip link set lo down", Flow("10.0.0.1"), LOST, "lo in a is down"),
    "lo down, IPv6": Own("a ip link set lo down", Flow("::1", "", TCP, 0, 80), LOST, "lo in a is down"),
    "lo down, 127.0.0.1": Own(
        "a ip link set lo down", Flow("127.0.0.1", "", UDP, 0, 53), LOST, "lo in a is down"
    ),
    "redirect": Own(
        "a nft 'table ip t { chain o { type nat hook output priority -100; tcp dport 81 redirect to :80; }; }'",
        Flow("10.0.0.2", "", TCP, 0, 81),
        Real(("a",), "refused"),  # nobody listens on 80
    ),
    "dnat to itself": Own(
        "a nft 'table ip t { chain o { type nat hook output priority -100; udp dport 53 dnat to 10.0.0.1; }; }'",
        Flow("10.9.9.9", "", UDP, 0, 53),
        LOST,
        "there is no route to 10.9.9.9",
    ),
    "dnat to itself, with a route": Own(
        "a ip route add default via 10.0.0.2\n"
        "a nft 'table ip t { chain o { type nat hook output priority -100; udp dport 53 dnat to 10.0.0.1; }; }'",
        Flow("10.9.9.9", "", UDP, 0, 53),
    ),
    "no NAT of prerouting": Own(
        "a nft 'table ip t { chain p { type nat hook prerouting priority -100; udp dport 53 dnat to 10.0.0.2:53; }; }'",
        Flow("10.0.0.1", "", UDP, 0, 53),
    ),
    "filters of prerouting": Own(
        "a nft 'table ip t { chain p { type filter hook prerouting priority 0; iif lo udp dport 53 drop; }; }'",
        Flow("127.0.0.1", "", UDP, 0, 53),
        LOST,
        "prerouting: the rule",
    ),
    "filters of input": Own(
        "a nft 'table inet t { chain i { type filter hook input priority 0; iifname lo accept; drop; }; }'",
        Flow("10.0.0.1", "", TCP, 0, 80),
    ),
    "no link but lo": Own(
        "a nft 'table inet t { chain i { type filter hook input priority 0; iifname a0 drop; }; chain o { type filter hook output priority 0; oifname a0 drop; }; }'",
        Flow("10.0.0.1", "", TCP, 0, 80),
    ),
    "the mark goes along": Own(
        "a nft 'table ip t { chain o { type route hook output priority 0; udp dport 53 meta mark set 7; }; chain i { type filter hook input priority 0; meta mark 7 drop; }; }'",
        Flow("127.0.0.1", "", UDP, 0, 53),
        LOST,
        "input: the rule",
    ),
    "a rule of its own for what is marked": Own(
        "a ip route add local default dev lo table 100\na ip rule add fwmark 7 lookup 100\n",
        Flow("203.0.113.9", "10.0.0.1", UDP, 0, 53),
        Real(("a",), ""),  # what answers has no mark
        mark=7,
    ),
    "a route by lo that is not local": Own(
        "a ip route add 10.9.0.0/24 dev lo",
        Flow("10.9.0.1", "", UDP, 0, 53),
        Real(("a",), ""),  # nobody can send from 10.9.0.1
    ),
    "a route by lo that is not local, IPv6": Own(
        "a ip route add fd09::/64 dev lo", Flow("fd09::1", "", UDP, 0, 53), LOST, "lo brings back only"
    ),
    "a rule before lookup local": Own(
        "a ip rule add pref 32000 lookup local\na ip rule del pref 0\na ip rule add pref 100 iif lo unreachable",
        Flow("10.0.0.1", "", UDP, 0, 53),
        LOST,
        "the rule says 100:",
    ),
    "AnyIP": Own("a ip route add local 192.0.2.0/24 dev lo", Flow("192.0.2.7", "", UDP, 0, 53)),
    "in a VRF": Own(VRF, Flow("10.0.0.1", "", ICMP), LOST, "there is no route to 10.0.0.1"),
}


@pytest.mark.needs("ip", "nft", "sysctl")
@pytest.mark.parametrize("what", OWN)
def test_what_a_namespace_sends_to_itself(lab: Lab, tmp_path: Path, what: str) -> None:
    """As real packets fare: delivered by lo, whatever the input look-up, rp_filter and prerouting's NAT would have said."""
    own = OWN[what]
    try:
        spaces = Spaces(lab, PAIR + own.done)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"this kernel: {error.stderr}")
    spaces.settled()
    assert spaces.really("a", own.flow, mark=own.mark) == own.real
    for recording in ("", f"{tmp_path}/host.nsw"):
        said = spaces.said("a", own.flow, recording=recording, mark=own.mark)
        real = own.real._replace(answer="answered") if own.real.answer == "refused" else own.real
        assert said.as_real == real, (recording, said.reason)
        assert own.reason in said.reason, recording


@pytest.mark.needs("ip")
@pytest.mark.parametrize("dst", ["10.0.0.1", "::1"])
def test_a_loopback_that_is_down_is_named(lab: Lab, tmp_path: Path, dst: str) -> None:
    """And what brings it up."""
    spaces = Spaces(lab, PAIR + "a ip link set lo down")
    for recording in ("", f"{tmp_path}/host.nsw"):
        said = spaces.said("a", Flow(dst, "", TCP, 0, 80), recording=recording)
        (way,) = said.trace.forward.ways
        assert way.mend is not None
        assert commanded(said.topology, way.mend) == "ip netns exec a ip link set lo up"
