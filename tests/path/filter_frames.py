"""Rules of ebtables, and what becomes of a datagram that is bridged from `a` to `c` (`filter_site`); in both variants the same."""

from __future__ import annotations

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
]
