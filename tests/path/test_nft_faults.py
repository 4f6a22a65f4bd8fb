"""What nft's rules make of packets: one small ruleset for each way in which it was told wrongly once, and its siblings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from filter_faults import (
    B6,
    PING,
    PING6,
    TCP,
    TCP80,
    TCP80_6,
    UDP,
    UDP53,
    UDP53_6,
    A,
    B,
    Case,
    Flow,
    Router,
    chain,
)

if TYPE_CHECKING:
    from nswire.lab.lab import Lab

NO_WAY, WAY = "b ip route del default", "b ip route add default via 10.0.2.1"
"""So that b answers the router alone: only who is translated gets an answer."""
TO_B = "table ip n { chain s { type nat hook postrouting priority 100; oifname rb masquerade; }; }\n"
TRACK = "\ntable ip k { chain k { type filter hook input priority 300; ct state established counter; }; }\n"
MAC_A, MAC_B = "02:00:00:00:01:02", "02:00:00:00:02:02"

CASES: dict[str, list[Case]] = {
    "2 the frame's header is there in prerouting, input, forward": [
        Case(chain(f"ether saddr {MAC_A} drop"), "lost"),
        Case(chain(f"ether saddr != {MAC_A} drop"), "arrives"),
        Case(chain("ether daddr 02:00:00:00:01:01 accept; drop", "prerouting"), "arrives"),
        Case(chain(f"ether saddr {MAC_A} drop", "input"), "lost", Flow("10.0.1.1"), at="r"),
        Case(chain(f"ether saddr {MAC_A} drop", "postrouting"), "lost"),
        Case(chain("ether saddr != 00:00:00:00:00:09 drop", "output"), "answered", where="a"),
        Case(chain("ether saddr != 00:00:00:00:00:09 drop", "postrouting"), "answered", where="a"),
        Case(chain("ether type ip drop"), "lost"),
        Case(chain("ether saddr 00:00:00:00:00:00 drop", "input"), "answered", Flow("127.0.0.1"), where="a", at="a"),
    ],
    "3 what ends a rule decides": [
        Case(chain("ip dscp vmap { cs0 : drop, * : accept }"), "lost"),
        Case(chain("ip dscp vmap { cs1 : accept, * : drop }"), "lost"),
        Case(chain("meta l4proto udp @th,16,16 vmap { 53 : drop }"), "lost"),
        Case(chain("ct original ip saddr vmap { 10.0.1.2 : drop }"), "lost"),
        Case(chain("ip saddr . udp dport vmap { 10.0.1.9 . 53 : accept, * : drop }"), "lost"),
        Case(chain("ip saddr . udp dport vmap { 10.0.1.2 . 50-60 : drop }"), "lost"),
        Case(chain("tcp option timestamp tsval set 1", "prerouting", "-150"), "?", TCP80),
        Case(chain("ip daddr set 10.0.2.2", "prerouting", "-150"), "arrives", Flow("10.0.9.9", "", UDP, 0, 53)),
        Case(chain("udp dport 53 redirect to :udp dport map { 53 : 5353 }", "prerouting", "-100", "nat"), "refused", Flow("10.0.1.1", "", UDP, 0, 53), at="r"),
        Case(chain("dnat ip prefix to ip daddr map { 10.0.9.0/24 : 10.0.2.0/24 }", "prerouting", "-100", "nat"), "answered", Flow("10.0.9.2", "", UDP, 0, 53)),
        Case("table ip t { map m { type ipv4_addr . inet_service : ipv4_addr . inet_service; elements = { 10.0.9.9 . 53 : 10.0.2.2 . 53 }; }; chain c { type nat hook prerouting priority -100; dnat ip to ip daddr . udp dport map @m; }; }", "answered", Flow("10.0.9.9", "", UDP, 0, 53)),
        Case(chain("udp dport 53 jump { ip saddr 10.0.1.2 drop; accept; }"), "lost"),
        Case(chain("udp dport 53 jump { ip saddr 10.0.1.9 accept; }; drop"), "lost"),
        Case(chain("udp dport 53 goto { ip saddr 10.0.1.9 drop; }; drop"), "arrives"),
    ],
    "5 untracked belongs to the packet": [
        Case(TO_B + chain("iifname ra notrack", "prerouting", "-300"), "arrives", also=NO_WAY, undo=WAY),
        Case(chain("notrack", "prerouting", "-300") + "table ip f { chain f { type filter hook forward priority 0; policy drop; ct state new accept; }; }", "lost"),
        Case(chain("notrack", "prerouting", "-300") + "table ip f { chain f { type filter hook forward priority 0; policy drop; ct state untracked accept; }; }", "answered"),
        Case(chain("notrack", "prerouting", "-300") + "table ip f { chain f { type filter hook forward priority 0; ct mark 0 drop; ct mark != 5 drop; ct direction original drop; ct status != dnat drop; }; }", "answered"),
        Case(chain("notrack", "prerouting", "-300") + "table ip f { chain f { type nat hook postrouting priority 100; policy drop; }; }" + TRACK, "answered"),
        Case(chain("udp sport 53 notrack", "prerouting", "-300") + TO_B, "arrives", also=NO_WAY, undo=WAY),
    ],
    "6 before connections are tracked": [
        Case(chain("ct state new drop", "prerouting", "-300"), "answered"),
        Case(chain("ct state invalid drop", "prerouting", "-300"), "lost"),
        Case(chain("ct mark 0 drop; ct mark != 5 drop; ct direction original drop; ct status snat drop", "prerouting", "-300"), "answered"),
        Case(chain("ct state new drop", "prerouting", "-150"), "lost"),
        Case(chain("ct state invalid drop", "output", "-300"), "lost", where="a"),
        Case(chain("ct state new drop", "output", "-199"), "lost", where="a"),
    ],
    "7 chains at ingress and egress": [
        Case('table netdev t { chain c { type filter hook ingress device "ra" priority 0; ip daddr 10.0.2.2 drop; }; }', "lost"),
        Case('table netdev t { chain c { type filter hook ingress device "rb" priority 0; ip daddr 10.0.2.2 drop; }; }', "answered"),
        Case('table netdev t { chain c { type filter hook ingress devices = { "rb", "ra" } priority 0; ip daddr 10.0.2.2 drop; }; }', "lost"),
        Case('table inet t { chain c { type filter hook ingress device "ra" priority 0; ip daddr 10.0.2.2 drop; }; }', "lost"),
        Case('table netdev t { chain c { type filter hook egress device "ea" priority 0; ip daddr 10.0.2.2 drop; }; }', "lost", where="a"),
        Case('table netdev t { chain c { type filter hook ingress device "ra" priority 0; ip ttl set 1; }; }', "lost"),
        Case('table netdev t { chain c { type filter hook ingress device "ra" priority 0; meta mark set 7; }; }\n' + chain("mark 7 drop"), "lost"),
    ],
    "8 a dormant table": [
        Case("table ip t { flags dormant; chain f { type filter hook forward priority 0; drop; }; }", "answered"),
        Case("table ip t { chain f { type filter hook forward priority 0; drop; }; }\ntable ip u { flags dormant; }", "lost"),
        Case("table ip dormant { chain f { type filter hook forward priority 0; drop; }; }", "lost"),
        Case("table ip t { flags dormant; chain f { type filter hook forward priority 0; ct state new drop; }; }\ntable ip u { chain c { type nat hook prerouting priority -100; policy drop; }; }", "lost"),
    ],
    "9 the newest chain of a priority is first": [
        Case("table ip t { chain a { type filter hook forward priority 0; mark 1 drop; }; chain b { type filter hook forward priority 0; meta mark set 1; }; }", "lost"),
        Case("table ip t { chain a { type filter hook forward priority 0; meta mark set 1; }; chain b { type filter hook forward priority 0; mark 1 drop; }; }", "answered"),
        Case("table ip t { chain a { type filter hook forward priority 0; mark 1 drop; }; }\ntable inet u { chain b { type filter hook forward priority 0; meta mark set 1; }; }", "lost"),
    ],
    "10 NAT needs connections that are tracked": [
        Case("table ip t { chain c { type nat hook prerouting priority -100; policy drop; }; }", "answered"),
        Case("table ip t { chain c { type nat hook prerouting priority -100; policy drop; }; }\n" + TRACK, "lost"),
        Case("table ip t { chain c { type nat hook prerouting priority -100; drop; }; }\ntable ip6 k { chain k { type filter hook input priority 300; ct state established counter; }; }\n", "answered"),
        Case("table ip t { chain c { type nat hook prerouting priority -100; drop; }; }\ntable inet k { chain k { ct state established counter; }; }\n", "lost"),
        Case("table ip t { chain c { type nat hook prerouting priority -100; drop; }; chain m { type nat hook postrouting priority 100; ip daddr 10.9.9.9 masquerade; }; }\n", "lost"),
    ],
    "10 dnat ip in inet tracks IPv4 alone": [
        Case("table inet t { chain c { type nat hook output priority -100; policy drop; meta l4proto udp dnat ip to 10.2.0.2:53-80; }; }", "answered", PING6, where="a"),
        Case("table inet t { chain c { type nat hook output priority -100; policy drop; meta l4proto tcp dnat ip to 10.2.0.2:53-80; }; }", "lost", where="a"),
    ],
    "11 only chains of type route look the way up again": [
        Case(chain("meta mark set 7", "output", "-150"), "answered", where="a", also="a ip rule add fwmark 7 prohibit", undo="a ip rule del fwmark 7 prohibit"),
        Case(chain("meta mark set 7", "output", "-150", "route"), "lost", where="a", also="a ip rule add fwmark 7 prohibit", undo="a ip rule del fwmark 7 prohibit"),
        Case(chain("meta mark set 7", "prerouting", "-150"), "lost", also="r ip rule add fwmark 7 prohibit", undo="r ip rule del fwmark 7 prohibit"),
    ],
    "12 ranges of ports": [
        Case("table ip n { chain c { type nat hook prerouting priority -100; udp dport 9000 dnat to 10.0.2.2:53-55; }; }\n" + chain("udp dport 50-60 drop"), "lost", Flow("10.0.9.9", "", UDP, 0, 9000)),
        Case("table ip n { chain c { type nat hook postrouting priority 100; ip protocol udp snat to 10.0.2.1:500-600; }; }\ntable ip f { chain f { type filter hook postrouting priority 200; udp sport 500-600 drop; }; }", "lost"),
        Case("table ip n { chain c { type nat hook postrouting priority 100; ip protocol udp masquerade to :500-600; }; }\ntable ip f { chain f { type filter hook postrouting priority 200; udp sport > 1023 drop; }; }", "answered"),
        Case("table ip n { chain c { type nat hook prerouting priority -100; udp dport 53 redirect to :1-9; }; }\ntable ip f { chain f { type filter hook input priority 0; udp dport < 1024 drop; }; }", "lost", Flow("10.0.1.1", "", UDP, 0, 53)),
    ],
    "12 ports by chance": [
        Case(chain("udp sport 5000 masquerade random", "postrouting", "100", "nat") + "table ip f { chain f { type filter hook postrouting priority 200; udp sport 5000 drop; }; }", "?", Flow(B, "", UDP, 5000, 53)),
        Case(chain("masquerade fully-random", "postrouting", "100", "nat") + "table ip f { chain f { type filter hook postrouting priority 200; udp sport < 1024 drop; }; }", "arrives", Flow(B, "", UDP, 5000, 53)),
    ],
    "13 NAT of one family": [
        Case("table inet n { chain c { type nat hook prerouting priority -100; dnat ip6 to fd00:2::2; }; }", "answered"),
        Case("table inet n { chain c { type nat hook prerouting priority -100; dnat ip to 10.0.2.9; }; }", "answered", PING6),
        Case("table inet n { chain c { type nat hook prerouting priority -100; dnat ip6 to fd00:2::2; }; }", "answered", Flow("fd00:9::9", "", UDP, 0, 53)),
    ],
    "14 a header that the packet has not": [
        Case(chain("ip protocol != tcp drop", family="inet"), "answered", UDP53_6),
        Case(chain("ip6 nexthdr != tcp drop", family="inet"), "answered"),
        Case(chain("ip6 nexthdr != tcp drop", family="inet"), "lost", UDP53_6),
        Case(chain("ip ttl != 200 drop", family="inet"), "answered", PING6),
        Case(chain("tcp dport != 80 drop"), "answered"),
    ],
    "15 what a rule sets of the packet": [
        Case(chain("ip ttl set 1", "prerouting", "-150"), "lost"),
        Case(chain("ip ttl set 2", "prerouting", "-150"), "answered"),
        Case(chain("ip ttl set 1", "postrouting", "-150"), "answered", where="r", flow=PING),
        Case(chain("ip6 hoplimit set 1", "prerouting", "-150", family="ip6"), "lost", PING6),
        Case(chain("meta pkttype set other", "prerouting", "-150"), "lost"),
        Case(chain("ip dscp set cs1", "prerouting", "-150") + "table ip f { chain f { type filter hook forward priority 0; ip dscp cs1 drop; }; }", "lost"),
        Case(chain("ip dscp set 4", "prerouting", "-150"), "lost", also="r ip rule add tos 0x10 prohibit", undo="r ip rule del tos 0x10 prohibit"),
        Case(chain("ip dscp set 4", "output", "-150", "route"), "lost", where="a", also="a ip rule add tos 0x10 prohibit", undo="a ip rule del tos 0x10 prohibit"),
        Case(chain("ip dscp set 4", "output", "-150"), "answered", where="a", also="a ip rule add tos 0x10 prohibit", undo="a ip rule del tos 0x10 prohibit"),
        Case(chain("meta mark set 5", "prerouting", "-150") + "table ip f { chain f { type filter hook postrouting priority 0; mark 5 drop; }; }", "lost"),
    ],
    "16 arithmetic of marks": [
        Case("table ip m { chain m { type filter hook prerouting priority -150; meta mark set 0xff0; meta mark set meta mark & 0xf00 | 0x1f; }; }\n" + chain("mark 0xf1f drop"), "lost"),
        Case("table ip m { chain m { type filter hook prerouting priority -150; meta mark set 1; meta mark set meta mark << 4; }; }\n" + chain("mark 0x10 drop"), "lost"),
        Case("table ip m { chain m { type filter hook prerouting priority -150; meta mark set udp dport map { 53 : 7, 54 : 8 }; }; }\n" + chain("mark 7 drop"), "lost"),
        Case("table ip m { chain m { type filter hook prerouting priority -150; meta mark set udp dport map { 54 : 7 } drop; }; }\n", "answered"),
        Case("table ip m { chain m { type filter hook prerouting priority -150; meta mark set 0x12; ct mark set meta mark & 0xf0; meta mark set ct mark or 0x1; }; }\n" + chain("mark 0x11 ct mark 0x10 drop"), "lost"),
        Case("table ip m { chain m { type filter hook prerouting priority -150; meta mark set 0x4000002; }; }\n" + chain("meta mark & 0xffff0000 != 0x4000000 drop"), "answered"),
        Case("table ip m { chain m { type filter hook prerouting priority -150; meta mark set 0x14000002; }; }\n" + chain("meta mark & 0xffff0000 != 0x4000000 drop"), "lost"),
        Case("table ip m { chain m { type filter hook prerouting priority -150; ct mark set 0x5; }; }\n" + chain("ct direction reply ct mark 5 drop"), "arrives"),
    ],
    "17 rows that only may hold": [
        Case(chain("udp sport vmap { 1024-61000 : drop, * : accept }"), "lost"),
        Case(chain("udp sport vmap { 40000-50000 : drop, * : accept }"), "?"),
        Case(chain("udp sport vmap { 1-1000 : drop, * : accept }"), "arrives"),
        Case(chain("numgen random mod 2 vmap { 0 : drop, 1 : drop }"), "lost"),
        Case(chain("numgen random mod 2 vmap { 0 : drop, 1 : accept }"), "?"),
        Case("table ip t { chain c { type nat hook prerouting priority -100; dnat to numgen inc mod 2 map { 0 : 10.0.2.2, 1 : 10.0.2.2 }; }; }", "answered", Flow("10.0.9.9", "", UDP, 0, 53)),
    ],
    "18 zones": [
        Case("table ip z { chain z { type filter hook prerouting priority -300; iifname ra ct zone set 5; }; }\n" + TO_B, "arrives", also=NO_WAY, undo=WAY),
        Case("table ip z { chain z { type filter hook prerouting priority -300; ct zone set 5; }; }\n" + TO_B, "answered", also=NO_WAY, undo=WAY),
        Case("table ip z { chain z { type filter hook prerouting priority -300; iifname ra ct original zone set 5; }; }\n" + TO_B, "answered", also=NO_WAY, undo=WAY),
        Case("table ip z { chain z { type filter hook prerouting priority -300; ct zone set 5; }; }\n" + chain("ct zone 5 drop"), "lost"),
    ],
    "23 sets that are filled on the way": [
        Case("table ip t { set s { type ipv4_addr; flags dynamic; size 9; }; chain c { type filter hook forward priority 0; add @s { ip saddr }; ip saddr @s drop; }; }", "lost"),
        Case("table ip t { set s { type ipv4_addr; flags dynamic; size 9; }; chain c { type filter hook forward priority 0; iifname rb ip saddr @s accept; iifname rb drop; add @s { ip daddr }; }; }", "answered"),
        Case("table ip t { set s { type ipv4_addr; flags dynamic; size 1; elements = { 10.9.9.9 }; }; chain c { type filter hook forward priority 0; add @s { ip saddr } drop; }; }", "answered"),
        Case("table ip t { set s { type ipv4_addr; flags dynamic; size 2; elements = { 10.9.9.9 }; }; chain c { type filter hook forward priority 0; add @s { ip saddr } drop; }; }", "lost"),
        Case("table ip t { set s { type ipv4_addr; size 2; flags dynamic,timeout; timeout 1h; }; chain c { type filter hook forward priority 0; update @s { ip saddr timeout 10s } drop; }; }", "lost"),
        Case("table ip t { set s { type ipv4_addr; size 2; flags dynamic; elements = { 10.0.1.2 }; }; chain c { type filter hook forward priority 0; delete @s { ip saddr }; ip saddr @s drop; }; }", "answered"),
        Case("table ip t { set s { type ipv4_addr . inet_service; flags dynamic; size 9; }; chain c { type filter hook forward priority 0; add @s { ip saddr . udp dport }; ip daddr . udp sport @s drop; }; }", "arrives"),
    ],
    "F7 the port that nobody gave": [
        Case(chain("udp sport 1024-30000 drop"), "answered"),
        Case(chain("udp sport 32768-60999 drop"), "lost"),
        Case(chain("udp dport 9697 drop"), "answered"),
        Case(chain("tcp sport < 1024 drop"), "arrives", TCP80),
        Case(chain("udp sport 30000-40000 drop"), "lost", also="a sysctl -qw net.ipv4.ip_local_port_range='31000 32000'", undo="a sysctl -qw net.ipv4.ip_local_port_range='32768 60999'"),
    ],
    "reverse path": [
        Case(chain("fib saddr . iif oif missing drop", "prerouting", "-150"), "answered"),
        Case(chain("fib saddr . iif oif exists drop", "prerouting", "-150"), "lost"),
        Case(chain("fib saddr . mark . iif oif missing drop", "prerouting", "-150"), "lost", also="r ip rule add to 10.0.1.2 lookup 77\nr ip route add 10.0.1.2 dev rb table 77", undo="r ip rule del to 10.0.1.2 lookup 77\nr ip route flush table 77"),
        Case(chain("fib saddr . mark . iif oif missing drop", "prerouting", "-150", family="ip6"), "answered", PING6),
        Case(chain("fib saddr . iif oif exists drop", "prerouting", "-150", family="ip6"), "lost", PING6),
        Case(chain("fib saddr . iif oif exists drop", "prerouting", "-150"), "lost", Flow("10.0.1.2"), where="a", at="a"),
        Case(chain("fib saddr oif != lo drop", "prerouting", "-150"), "answered", Flow("10.0.1.2"), where="a", at="a"),
        Case(chain("fib daddr . iif type local drop", "prerouting", "-150"), "lost", Flow("10.0.1.1"), at="r"),
        Case(chain("fib daddr . iif type local drop", "prerouting", "-150"), "answered", Flow("10.0.2.1"), at="r"),
        Case(chain("fib daddr type local drop", "prerouting", "-150"), "lost", Flow("10.0.2.1"), at="r"),
        Case(chain("fib daddr type != unicast drop", "prerouting", "-150"), "answered"),
        Case(chain('fib daddr oifname "rb" drop', "prerouting", "-150"), "lost"),
        Case(chain('fib saddr oifname "ra" drop', "prerouting", "-150"), "lost"),
    ],
    "keys of the packet and its links": [
        Case(chain("ip ttl 63 drop"), "lost"),
        Case(chain("ip ttl < 63 drop"), "answered"),
        Case(chain("ip6 hoplimit 63 drop", family="ip6"), "lost", PING6),
        Case(chain("ip dscp cs0 ip ecn not-ect drop"), "lost"),
        Case(chain("ip length > 1000 drop"), "?"),
        Case(chain("ip version 4 ip hdrlength 5 drop"), "lost"),
        Case(chain("ip frag-off & 0x1fff != 0 drop"), "answered"),
        Case(chain("exthdr frag exists drop; exthdr hbh exists drop; rt type 0 drop", family="ip6"), "answered", PING6),
        Case(chain("exthdr hbh missing drop", family="ip6"), "lost", PING6),
        Case(chain("ip option rr exists drop; ip option lsrr exists drop"), "answered"),
        Case(chain("tcp option maxseg exists drop"), "lost", TCP80),
        Case(chain("tcp option md5sig exists drop"), "answered", TCP80),
        Case(chain("iifgroup 0 oifgroup 0 drop"), "lost"),
        Case(chain("iifgroup 5 drop"), "lost", also="r ip link set ra group 5", undo="r ip link set ra group 0"),
        Case(chain("iif ra oif rb drop"), "lost"),
        Case(chain("meta iiftype ether meta oiftype ether drop"), "lost"),
        Case(chain("meta pkttype host drop"), "lost"),
        Case(chain("rt ip nexthop 10.0.2.2 drop"), "lost"),
        Case(chain("meta protocol ip meta l4proto udp meta nfproto ipv4 drop", family="inet"), "lost"),
        Case(chain("meta ipsec exists drop; rt ipsec exists drop"), "answered"),
        Case(chain("meta skuid 0 drop"), "answered", PING),
        Case(chain("meta skuid 0 drop", "output"), "answered", PING, where="b"),
        Case(chain("ct status snat drop; ct status dnat drop"), "answered"),
        Case("table ip t { quota q { over 10 mbytes }; chain c { type filter hook forward priority 0; quota name q drop; }; }", "answered"),
        Case("table ip t { quota q { 10 mbytes }; chain c { type filter hook forward priority 0; quota name q drop; }; }", "lost"),
        Case(chain("icmp type echo-request icmp code 0 drop"), "lost", PING),
        Case(chain("icmp type echo-reply drop"), "arrives", PING),
        Case(chain("meta l4proto icmp @th,0,8 8 drop"), "lost", PING),
        Case(chain("@nh,96,32 0x0a000102 drop"), "lost"),
        Case(chain("tcp flags & (syn|ack) == syn|ack drop"), "arrives", TCP80),
        Case(chain("ip saddr & 0.0.0.255 == 0.0.0.2 drop"), "lost"),
        Case(chain('meta hour "10:00"-"12:00" accept'), "answered"),
        Case(chain("limit rate 1/second accept"), "answered"),
    ],
    "headers that the packet cannot have": [
        Case(chain("exthdr rt missing drop; exthdr hbh missing drop", family="inet"), "answered"),
        Case(chain("tcp option maxseg missing drop"), "lost"),
        Case(chain("tcp option maxseg exists drop"), "answered"),
        Case(chain("meta random >= 0 drop"), "lost"),
    ],
    "limits, protocols and priorities": [
        Case(chain("counter limit rate 1/second drop"), "lost"),
        Case(chain("limit rate 1/second counter drop"), "lost"),
        Case(chain("limit rate 1/second drop"), "?"),
        Case(chain("counter limit rate over 1/second drop"), "answered"),
        Case(chain("dccp type request drop; igmp type membership-query drop"), "answered"),
        Case(chain("ip6 nexthdr ip drop", family="ip6"), "answered", PING6),
        Case(chain("meta priority 0:0 drop"), "lost"),
        Case(chain("meta priority != none drop"), "answered"),
        Case(chain("tcp option fastopen exists drop"), "answered", TCP80),
        Case(chain("ct status assured drop; ct status seen-reply drop"), "arrives"),
        Case(chain("rt ip nexthop != 10.0.2.2 drop", "input"), "answered", PING, where="b"),
        Case(chain('meta hour "00:00"-"23:59" drop'), "?"),
    ],
    "labels, quotas, headers": [
        Case(chain("ct label 5 drop"), "answered"),
        Case(chain("th sport 2048 drop"), "lost", PING),
        Case(chain("th sport 0-2047 drop"), "arrives", PING),
        Case(chain("ct label != 5 drop"), "lost"),
        Case(chain("icmp gateway 1 drop; icmp mtu 1400 drop"), "answered", PING),
        Case(chain("@ll,48,48 0x020000000102 drop"), "lost"),
        Case(chain("@ll,96,16 0x86dd drop"), "answered"),
        Case(chain("quota over 0 bytes drop"), "lost"),
        Case('table netdev t { chain c { type filter hook egress device "ea" priority 0; meta skuid 4711 drop; }; }', "?", where="a"),
        Case("table arp t { chain c { type filter hook output priority 0; ether type arp drop; }; }", "answered", where="b", also="a ip neigh flush all\nr ip neigh flush all\nb ip neigh flush all"),
        Case("table arp t { chain c { type filter hook output priority 0; meta protocol arp drop; }; }", "lost", where="b", also="r ip neigh flush all"),
        Case("table arp t { chain c { type filter hook input priority 0; ether type arp drop; }; }", "lost", where="b", also="r ip neigh flush all"),
        Case(chain("symhash mod 4 <= 3 drop"), "lost"),
        Case(chain("masquerade", "postrouting", "100", "nat", "ip6"), "answered", Flow("::1", "", UDP, 0, 53), where="a", at="a", also="a ip address add fd00:9::1/128 dev lo", undo="a ip address del fd00:9::1/128 dev lo"),
    ],
    "an opaque condition comes after the others": [
        Case(chain("udp dport 54 numgen random mod 2 0 drop"), "answered"),
        Case(chain("numgen random mod 2 0 udp dport 54 drop"), "answered"),
        Case(chain("numgen random mod 2 0 udp dport 53 drop"), "?"),
        Case(chain("numgen random mod 2 0 udp dport 54 drop; udp dport 53 drop"), "lost"),
    ],
    "jumps": [
        Case("table ip t { chain x { udp dport 53 return; drop; }; chain c { type filter hook forward priority 0; policy drop; jump x; accept; }; }", "arrives"),
        Case("table ip t { chain x { udp dport 54 accept; }; chain c { type filter hook forward priority 0; policy drop; goto x; accept; }; }", "lost"),
        Case("table ip t { chain x { }; chain c { type filter hook forward priority 0; goto x; drop; }; }", "answered"),
        Case("table ip t { chain c { type filter hook forward priority 0; policy drop; return; accept; }; }", "lost"),
    ],
    "answers that nobody asked for": [
        Case(chain("ct state invalid drop"), "answered"),
    ],
}  # fmt: skip


@pytest.mark.needs("ip", "nft", "sysctl")
@pytest.mark.parametrize("fault", CASES)
def test_what_was_told_wrongly_once(lab: Lab, fault: str) -> None:
    """Each packet goes as it is said to go."""
    found = Router(lab).wrong(CASES[fault])
    assert not found, "\n".join(found)


_ = (A, B, B6, TCP, TCP80_6, UDP53, MAC_B)
