"""A bridge that filters, a port, and an uplink (a vxlan, since a private host has no NIC)."""

from check_lab import Labs, Variant

BASE = """\
r ip link add br0 type bridge forward_delay 0 vlan_filtering 1
r ip link add up0 type vxlan id 7 dstport 4789 remote 192.0.2.9
r ip link add pa type veth peer name a0 netns a
r ip link set up0 master br0
r ip link set pa master br0
r ip link set br0 up
r ip link set up0 up
r ip link set pa up
r bridge vlan add dev pa vid 20 pvid untagged
a ip link set a0 up
"""
MORE = """\
r ip link add pb type veth peer name b0 netns b
r ip link set pb master br0
r ip link set pb up
r bridge vlan add dev pb vid 20 pvid untagged
b ip link set b0 up
"""

LABS = Labs(
    "vlan-not-on-uplink",
    BASE,
    (
        Variant("one port has it", "", "vlan-not-on-uplink.alone", "pa"),
        Variant("two ports have it", MORE, "vlan-not-on-uplink.inside", "pa"),
        Variant("the uplink carries it", "r bridge vlan add dev up0 vid 20"),
        Variant("the uplink carries it in a range", "r bridge vlan add dev up0 vid 2-4094"),
        Variant(
            "a VLAN link over the bridge routes it",
            "r bridge vlan add dev br0 vid 20 self\nr ip link add link br0 name br0.20 type vlan id 20",
        ),
        Variant("there is no uplink", "r ip link set up0 nomaster"),
        Variant("a trunk of many", "r bridge vlan del dev pa vid 20\nr bridge vlan add dev pa vid 2-4094"),
    ),
    vm=True,
)  # fmt: skip
