"""Pods on a bridge that hands what it bridges to iptables, and a service whose address becomes that of one of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import pytest
from path_exchanges import UDP, Real, Spaces

from nswire.path import Flow

if TYPE_CHECKING:
    from pathlib import Path

    from nswire.lab.lab import Lab

NODE = """
node ip link add cbr0 type bridge
node ip link set cbr0 up
node ip link add vpod type veth peer name eth0 netns pod
node ip link add vother type veth peer name eth0 netns other
node ip link set vpod master cbr0 up
node ip link set vother master cbr0 up
node ip link add up0 type veth peer name eth0 netns far
node ip address add 10.0.1.1/24 dev cbr0
node ip address add fd01::1/64 dev cbr0 nodad
node ip address add 10.0.9.1/24 dev up0
node ip link set up0 up
node ip link set lo up
node sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
node sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1
pod ip address add 10.0.1.2/24 dev eth0
pod ip address add fd01::2/64 dev eth0 nodad
pod ip link set lo up
pod ip link set eth0 up
pod ip route add default via 10.0.1.1
pod ip -6 route add default via fd01::1
other ip address add 10.0.1.3/24 dev eth0
other ip address add fd01::3/64 dev eth0 nodad
other ip link set lo up
other ip link set eth0 up
other ip route add default via 10.0.1.1
other ip -6 route add default via fd01::1
far ip address add 10.0.9.2/24 dev eth0
far ip link set lo up
far ip link set eth0 up
far ip route add default via 10.0.9.1
"""
SERVICE, SERVICE6 = Flow("10.96.0.1", "", UDP, 0, 53), Flow("fd96::1", "", UDP, 0, 53)


def service(to: str, family: str = "ip") -> str:
    """The rules that make the service's address that of a pod, and hide who asked."""
    address = "fd96::1" if family == "ip6" else "10.96.0.1"
    return (
        f"node nft 'table {family} s {{ chain p {{ type nat hook prerouting priority -100; {family} daddr {address} dnat to {to}; }}; "
        f"chain m {{ type nat hook postrouting priority 100; {family} daddr {to} masquerade; }}; }}'\n"
    )


class Bridged(NamedTuple):
    """What is done to the node, a packet of the pod, what becomes of it; words that are in the reason."""

    done: str
    flow: Flow
    real: Real
    reason: str = ""


LOST = Real((), "")
BRIDGED = {
    "to another pod": Bridged(service("10.0.1.3"), SERVICE, Real(("other",), "answered")),
    "to itself": Bridged(service("10.0.1.2"), SERVICE, LOST, "no hairpin mode"),
    "to itself, with hairpin": Bridged(
        service("10.0.1.2") + "node ip link set vpod type bridge_slave hairpin on",
        SERVICE,
        Real(("pod",), "answered"),
    ),
    "to itself, not called": Bridged(
        service("10.0.1.2") + "node sysctl -qw net.bridge.bridge-nf-call-iptables=0",
        SERVICE,
        Real(("pod",), "answered"),
    ),
    "isolated": Bridged(
        service("10.0.1.3")
        + "node ip link set vpod type bridge_slave isolated on\nnode ip link set vother type bridge_slave isolated on",
        SERVICE,
        LOST,
        "isolated from each other",
    ),
    "a rule about ports": Bridged(
        service("10.0.1.3")
        + "node iptables-nft -A FORWARD -m physdev --physdev-in vpod --physdev-out vother -j DROP",
        SERVICE,
        LOST,
        "--physdev-in vpod",
    ),
    "no forwarding": Bridged(
        service("10.0.1.3") + "node sysctl -qw net.ipv4.ip_forward=0", SERVICE, LOST, "ip_forward=0"
    ),
    "IPv6, no forwarding": Bridged(
        service("fd01::3", "ip6") + "node sysctl -qw net.ipv6.conf.all.forwarding=0",
        SERVICE6,
        Real(("other",), "answered"),
    ),
    "elsewhere": Bridged(service("10.0.9.2"), SERVICE, Real(("far",), "answered")),
    "elsewhere, no forwarding": Bridged(
        service("10.0.9.2") + "node sysctl -qw net.ipv4.ip_forward=0", SERVICE, LOST, "ip_forward=0"
    ),
    "to the node itself": Bridged(service("10.0.1.1"), SERVICE, Real(("node",), "answered")),
    "IPv6": Bridged(service("fd01::3", "ip6"), SERVICE6, Real(("other",), "answered")),
    "IPv6 to itself": Bridged(service("fd01::2", "ip6"), SERVICE6, LOST, "no hairpin mode"),
}


@pytest.mark.needs("ip", "nft", "sysctl", "iptables-nft")
@pytest.mark.skipif(not os.path.exists("/proc/sys/net/bridge"), reason="this kernel has no br_netfilter")
@pytest.mark.parametrize("what", BRIDGED)
def test_a_service_on_the_own_node(lab: Lab, tmp_path: Path, what: str) -> None:
    """The bridge goes on with it by MAC, as long as the new destination is behind it."""
    bridged = BRIDGED[what]
    spaces = Spaces(lab, NODE + bridged.done)
    spaces.settled()
    told = [spaces.said("pod", bridged.flow)]  # before anybody is known by MAC
    assert spaces.really("pod", bridged.flow) == bridged.real
    told += [spaces.said("pod", bridged.flow, recording=one) for one in ("", f"{tmp_path}/host.nsw")]
    for said in told:
        assert said.as_real == bridged.real, (said.reason, said.trace.reply and said.trace.reply.reason)
        assert bridged.reason in said.reason
