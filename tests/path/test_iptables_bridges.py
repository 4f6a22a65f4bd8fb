"""Filters of bridges and of ARP: br_netfilter and physdev, ebtables, arptables, in both variants; sent, and foretold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from filter_site import C, Case, Sent, Site, wrong

if TYPE_CHECKING:
    from nswire.lab.truth import Lab

OLD_AND_NEW = ("iptables-legacy", "iptables-nft")
CALLED = "sysctl -qw net.bridge.bridge-nf-call-iptables=1\n"
ROUTED: list[tuple[str, str]] = [
    ("-A FORWARD -m physdev --physdev-in pa -j DROP", "D"),
    ("-A FORWARD -m physdev ! --physdev-in pa -j DROP", "P"),
    ("-A FORWARD -m physdev --physdev-in pc -j DROP", "P"),
    ("-A FORWARD -m physdev --physdev-is-in -j DROP", "D"),
    ("-A FORWARD -m physdev --physdev-is-out -j DROP", "P"),
    ("-A FORWARD -m physdev --physdev-is-bridged -j DROP", "P"),
    ("-A FORWARD -m physdev ! --physdev-is-bridged -j DROP", "D"),
    (
        "-A FORWARD -m physdev --physdev-out pc -j DROP",
        "P",
    ),  # neither this nor its negation is true of what leaves by no port
    ("-A FORWARD -m physdev --physdev-out pc --physdev-is-bridged -j DROP", "P"),
    ("-A FORWARD -m physdev ! --physdev-out pc -j DROP", "P"),
    ("-t mangle -A PREROUTING -m physdev --physdev-in pa -j DROP", "D"),
]
NOT_CALLED = "sysctl -qw net.bridge.bridge-nf-call-iptables=0\n"
PLAIN: list[tuple[str, str]] = [
    ("-A FORWARD -m physdev --physdev-in pa -j DROP", "P"),
    ("-A FORWARD -m physdev ! --physdev-in pa -j DROP", "D"),
    ("-A FORWARD -m physdev ! --physdev-out pa -j DROP", "D"),
    ("-A FORWARD -m physdev ! --physdev-is-in -j DROP", "D"),
    ("-A FORWARD -m physdev ! --physdev-is-bridged -j DROP", "D"),
]
BRIDGED: list[tuple[str, str]] = [
    ("-A FORWARD -m physdev --physdev-in pa --physdev-out pc -j DROP", "D"),
    ("-A FORWARD -m physdev --physdev-out pa -j DROP", "P"),
    ("-A FORWARD -m physdev ! --physdev-out pa -j DROP", "D"),
    ("-A FORWARD -m physdev --physdev-is-bridged -j DROP", "D"),
    ("-A FORWARD -m physdev --physdev-is-out -j DROP", "D"),
    ("-A FORWARD -m physdev ! --physdev-is-in -j DROP", "P"),
    ("-A FORWARD -i br0 -o br0 -j DROP", "D"),
    ("-A FORWARD -m mac --mac-source 02:00:00:00:01:02 -j DROP", "D"),
    ("-t mangle -A POSTROUTING -m physdev --physdev-out pc -j DROP", "D"),
    ("-t mangle -A PREROUTING -m physdev --physdev-is-out -j DROP", "P"),
]
TO_C = Sent(dst=C)
FRAMES: list[tuple[str, str]] = [
    ("-A FORWARD -p IPv4 --ip-src 10.0.1.2 --ip-proto udp --ip-dport 7000 -j DROP", "D"),
    ("-A FORWARD -p IPv4 --ip-proto udp --ip-dport ! 7000 -j DROP", "P"),
    ("-A FORWARD -p ARP --arp-ip-src 10.0.1.2 -j DROP", "P"),
    ("-A FORWARD -p ARP --arp-ip-src ! 10.0.1.2 -j DROP", "P"),
    ("-A FORWARD -p IPv6 --ip6-src fd00::1 -j DROP", "P"),
    ("-A FORWARD -s 02:00:00:00:01:02 -d 02:00:00:00:01:03 -j DROP", "D"),
    ("-A FORWARD -s ! 02:00:00:00:01:02 -j DROP", "P"),
    ("-A FORWARD -i pa -o pc -j DROP", "D"),
    ("-A FORWARD -i pc -j DROP", "P"),
    ("-A FORWARD --among-src 02:00:00:00:01:02,02:00:00:00:01:09 -j DROP", "D"),
    ("-A FORWARD --among-dst ! 02:00:00:00:01:03 -j DROP", "P"),
    ("-A FORWARD --pkttype-type otherhost -j DROP", "D"),
    ("-A FORWARD --pkttype-type host -j DROP", "P"),
    ("-A FORWARD -p 802_1Q --vlan-id 5 -j DROP", "P"),
    ("-A FORWARD -d BGA --stp-type config -j DROP", "P"),
    ("-A FORWARD --log --log-prefix x -j CONTINUE", "P"),
    ("-A FORWARD --mark 0x1 -j DROP", "P"),
    (
        "-t nat -A PREROUTING -j mark --mark-set 0x5 --mark-target CONTINUE\nEBT -A FORWARD --mark 0x5 -j DROP",
        "D",
    ),
    ("-N MINE -P DROP\nEBT -A FORWARD -p IPv4 -j MINE", "D"),
    ("-N MINE -P RETURN\nEBT -A FORWARD -p IPv4 -j MINE", "P"),
    ("-N MINE\nEBT -A FORWARD -p IPv4 -j MINE\nEBT -A FORWARD -j DROP", "P"),
    ("-P FORWARD DROP", "D"),
    ("-A FORWARD --limit 1/hour -j DROP", "?"),
]
FORGET = "ip neigh flush all; ip neigh replace 10.0.1.2 lladdr 02:00:00:00:01:02 dev br0; "


@pytest.mark.needs("ip", "iptables-legacy", "iptables-nft", "ipset", "nft", "sysctl")
def test_the_port_that_a_routed_packet_came_by(lab: Lab) -> None:
    """With br_netfilter it is still known in FORWARD and INPUT."""
    site = Site(lab)
    if not _called(site):
        pytest.skip("no br_netfilter")
    cases = [Case(f"{CALLED}IPT {rule}", fate) for rule, fate in ROUTED]
    cases += [Case(f"{NOT_CALLED}IPT {rule}", fate) for rule, fate in PLAIN]
    assert not wrong(site, cases, OLD_AND_NEW)


@pytest.mark.needs("ip", "iptables-legacy", "iptables-nft", "ipset", "nft", "sysctl")
def test_bridged_packets(lab: Lab) -> None:
    """They have a port on both sides."""
    site = Site(lab)
    if not _called(site):
        pytest.skip("no br_netfilter")
    cases = [Case(f"{CALLED}IPT {rule}", fate, TO_C) for rule, fate in BRIDGED]
    assert not wrong(site, cases, OLD_AND_NEW)


def _called(site: Site) -> bool:
    with site.spaces["r"].entered():
        try:
            with open("/proc/sys/net/bridge/bridge-nf-call-iptables", encoding="ascii"):
                return True
        except OSError:
            return False


@pytest.mark.needs("ip", "ebtables-nft", "iptables-legacy", "ipset", "nft")
def test_frames(lab: Lab) -> None:
    """The new ebtables: what nft lists, with what ebtables-nft-save says of extensions; such a rule is of its own chain alone."""
    site = Site(lab)
    cases = [Case(f"ebtables-nft {rule}".replace("EBT", "ebtables-nft"), fate, TO_C) for rule, fate in FRAMES]
    assert not wrong(site, cases)
