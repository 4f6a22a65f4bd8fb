"""Two namespaces on a bridge: MTUs of the two ends of a wire."""

from check_lab import Labs, Variant

BASE = """\
r ip link add br0 type bridge forward_delay 0
r ip link add pa type veth peer name a0 netns a
r ip link set br0 up
r ip link set pa up
a ip link set a0 up
"""

LABS = Labs(
    "mtu-wire",
    BASE,
    (
        Variant("the port is smaller", "r ip link set pa master br0 mtu 1400", "mtu-wire.l2", "pa"),
        Variant("the endpoint is smaller", "r ip link set pa master br0\na ip link set a0 mtu 1400", "mtu-wire.l2", "a0"),
        Variant("no end is a port", "r ip link set pa mtu 1400", "mtu-wire.routed", "pa"),
        Variant("both ends are smaller", "r ip link set pa master br0 mtu 1400\na ip link set a0 mtu 1400"),
        Variant("the smaller end is down", "r ip link set pa master br0 mtu 1400\nr ip link set pa down"),
    ),
)  # fmt: skip
