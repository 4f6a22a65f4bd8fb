"""Two namespaces on a bridge that have one address of IPv6, with duplicate address detection."""

from check_lab import Labs, Variant

BASE = """\
r ip link add br0 type bridge forward_delay 0 mcast_snooping 0
r ip link add pa type veth peer name a0 netns a
r ip link add pb type veth peer name b0 netns b
r ip link set pa master br0 up
r ip link set pb master br0 up
r ip link set br0 up
a ip link set a0 up
b ip link set b0 up
a ip address add 2001:db8::1/64 dev a0 nodad
a for i in $(seq 500); do ip link show a0 | grep -q 'state UP' && break; sleep 0.02; done
b for i in $(seq 500); do ip link show b0 | grep -q 'state UP' && break; sleep 0.02; done
"""
DONE = "b for i in $(seq 500); do ! ip -6 address show dev b0 tentative | grep -q 'scope global tentative' && break; sleep 0.02; done\n"

LABS = Labs(
    "dad-failed",
    BASE,
    (
        Variant(
            "both have it",
            "b ip address add 2001:db8::1/64 dev b0\nb for i in $(seq 500); do ip -6 address show dev b0 | grep -q dadfailed && break; sleep 0.02; done",
            "dad-failed.duplicate",
            "b0",
        ),
        Variant(
            "detection has just begun",
            "b echo 100 > /proc/sys/net/ipv6/conf/b0/dad_transmits\nb ip address add 2001:db8::2/64 dev b0",
            "dad-failed.tentative",
            "b0",
        ),
        Variant("each has its own", "b ip address add 2001:db8::2/64 dev b0\n" + DONE),
        Variant("without detection", "b ip address add 2001:db8::2/64 dev b0 nodad"),
    ),
    dad=True,
)  # fmt: skip
