"""Two hosts with a wire between them, and a tunnel over it."""

from check_lab import Labs, Variant

BASE = """\
a ip link add a0 type veth peer name b0 netns b
a ip address add 192.0.2.1/24 dev a0
a ip -6 address add 2001:db8::1/64 dev a0 nodad
a ip link set a0 up
b ip address add 192.0.2.2/24 dev b0
b ip link set b0 up
"""
VXLAN = "a ip link add v0 mtu {mtu} type vxlan id 7 dstport 4789 remote {remote}\na ip link set v0 up\n"

LABS = Labs(
    "mtu-overlay",
    BASE,
    (
        Variant("no room for VXLAN", VXLAN.format(mtu=1500, remote="192.0.2.2"), "mtu-overlay.split", "v0"),
        Variant("no room for VXLAN over IPv6", VXLAN.format(mtu=1450, remote="2001:db8::2"), "mtu-overlay.too_large", "v0"),
        Variant("room for VXLAN", VXLAN.format(mtu=1450, remote="192.0.2.2")),
        Variant("room for VXLAN over IPv6", VXLAN.format(mtu=1430, remote="2001:db8::2")),
        Variant("it is down", VXLAN.format(mtu=1500, remote="192.0.2.2") + "a ip link set v0 down"),
        Variant("a larger link below", "a ip link set a0 mtu 9000\nb ip link set b0 mtu 9000\n" + VXLAN.format(mtu=1500, remote="192.0.2.2")),
        Variant("it goes where it is told to", "a ip link add v0 mtu 65000 type vxlan external dstport 4789\na ip link set v0 up"),
        Variant("no way there", VXLAN.format(mtu=1500, remote="198.51.100.2")),
    ),
)  # fmt: skip
