"""A bridge with a port, and who has the address."""

from check_lab import Labs, Variant

BASE = """\
r ip link add br0 type bridge forward_delay 0
r ip link add pa type veth peer name a0 netns a
r ip link set pa master br0
r ip link set br0 up
r ip link set pa up
a ip link set a0 up
"""

LABS = Labs(
    "ip-on-port",
    BASE,
    (
        Variant("the port has it", "r ip address add 10.0.0.1/24 dev pa", "ip-on-port.addressed", "pa"),
        Variant("IPv6", "r ip address add fd00::1/64 dev pa", "ip-on-port.addressed", "pa"),
        Variant("the bridge has it", "r ip address add 10.0.0.1/24 dev br0"),
        Variant("a VLAN link over the port has it", "r ip link add link pa name pa.5 type vlan id 5\nr ip address add 10.0.0.1/24 dev pa.5", vm=True),
        Variant("a port of a bond", "r ip link set pa nomaster down\nr ip link add bond0 type bond\nr ip link set pa master bond0\nr ip address add 10.0.0.1/24 dev pa", vm=True),
        Variant("link-local", "r ip address add fe80::1/64 dev pa"),
    ),
)  # fmt: skip
