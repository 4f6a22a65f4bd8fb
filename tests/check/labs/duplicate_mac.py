"""Two namespaces on a bridge, and their MACs."""

from check_lab import Labs, Variant

BASE = """\
r ip link add br0 type bridge forward_delay 0
r ip link add pa type veth peer name a0 netns a
r ip link add pb type veth peer name b0 netns b
r ip link set pa master br0 up
r ip link set pb master br0 up
r ip link set br0 up
a ip link set a0 address 02:00:00:00:00:0a
a ip link set a0 up
b ip link set b0 up
"""

LABS = Labs(
    "duplicate-mac",
    BASE,
    (
        Variant("two with one MAC", "b ip link set b0 address 02:00:00:00:00:0a", "duplicate-mac.twice"),
        Variant("each with its own", "b ip link set b0 address 02:00:00:00:00:0b"),
        Variant("on two bridges", "b ip link set b0 address 02:00:00:00:00:0a\nr ip link set pb nomaster"),
        Variant("VRRP", "a ip link set a0 address 00:00:5e:00:01:07\nb ip link set b0 address 00:00:5e:00:01:07"),
        Variant("one is down", "b ip link set b0 address 02:00:00:00:00:0a down"),
        Variant("a VLAN link over the same link", "a ip link add link a0 name a0.5 up type vlan id 5", vm=True),
    ),
)  # fmt: skip
