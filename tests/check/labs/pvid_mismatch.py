"""Two bridges that filter, and a wire between them."""

from check_lab import Labs, Variant

BASE = """\
r ip link add br0 type bridge forward_delay 0 vlan_filtering 1 vlan_default_pvid 0
s ip link add br1 type bridge forward_delay 0 vlan_filtering 1 vlan_default_pvid 0
r ip link add left type veth peer name right netns s
r ip link set left master br0
s ip link set right master br1
r ip link set br0 up
r ip link set left up
s ip link set br1 up
s ip link set right up
r bridge vlan add dev left vid 10 pvid untagged
"""

LABS = Labs(
    "pvid-mismatch",
    BASE,
    (
        Variant("another PVID", "s bridge vlan add dev right vid 20 pvid untagged", "pvid-mismatch.leaks"),
        Variant("the same PVID", "s bridge vlan add dev right vid 10 pvid untagged"),
        Variant("no PVID at the other end", "s bridge vlan add dev right vid 10"),
        Variant(
            "tagged both ways",
            "r bridge vlan add dev left vid 10\ns bridge vlan add dev right vid 20 pvid untagged\ns bridge vlan add dev right vid 10",
            "",
        ),
        Variant(
            "the other bridge does not filter",
            "s bridge vlan add dev right vid 20 pvid untagged\ns ip link set br1 type bridge vlan_filtering 0",
        ),
    ),
    vm=True,
)  # fmt: skip
