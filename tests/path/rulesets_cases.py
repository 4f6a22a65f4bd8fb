"""Rulesets that were told wrong once, as the proof shrank them, with the packet and what became of it. One row a kind.

A row: lines as `NODE: TOOL [-t TABLE] COMMAND`, in the laboratory of `rulesets_lab`; the packet (node, source, destination, protocol,
ports); its fate: the node that gets it, `and back` if
the answer arrives; `untold`: it cannot be
told; `open`: it is still told wrong, and why.
"""

from __future__ import annotations

from typing import NamedTuple

from rulesets_lab import Line
from rulesets_packets import ICMP, ICMPV6, TCP, UDP, Probe


class Row(NamedTuple):
    """A ruleset that was told wrong."""

    name: str
    lines: tuple[str, ...]
    probe: Probe
    fate: str
    untold: bool = False
    open: str = ""


def parsed(text: str) -> Line:
    """A line as it is written here and in reports."""
    node, rest = text.split(": ", 1)
    tool, rest = rest.split(" ", 1)
    table = ""
    if rest.startswith("-t "):
        _, table, rest = rest.split(" ", 2)
    return Line(node, tool, (rest,), table=table)


ROWS = (
    Row(
        "a counter that a map does not have for the packet",
        (
            "a: nft add table netdev t3",
            'a: nft add chain netdev t3 c4 { type filter hook egress device "a0" priority 0; policy accept; }',
            "a: nft add counter netdev t3 o5",
            'a: nft add rule netdev t3 c4 counter name ip saddr map { 10.9.0.1 : "o5" } drop',
        ),
        Probe("a", "fd00:9::1", "fd00:2::2", TCP, 27393, 443),
        "b",
    ),
    Row(
        "a counter that a map has for the packet",
        (
            "a: nft add table ip6 t3",
            "a: nft add chain ip6 t3 c4 { type filter hook output priority 0; policy accept; }",
            "a: nft add counter ip6 t3 o5",
            'a: nft add rule ip6 t3 c4 counter name tcp dport map { 443 : "o5" } drop',
        ),
        Probe("a", "fd00:9::1", "fd00:2::2", TCP, 27393, 443),
        "lost",
    ),
    Row("an answer by another way", (), Probe("a", "fd00:3::2", "fd00:2::2", UDP, 20042, 443), "b and back"),
    Row(
        "masquerading to an own address of another link",
        ("a: ip6tables-legacy -t nat -A POSTROUTING -j MASQUERADE --random-fully",),
        Probe("a", "fd00:1::2", "fd00:1::2", TCP, 25310, 80),
        "a and back",
    ),
    Row(
        "the kernel's own socket, of an echo reply",
        (
            "r: nft add table inet t3",
            "r: nft add chain inet t3 c4 { type filter hook output priority 10; }",
            "r: nft add rule inet t3 c4 socket transparent != { 1 } drop",
        ),
        Probe("a", "fd00:1::2", "fd00:1::1", ICMPV6, 25407, 0),
        "r",
    ),
    Row(
        "the control group of an echo reply",
        (
            "b: nft add table inet t3",
            "b: nft add chain inet t3 c4 { type filter hook output priority 1; }",
            "b: nft add rule inet t3 c4 meta cgroup vmap { 0 : drop, 77 : accept }",
        ),
        Probe("a", "10.1.0.2", "10.2.0.2", ICMP, 20542, 0),
        "b",
    ),
    Row(
        "the socket of what is sent by a raw one",
        (
            "a: nft add table ip t6",
            "a: nft add chain ip t6 c7 { type filter hook output priority -350; }",
            "a: nft add rule ip t6 c7 socket mark vmap { 7 : accept, * : drop }",
        ),
        Probe("a", "10.1.0.2", "10.2.0.2", ICMP, 25288, 0),
        "lost",
        untold=True,
    ),
    Row(
        "an expectation of a connection that is confirmed",
        (
            "a: nft add table inet t1",
            "a: nft add chain inet t1 c5 { type filter hook prerouting priority -155; }",
            "a: nft add ct expectation inet t1 o6 { protocol udp; dport 5432; timeout 1h; size 12; l3proto ip; }",
            'a: nft add rule inet t1 c5 ct expectation set "o6" drop',
        ),
        Probe("a", "127.0.0.1", "127.0.0.1", UDP, 22962, 5000),
        "a and back",
    ),
    Row(
        "a reset is for TCP alone",
        (
            "r: nft add table ip6 t3",
            "r: nft add chain ip6 t3 c4 { type filter hook forward priority -350; }",
            "r: nft add rule ip6 t3 c4 reject with tcp reset",
        ),
        Probe("a", "fd00:1::2", "fd00:2::2", ICMPV6, 25823, 0),
        "b and back",
    ),
    Row(
        "an expectation of another protocol",
        (
            "r: nft add table inet t1",
            "r: nft add chain inet t1 c5 { type filter hook prerouting priority -155; }",
            "r: nft add ct expectation inet t1 o6 { protocol udp; dport 5432; timeout 1h; size 12; l3proto ip; }",
            'r: nft add rule inet t1 c5 ct expectation set "o6" drop',
        ),
        Probe("a", "10.1.0.2", "10.2.0.2", TCP, 22963, 80),
        "lost",
    ),
    Row(
        "options of TCP that a rule strips",
        (
            "a: iptables-nft -t mangle -A PREROUTING -p tcp -j TCPOPTSTRIP --strip-options timestamp,sack-permitted",
            "a: iptables-nft -t mangle -A PREROUTING -p tcp ! --tcp-option 8 -j DROP",
        ),
        Probe("a", "10.1.0.2", "10.1.0.2", TCP, 20210, 53),
        "lost",
        untold=True,
    ),
    Row("an own address", (), Probe("a", "10.1.0.2", "10.1.0.2", ICMP, 20060, 0), "a and back"),
    Row("the loopback", (), Probe("a", "127.0.0.1", "127.0.0.1", TCP, 20061, 80), "a and back"),
    Row(
        "NAT of IPv4 in a table of both",
        (
            "r: nft add table inet t3",
            "r: nft add chain inet t3 c4 { type nat hook prerouting priority dstnat; }",
            "r: nft add rule inet t3 c4 dnat ip to 10.2.0.2 fully-random",
        ),
        Probe("a", "fd00:1::2", "fd00:2::2", UDP, 20005, 5000),
        "b and back",
    ),
    Row(
        "the MAC in postrouting",
        (
            "r: nft add table inet t1",
            "r: nft add chain inet t1 c2 { type filter hook postrouting priority mangle; policy drop; }",
            "r: nft add rule inet t1 c2 iifname r0 ether saddr 02:00:00:00:01:02 accept",
        ),
        Probe("a", "fd00:1::2", "fd00:2::2", UDP, 20056, 5000),
        "b",
    ),
    Row(
        "a set that the packet fills",
        (
            "r: nft add table inet t1",
            "r: nft add chain inet t1 c2 { type filter hook prerouting priority mangle - 5; }",
            "r: nft add set inet t1 s3 { typeof ip saddr; size 65535; flags dynamic; }",
            "r: nft add rule inet t1 c2 update @s3 { ip saddr }",
            "r: nft add rule inet t1 c2 ip saddr @s3 drop",
        ),
        Probe("a", "10.1.0.2", "10.1.0.1", TCP, 20076, 80),
        "lost",
    ),
    Row(
        "a table that sleeps",
        (
            "b: nft add table inet t4 { flags dormant; }",
            "b: nft add chain inet t4 c3 { type filter hook input priority mangle - 5; }",
            "b: nft add rule inet t4 c3 ip saddr 10.1.0.2 drop",
        ),
        Probe("a", "10.1.0.2", "10.2.0.2", ICMP, 20110, 0),
        "b and back",
    ),
    Row(
        "egress",
        (
            "a: nft add table netdev t3",
            'a: nft add chain netdev t3 c4 { type filter hook egress devices = { "a0", "lo" } priority -5; }',
            "a: nft add rule netdev t3 c4 drop",
        ),
        Probe("a", "10.1.0.2", "10.2.0.2", TCP, 20068, 80),
        "lost",
    ),
    Row(
        "ingress of inet",
        (
            "d: nft add table inet t3",
            'd: nft add chain inet t3 c4 { type filter hook ingress device "d0" priority filter; }',
            "d: nft add rule inet t3 c4 drop",
        ),
        Probe("c", "fd00:5::2", "fd00:5::3", TCP, 20060, 80),
        "lost",
    ),
    Row(
        "an extension header, and IPv4",
        (
            "a: nft add table inet t6",
            "a: nft add chain inet t6 c7 { type filter hook prerouting priority dstnat; }",
            "a: nft add rule inet t6 c7 exthdr rt missing drop",
        ),
        Probe("a", "10.3.0.2", "10.2.0.2", UDP, 20481, 53),
        "b and back",
    ),
    Row(
        "a header that is not there",
        ("c: ip6tables-nft -t filter -A INPUT -m hbh -j DROP",),
        Probe("s", "fd00:5::1", "fd00:5::2", TCP, 20032, 53),
        "c and back",
    ),
    Row(
        "a header that is not there, legacy",
        ("r: ip6tables-legacy -t mangle -A POSTROUTING -m dst -j DROP",),
        Probe("r", "fd00:2::1", "fd00:2::2", TCP, 20488, 80),
        "b and back",
    ),
    Row(
        "a mark of a hash",
        (
            "b: iptables-legacy -t mangle -A PREROUTING -j HMARK --hmark-tuple src,dst --hmark-mod 1 --hmark-offset 7 --hmark-rnd 0xcafe",
            "b: iptables-legacy -t mangle -A PREROUTING -m mark --mark 0x7 -j DROP",
        ),
        Probe("r", "10.2.0.1", "10.2.0.2", ICMP, 20060, 0),
        "lost",
    ),
    Row(
        "NETMAP",
        ("r: iptables-legacy -t nat -A POSTROUTING -j NETMAP --to 10.2.0.0/24",),
        Probe("a", "10.1.0.2", "10.2.0.2", ICMP, 20496, 0),
        "lost",
    ),
    Row(
        "a nat chain where nothing is tracked",
        (
            "a: nft add table inet t1",
            "a: nft add chain inet t1 c2 { type nat hook output priority -100; policy drop; }",
            "a: nft add rule inet t1 c2 meta l4proto udp dnat ip to 10.2.0.2:53-80",
        ),
        Probe("a", "fd00:1::2", "fd00:2::2", ICMPV6, 20501, 0),
        "b and back",
    ),
    Row(
        "a route that is not there yet",
        (
            "r: nft add table ip t3",
            "r: nft add chain ip t3 c4 { type filter hook prerouting priority 0; }",
            "r: nft add rule ip t3 c4 rt ipsec missing drop",
        ),
        Probe("a", "10.1.0.2", "10.1.0.1", ICMP, 20498, 0),
        "r and back",
    ),
    Row(
        "a map of what is tracked",
        (
            "b: nft add table ip t3",
            "b: nft add chain ip t3 c6 { type filter hook input priority -1; }",
            "b: nft add chain ip t3 c7",
            "b: nft add rule ip t3 c7 drop",
            "b: nft add map ip t3 m8 { typeof ct l3proto . ip version : verdict; }",
            "b: nft add element ip t3 m8 { ipv4 . 4 : jump c7 }",
            "b: nft add rule ip t3 c6 ct l3proto . ip version vmap @m8",
        ),
        Probe("a", "10.1.0.2", "10.4.0.2", UDP, 20062, 5000),
        "lost",
        untold=True,
    ),
    Row(
        "the reverse path of what came back by lo",
        (
            "a: nft add table inet t3",
            "a: nft add chain inet t3 c4 { type filter hook input priority 0; }",
            "a: nft add rule inet t3 c4 fib saddr . iif oif exists drop",
        ),
        Probe("a", "10.1.0.2", "10.1.0.2", ICMP, 21880, 0),
        "lost",
        untold=True,
    ),
    Row(
        "the loopback's address leaves",
        ("a: ip6tables-nft -t nat -A OUTPUT -j DNAT --to-destination fd00:2::2",),
        Probe("a", "::1", "::1", ICMPV6, 21128, 0),
        "lost",
    ),
    Row(
        "the owner of a SYN-ACK",
        ("s: iptables-nft -t security -A OUTPUT -m owner --gid-owner 0 -j DROP",),
        Probe("c", "10.5.0.2", "10.5.0.1", TCP, 21149, 443),
        "s",
    ),
)
