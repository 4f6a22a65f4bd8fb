"""tc redirects: Kata's eth0 and tap, ifb; on kernels that have the filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import nswire
from nswire.resolve.uplinks import up

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.lab.lab import Lab

pytestmark = pytest.mark.needs("ip", "tc")


def test_kata_joins_a_tap_and_eth0_both_ways(lab: Lab, run: Callable[..., None]) -> None:
    """What the VM sends goes out by eth0; the way up from its tap goes there, and on to the host."""
    ns = lab.namespace("named", "kata")
    lab.pair(lab.home, "t-outer", ns, "eth0")
    inside = "ip netns exec kata tc"
    run(
        "ip -n kata tuntap add dev tap0_kata mode tap",
        f"{inside} qdisc add dev eth0 ingress",
        f"{inside} qdisc add dev tap0_kata ingress",
        f"{inside} filter add dev eth0 parent ffff: protocol all u32 match u8 0 0 action mirred egress redirect dev tap0_kata",
        f"{inside} filter add dev tap0_kata parent ffff: protocol all u32 match u8 0 0 action mirred egress redirect dev eth0",
    )
    topology = nswire.scan()
    tap, eth0, outer = (topology.link(name) for name in ("kata/tap0_kata", "kata/eth0", "t-outer"))
    way = up(tap)
    assert [(step.relation, step.link) for step in way.steps] == [("redirect", eth0), ("peer", outer)]
    assert [wire.evidence for wire in tap.late_wires("redirect") if wire.a == tap.end] == ["proved"]
    assert {(wire.a, wire.b) for wire in eth0.late_wires("redirect")} >= {(eth0.end, tap.end)}
    assert [step.link for step in up(eth0).steps] == [outer]


def test_ifb_tells_who_is_redirected_to_it_and_copies_are_no_way(lab: Lab, run: Callable[..., None]) -> None:
    """A shaper's ifb gets what comes in by a link; a mirror only gets copies."""
    lab.pair(lab.home, "t-a", lab.home, "t-b")
    lab.pair(lab.home, "t-c", lab.home, "t-d")
    run(
        "ip link add t-ifb type ifb",
        "tc qdisc add dev t-a clsact",
        "tc filter add dev t-a ingress matchall action mirred egress redirect dev t-ifb",
        "tc filter add dev t-a egress matchall action mirred egress mirror dev t-c",
    )
    topology = nswire.scan()
    ifb, a, c = (topology.link(name) for name in ("t-ifb", "t-a", "t-c"))
    assert [(wire.relation, wire.a, wire.b) for wire in ifb.late_wires("redirect")] == [
        ("redirect", a.end, ifb.end)
    ]
    assert [(wire.relation, wire.b) for wire in a.late_wires("mirror")] == [("mirror", c.end)]
    assert dict(a.late_wires("mirror")[0].data)["from"] == "egress"


def test_a_link_without_filters_says_nothing(lab: Lab) -> None:
    """No qdisc, no filter: no wire and no gap."""
    lab.pair(lab.home, "t-a", lab.home, "t-b")
    topology = nswire.scan()
    assert topology.link("t-a").late_wires("redirect", "mirror") == ()
    assert [gap for gap in topology.gaps if "tc" in gap.what] == []
