"""A walk ends, whatever the network: bridges in a ring, a way of sixty routers."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest
from path_exchanges import Real, Spaces

import nswire
from nswire.lab.lab import wait_until
from nswire.path import Flow, bounds

if TYPE_CHECKING:
    from nswire.lab.lab import Lab

# two bridges with three wires between them, and nobody who ever says a word: what is flooded there has no end
RING = """
r echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6
a echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6
r ip link add br0 type bridge
r ip link add br1 type bridge
r ip link add x0 type veth peer name y0
r ip link add x1 type veth peer name y1
r ip link add x2 type veth peer name y2
r ip link add va type veth peer name eth0 netns a
r ip link set va master br0 up
r ip link set br0 up
r ip link set br1 up
r sh -c 'for n in 0 1 2; do ip link set x$n master br0 up; ip link set y$n master br1 up; done'
a ip address add 10.0.0.1/24 dev eth0
a ip link set eth0 up
"""


@pytest.mark.needs("ip")
def test_a_loop_of_switches_ends(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each frame comes back doubled, for ever: the walk says so after so many links, and in bounded time."""
    monkeypatch.setattr(bounds, "PASSED", 5000)
    spaces = Spaces(lab, RING)
    wait_until(lambda: all("LOWER_UP" in link.flags for link in nswire.scan() if "UP" in link.flags))
    begin = time.monotonic()
    said = spaces.said("a", Flow("10.0.0.99"))
    assert time.monotonic() - begin < 20
    assert said.fate == "unknown"
    reason = said.trace.forward.reason
    assert reason is not None
    assert reason.root.code == "path.too_many_links"


@pytest.mark.needs("ip", "sysctl")
def test_a_long_way_is_followed_to_its_end(lab: Lab) -> None:
    """Through as many routers as a packet may pass."""
    count = 62
    lines = []
    for n in range(count):
        here, there = f"n{n}", f"n{n + 1}"
        lines += [
            f"{here} ip link add out0 type veth peer name in0 netns {there}",
            f"{here} ip address add 10.0.{n}.1/24 dev out0",
            f"{here} ip link set out0 up",
            f"{here} ip route add default via 10.0.{n}.2",
            f"{here} sysctl -qw net.ipv4.ip_forward=1",
            f"{there} ip address add 10.0.{n}.2/24 dev in0",
            f"{there} ip link set in0 up",
        ]
        lines += [f"{there} ip route add 10.0.{before}.0/24 via 10.0.{n}.1" for before in range(n)]
    spaces = Spaces(lab, "\n".join(lines))
    flow = Flow(f"10.0.{count - 1}.2")
    limit = sys.getrecursionlimit()
    said = spaces.said("n0", flow)
    assert said.as_real == spaces.really("n0", flow) == Real((f"n{count}",), "answered")
    assert sys.getrecursionlimit() == limit
