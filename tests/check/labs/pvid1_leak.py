"""A bridge that filters, and ports that have a PVID of their own."""

from check_lab import Labs, Variant

BASE = """\
r ip link add br0 type bridge forward_delay 0 vlan_filtering 1
r ip link add pa type veth peer name a0 netns a
r ip link add pb type veth peer name b0 netns b
r ip link set pa master br0
r ip link set pb master br0
r bridge vlan add dev pa vid 10 pvid untagged
"""

LABS = Labs(
    "pvid1-leak",
    BASE,
    (
        Variant("both ports", "r bridge vlan add dev pb vid 20 pvid untagged", "pvid1-leak.member", "pa"),
        Variant("the other port has no other PVID", "", "pvid1-leak.member", "pa"),
        Variant("it was taken off", "r bridge vlan del dev pa vid 1"),
        Variant("nobody else is in it", "r bridge vlan del dev pb vid 1"),
    ),
    vm=True,
)
