"""Circles of bridges. Nobody sends anything: with a single frame it would be a storm, so IPv6 is off where the links are made."""

from check_lab import Labs, Variant

BASE = """\
r echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6
r ip link add br0 type bridge forward_delay 0 mcast_snooping 0
r ip link add br1 type bridge forward_delay 0 mcast_snooping 0
r ip link add p0 type veth peer name p1
r ip link add q0 type veth peer name q1
r ip link set br0 up
r ip link set br1 up
r ip link set p0 master br0 up
r ip link set p1 up
r ip link set q0 up
r ip link set q1 up
"""
TWO = "r ip link set p1 master br1\nr ip link set q0 master br0\nr ip link set q1 master br1\n"
FILTER = (
    TWO
    + """\
r ip link set br0 type bridge vlan_filtering 1
r bridge vlan add dev q0 vid 20 pvid untagged
r bridge vlan del dev q0 vid 1
"""
)

LABS = Labs(
    "bridge-loop",
    BASE,
    (
        Variant("both ends of a wire in one bridge", "r ip link set p1 master br0", "bridge-loop.round"),
        Variant("two wires between two bridges", TWO, "bridge-loop.round", "q0"),
        Variant("one of them is down", TWO + "r ip link set q1 down"),
        Variant("one of them is isolated", TWO + "r bridge link set dev p0 isolated on\nr bridge link set dev q0 isolated on"),
        Variant("one wire between two bridges", "r ip link set p1 master br1"),
        Variant("one of the bridges has STP", "r ip link set br1 type bridge stp_state 1 forward_delay 200\n" + TWO),
        Variant("two VLANs", FILTER, vm=True),
    ),
)  # fmt: skip
