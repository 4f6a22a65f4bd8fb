"""Filters of bridges and of ARP: br_netfilter and physdev, ebtables, arptables, in both variants; sent, and foretold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from filter_frames import FRAMES
from filter_site import C, Case, Sent, Site, has_arptables, wrong

if TYPE_CHECKING:
    from nswire.lab.lab import Lab

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
FORGET = "ip neigh del 10.0.2.2 dev rb 2>/dev/null || :\n"
TO_B = Sent()
ARPS: list[tuple[str, str]] = [
    ("-A OUTPUT -j DROP", "D"),
    ("-A OUTPUT -s 10.0.2.1 -d 10.0.2.2 --opcode 1 -j DROP", "D"),
    ("-A OUTPUT -s 10.0.2.9 -j DROP", "P"),
    ("-A OUTPUT ! -s 10.0.2.1 -j DROP", "P"),
    ("-A OUTPUT --opcode 2 -j DROP", "P"),
    ("-A OUTPUT -o rb -j DROP", "D"),
    ("-A OUTPUT ! -o r+ -j DROP", "P"),
    ("-A OUTPUT --source-mac 02:00:00:00:02:01 -j DROP", "D"),
    ("-A INPUT --source-mac 02:00:00:00:02:02 --opcode 2 -j DROP", "D"),
    ("-A INPUT --opcode 1 -j DROP", "P"),
    ("-A INPUT -s 10.0.2.2 -d 10.0.2.1 -i rb -j DROP", "D"),
    ("-A INPUT --destination-mac 02:00:00:00:02:01 -j DROP", "D"),
    ("-A INPUT -i br0 -j DROP", "P"),
    ("-N MINE\nARPT -A MINE -s 10.0.2.2 -j DROP\nARPT -A INPUT -j MINE", "D"),
    ("-N MINE\nARPT -A MINE -s 10.0.2.2 -j RETURN\nARPT -A INPUT -j MINE", "P"),
    ("-A OUTPUT --h-length 6 -j DROP", "D"),
    ("-A OUTPUT --h-type 1 --proto-type 0x800 -j DROP", "D"),
    ("-P INPUT DROP", "D"),
    ("-P OUTPUT DROP\nARPT -A OUTPUT -s 10.0.2.1 -j ACCEPT", "P"),
    ("-A OUTPUT -j mangle --mangle-ip-s 10.0.2.7 --mangle-target ACCEPT", "?"),
    ("-A OUTPUT -j MARK --set-mark 5", "P"),
]
NFT_ARPS: list[tuple[str, str]] = [
    ("output; arp operation request arp daddr ip 10.0.2.2 drop", "D"),
    ("output; arp saddr ip 10.0.2.9 drop", "P"),
    ("output; arp operation reply drop", "P"),
    ("input; arp operation reply arp saddr ether 02:00:00:00:02:02 drop", "D"),
    ("input; arp operation request drop", "P"),
    ('input; iifname "rb" drop', "D"),
]


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


@pytest.mark.needs("ip", "arptables-legacy", "arptables-nft", "iptables-legacy", "ipset", "nft")
def test_arp_in_and_out(lab: Lab) -> None:
    """The question and the answer meet the tables of ARP in the namespace that asks, whichever program made them."""
    site = Site(lab)
    cases = [Case(f"{FORGET}ARPT {rule}", fate, TO_B) for rule, fate in ARPS]
    nft = "nft 'table arp t { chain c { type filter hook %s priority 0; %s; }; }'"
    found = [
        wrong(site, [Case(FORGET + nft % tuple(rule.split("; ")), fate, TO_B) for rule, fate in NFT_ARPS])
    ]
    for program in ("arptables-nft", "arptables-legacy"):
        if program.endswith("legacy") and not has_arptables(site):
            continue
        found.append(
            wrong(site, [one._replace(rules=one.rules.replace("ARPT", program)) for one in cases], (program,))
        )
    assert not "".join(found)


@pytest.mark.needs("ip", "arptables-legacy", "iptables-legacy", "ipset", "nft")
def test_arp_at_the_one_who_is_asked(lab: Lab) -> None:
    """He neither hears the question, nor sends the answer."""
    site = Site(lab)
    if not has_arptables(site):
        pytest.skip("this kernel has no arp_tables")
    for rule, fate in (
        ("INPUT -s 10.0.2.1", "dropped"),
        ("OUTPUT --opcode 2", "dropped"),
        ("OUTPUT --opcode 1", "delivered"),
    ):
        site.shell("r", FORGET)
        site.shell("b", f"arptables-legacy -F; arptables-legacy -A {rule} -j DROP")
        assert site.foretold(TO_B).fate == fate, rule
        assert site.arrives(TO_B) == (fate == "delivered"), rule


@pytest.mark.needs("ip", "arptables-legacy", "iptables-legacy", "ipset", "nft")
def test_arp_through_a_bridge(lab: Lab) -> None:
    """With bridge-nf-call-arptables a bridge shows ARP to FORWARD."""
    site = Site(lab)
    if not has_arptables(site) or not _called(site):
        pytest.skip("this kernel has no arp_tables, or no br_netfilter")
    site.shell("r", "arptables-legacy -A FORWARD -s 10.0.1.2 -i pa -o pc -j DROP")
    for called, fate in (("1", "dropped"), ("0", "delivered")):
        site.shell("r", f"sysctl -qw net.bridge.bridge-nf-call-arptables={called}")
        site.shell("a", "ip neigh del 10.0.1.3 dev ea")
        assert site.foretold(TO_C).fate == fate
        assert site.arrives(TO_C, "c") == (fate == "delivered")
