"""Large packets: the smallest MTU of the links that a packet passes, and what becomes of an answer that is larger."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from path_exchanges import ICMP, UDP, Real, Spaces

from nswire.path import Flow
from nswire.show.terminal import Paper
from nswire.show.text_path import write_trace

if TYPE_CHECKING:
    from pathlib import Path

    from nswire.lab.lab import Lab

ROUTED = """
r ip link add ra type veth peer name ea netns a
r ip link add rb type veth peer name eb netns b
r ip address add 10.0.1.1/24 dev ra
r ip address add 10.0.2.1/24 dev rb
r ip link set lo up
r ip link set ra up
r ip link set rb up
r sysctl -qw net.ipv4.ip_forward=1
a ip address add 10.0.1.2/24 dev ea
a ip link set lo up
a ip link set ea up
a ip route add default via 10.0.1.1
b ip address add 10.0.2.2/24 dev eb
b ip link set lo up
b ip link set eb up
b ip route add default via 10.0.2.1
"""
# c is a third port of the bridge that a is on, with a smaller MTU: it only hears who is asked for
BRIDGED = """
r ip link add br0 type bridge
r ip link set br0 up
r ip link add ra type veth peer name ea netns a
r ip link add rc type veth peer name ec netns c
r ip link add rb type veth peer name eb netns b
r ip link set ra master br0
r ip link set rc master br0
r ip address add 10.0.1.1/24 dev br0
r ip address add 10.0.2.1/24 dev rb
r ip link set lo up
r ip link set ra up
r ip link set rb up
r ip link set rc up
r sysctl -qw net.ipv4.ip_forward=1
a ip address add 10.0.1.2/24 dev ea
a ip link set lo up
a ip link set ea up
a ip route add default via 10.0.1.1
c ip address add 10.0.1.3/24 dev ec
c ip link set lo up
c ip link set ec mtu 1400 up
b ip address add 10.0.2.2/24 dev eb
b ip link set lo up
b ip link set eb up
b ip route add default via 10.0.2.1
"""


@pytest.mark.needs("ip", "sysctl")
@pytest.mark.parametrize("proto", [ICMP, UDP])
def test_an_answer_that_may_be_split(lab: Lab, tmp_path: Path, proto: int) -> None:
    """An echo reply has no DF (icmp_sk_init), so that a smaller MTU on its way only splits it; one of UDP is lost there."""
    spaces = Spaces(lab, ROUTED + "r ip route replace 10.0.1.0/24 dev ra src 10.0.1.1 mtu 1400")
    spaces.settled()
    flow = Flow("10.0.2.2", "", proto, 0, 53 if proto == UDP else 0)
    real = spaces.really("a", flow, size=1450)
    assert real == Real(("b",), "answered" if proto == ICMP else "")
    for recording in ("", f"{tmp_path}/host.nsw"):
        assert spaces.said("a", flow, recording=recording, size=1450).as_real == real


@pytest.mark.needs("ip", "sysctl")
def test_a_link_that_it_never_passes(lab: Lab, tmp_path: Path) -> None:
    """Another port of the bridge heard the question for a MAC: its MTU is no matter."""
    spaces = Spaces(lab, BRIDGED)
    spaces.settled()
    flow = Flow("10.0.2.2", "", UDP, 0, 53)
    for recording in ("", f"{tmp_path}/host.nsw"):  # before anybody is known by MAC
        said = spaces.said("a", flow, recording=recording, size=1500)
        assert said.fate == "delivered"
        assert said.trace.mtu == 1500
    assert spaces.really("a", flow, size=1500) == Real(("b",), "answered")


@pytest.mark.needs("ip", "sysctl")
def test_how_the_narrowest_link_is_told(lab: Lab) -> None:
    """In plain words."""
    spaces = Spaces(lab, ROUTED + "b ip link set eb mtu 1400\nr ip link set rb mtu 1400")
    spaces.settled()
    said = spaces.said("a", Flow("10.0.2.2"))
    file = io.StringIO()
    write_trace(Paper(file, columns=200, color=False), said.topology, said.trace, notes=(), hops=False)
    assert "path MTU 1400: the MTU of r/rb\n" in file.getvalue()
