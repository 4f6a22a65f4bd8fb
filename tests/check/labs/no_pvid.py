"""A bridge that filters, an endpoint, and the VLANs of its port."""

from check_lab import Labs, Variant

BASE = """\
r ip link add br0 type bridge forward_delay 0 vlan_filtering 1 vlan_default_pvid 0
r ip link add pa type veth peer name a0 netns a
r ip link set pa master br0
r ip link set br0 up
r ip link set pa up
r bridge vlan add dev pa vid 10
a ip link set a0 up
"""
ADDRESS = "a ip address add 10.0.0.1/24 dev a0\n"

LABS = Labs(
    "no-pvid",
    BASE,
    (
        Variant("tagged alone", ADDRESS, "no-pvid.drops", "pa"),
        Variant("several VLANs", ADDRESS + "r bridge vlan add dev pa vid 20", "no-pvid.drops", "pa"),
        Variant("it has one", ADDRESS + "r bridge vlan add dev pa vid 10 pvid untagged"),
        Variant(
            "the endpoint tags", "a ip link add link a0 name a0.10 up type vlan id 10\na ip address add 10.0.0.1/24 dev a0.10"
        ),
        Variant("the bridge does not filter", ADDRESS + "r ip link set br0 type bridge vlan_filtering 0"),
        Variant("the endpoint is down", ADDRESS + "a ip link set a0 down"),
    ),
    vm=True,
)  # fmt: skip
