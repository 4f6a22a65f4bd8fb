"""What a port of a bridge lets in and out, its MTU and that of a veth, br_netfilter: on any kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from path_cases import ASK, BRIDGE, LINE, PING6, Case, build, hold
from path_exchanges import ICMP

import nswire
from nswire.path import Flow
from nswire.path.branching import Chooser
from nswire.path.fib import Fib
from nswire.path.trace import walker
from nswire.path.values import Packet

if TYPE_CHECKING:
    from pathlib import Path

    from nswire.lab.lab import Lab

pytestmark = pytest.mark.needs("ip", "bridge")

EARLY = "r true\n"  # where a line stands before anything was sent, by IPv6 on its own
HUB = BRIDGE.replace("forward_delay 0", "forward_delay 0 ageing_time 0")
UNCALLED = BRIDGE + "r ip link set pb mtu 1400\nr sysctl -qw net.bridge.bridge-nf-call-iptables=0 || true"
CALLED = BRIDGE + "r ip link set pb mtu 1400\nr sysctl -qw net.bridge.bridge-nf-call-iptables=1"
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
    "the same of IPv6": Case(
        BRIDGE + "r bridge link set dev pb neigh_suppress on\n"
        "r bridge fdb replace 02:00:00:00:00:99 dev pb master static\n"
        "r ip -6 neigh add fd00::2 lladdr 02:00:00:00:00:99 dev br0",
        "l2.other_mac",
        PING6,
    ),
    "neigh_suppress, and it is the bridge's own": Case(
        BRIDGE + "r bridge link set dev pb neigh_suppress on\nr ip address add 10.0.0.2/24 dev br0", at="r"
    ),
    "proxy_arp where it is asked, and the bridge knows": Case(
        BRIDGE + "r ip link set pa type bridge_slave proxy_arp on\n"
        "r bridge fdb replace 02:00:00:00:00:99 dev pb master static\n"
        "r ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:99 dev br0",
        "l2.other_mac",
    ),
    "proxy_arp where it is asked, and the bridge does not know": Case(
        BRIDGE + "r ip link set pa type bridge_slave proxy_arp on"
    ),
    "bcast_flood off": Case(BRIDGE + "r bridge link set dev pb bcast_flood off", "neighbour.nobody"),
    "bcast_flood off does not count for what the bridge itself asks": Case(
        BRIDGE + "r bridge link set dev pb bcast_flood off\nr ip address add 10.0.0.3/24 dev br0", start="r"
    ),
    "a hub, and no flood": Case(HUB + "r bridge link set dev pb flood off", "bridge.no_flood"),
    "a bridge that learns, and no flood": Case(BRIDGE + "r bridge link set dev pb flood off"),
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

SERVICE = (
    BRIDGE
    + """
r sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.ipv4.ip_forward=1
r ip address add 10.0.0.254/24 dev br0
a ip route add 10.96.0.0/16 via 10.0.0.254
b ip route add 10.96.0.0/16 via 10.0.0.254
r nft 'table ip n { chain p { type nat hook prerouting priority -100; ip daddr 10.96.0.10 dnat to 10.0.0.2; }; }'
"""
)
MASQUERADE = "r nft 'table ip m { chain p { type nat hook postrouting priority 100; ip daddr 10.0.0.2 masquerade; }; }'"
ASKED = Flow("10.96.0.10", "", ICMP)
CASES |= {
    f"a service on the bridge: {name}": Case(f"{SERVICE}{lines}", code, ASKED, start=start, at=at)
    for name, lines, code, start, at in (
        ("of another", "", "", "a", "b"),
        ("masqueraded", MASQUERADE, "", "a", "b"),
        ("of itself, no hairpin", MASQUERADE, "bridge.no_hairpin", "b", "b"),
        ("of itself, hairpin", f"{MASQUERADE}\nr bridge link set dev pb hairpin on", "", "b", "b"),
        ("a rule of physdev", "r iptables -A FORWARD -m physdev --physdev-in pa --physdev-out pb -j DROP", "netfilter.drop", "a", "b"),
        ("isolated ports", "r bridge link set dev pa isolated on\nr bridge link set dev pb isolated on", "bridge.isolated", "a", "b"),
        ("of the bridge's own", "r nft insert rule ip n p ip daddr 10.96.0.10 dnat to 10.0.0.254", "", "a", "r"),
    )
}  # fmt: skip

CASES["a service on the bridge: no forwarding"] = Case(
    f"{SERVICE}{MASQUERADE}\nr sysctl -qw net.ipv4.ip_forward=0", "route.no_forwarding", ASKED
)


@pytest.mark.parametrize("name", CASES)
def test_said_and_sent(name: str, lab: Lab, tmp_path: Path) -> None:
    hold(CASES[name], lab, tmp_path)


def test_br_netfilter_splits_what_may_be_split(lab: Lab) -> None:
    """Of a whole packet it says the same as the port itself; of one without DF it makes two."""
    spaces = build(lab, CALLED)
    topology = nswire.scan()
    ctx = walker(topology, topology.lookups(), Fib(topology, topology.lookups()), Chooser())
    landing = ctx.l3.originate(spaces["a"].inode, Packet(ASK, size=1460, whole=False))
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
