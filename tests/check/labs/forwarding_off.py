"""A host with a default route, and the router that it leads to."""

from check_lab import Labs, Variant

BASE = """\
r ip link add ra type veth peer name a0 netns a
r ip address add 10.0.0.1/24 dev ra
r ip -6 address add 2001:db8::1/64 dev ra nodad
r ip link set ra up
r sysctl -qw net.ipv4.ip_forward=0
r sysctl -qw net.ipv6.conf.all.forwarding=0
r ip link add rb type veth peer name b0 netns b
r ip link set rb up
b ip link set b0 up
a ip address add 10.0.0.2/24 dev a0
a ip -6 address add 2001:db8::2/64 dev a0 nodad
a ip link set a0 up
"""
ROUTE = "a ip route add default via 10.0.0.1\n"
ROUTE6 = "a ip -6 route add default via 2001:db8::1\n"

LABS = Labs(
    "forwarding-off",
    BASE,
    (
        Variant("IPv4", ROUTE, "forwarding-off.gateway", "ra"),
        Variant("IPv6", ROUTE6, "forwarding-off.gateway", "ra"),
        Variant("on for all, off for that link", ROUTE + "r sysctl -qw net.ipv4.ip_forward=1\nr sysctl -qw net.ipv4.conf.ra.forwarding=0", "forwarding-off.gateway", "ra", mends=False),
        Variant("it forwards", ROUTE + ROUTE6 + "r sysctl -qw net.ipv4.ip_forward=1\nr sysctl -qw net.ipv6.conf.all.forwarding=1"),
        Variant("there is nowhere to forward to", ROUTE + "r ip link set rb down\nr ip link set lo up\nr ip address add 192.0.2.1/32 dev lo"),
        Variant("it is nobody's gateway", ""),
        Variant("the gateway is somebody else", "a ip route add default via 10.0.0.9"),
    ),
)  # fmt: skip
