"""Two namespaces on a bridge, and their addresses."""

from check_lab import Labs, Variant

BASE = """\
r ip link add br0 type bridge forward_delay 0
r ip link add pa type veth peer name a0 netns a
r ip link add pb type veth peer name b0 netns b
r ip link set pa master br0 up
r ip link set pb master br0 up
r ip link set br0 up
a ip link set lo up
b ip link set lo up
a ip link set a0 up
b ip link set b0 up
a ip address add 10.0.0.1/24 dev a0
a ip -6 address add 2001:db8::1/64 dev a0 nodad
"""
SAME = "b ip address add 10.0.0.1/24 dev b0\n"

LABS = Labs(
    "duplicate-ip",
    BASE,
    (
        Variant("both have it", SAME, "duplicate-ip.twice", mends=False),
        Variant("both have it, of IPv6", "b ip -6 address add 2001:db8::1/64 dev b0 nodad", "duplicate-ip.twice"),
        Variant("each has its own", "b ip address add 10.0.0.2/24 dev b0"),
        Variant("on two bridges", SAME + "r ip link set pb nomaster"),
        Variant("one of them is down", SAME + "b ip link set b0 down"),
        Variant("one of them asks nobody and answers nobody", SAME + "b ip link set b0 arp off"),
        Variant("on loopback links, as anycast", "a ip address add 192.0.2.1/32 dev lo\nb ip address add 192.0.2.1/32 dev lo"),
        Variant("Calico's gateway", "a ip address add 169.254.1.1/32 dev a0\nb ip address add 169.254.1.1/32 dev b0"),
        Variant("link-local", "a ip -6 address add fe80::1/64 dev a0 nodad\nb ip -6 address add fe80::1/64 dev b0 nodad"),
    ),
)  # fmt: skip
