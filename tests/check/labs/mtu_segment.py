"""Two namespaces on a bridge, and the MTUs of all on the way."""

from check_lab import Labs, Variant

BASE = """\
r ip link add br0 type bridge forward_delay 0
r ip link add pa type veth peer name a0 netns a
r ip link add pb type veth peer name b0 netns b
r ip link set pa master br0 up
r ip link set pb master br0 up
r ip link set br0 up
a ip address add 10.0.0.1/24 dev a0
b ip address add 10.0.0.2/24 dev b0
a ip link set a0 up
b ip link set b0 up
"""

LABS = Labs(
    "mtu-segment",
    BASE,
    (
        Variant("a port is smaller than all", "r ip link set pa mtu 1400", "mtu-segment.port", "pa"),
        Variant("an endpoint is smaller", "r ip link set pa mtu 1400\na ip link set a0 mtu 1400", "mtu-segment.endpoint", "a0", mends=False),
        Variant("all are alike", "r ip link set pa mtu 1400\nr ip link set pb mtu 1400\na ip link set a0 mtu 1400\nb ip link set b0 mtu 1400"),
        Variant("the ports pass more", "r ip link set pa mtu 9000\nr ip link set pb mtu 9000"),
        Variant("the bridge is smaller", "r ip link set br0 mtu 1400"),
        Variant("the smaller one has no address", "a ip address flush dev a0\nr ip link set pa mtu 1400\na ip link set a0 mtu 1400\nr ip link set pa nomaster"),
    ),
)  # fmt: skip
