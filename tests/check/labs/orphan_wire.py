"""A bridge with a port into a namespace with the name that CNI's plugins make, and who is in it."""

from check_lab import Labs, Variant

NAME = "cni-0c9f3c7a-5f3e-4d6e-9b43-8f1d1f2c0a11"
BASE = "r ip link add br0 type bridge forward_delay 0\nr ip link set br0 up\n"
WIRE = "r ip link add p0 type veth peer name e0 netns {name}\nr ip link set p0 master br0 up\n{name} ip link set e0 up\n"
LEAKED = WIRE.format(name=NAME)

LABS = Labs(
    "orphan-wire",
    BASE,
    (
        Variant("nobody is in it", LEAKED, "orphan-wire.leaked", "p0"),
        Variant(
            "nothing that can be seen holds it", WIRE.format(name="?gone"), "orphan-wire.hidden", "p0", confidence="inferred"
        ),
        Variant("somebody is in it", LEAKED + f"{NAME} & sleep 1000"),
        Variant("it is no port", LEAKED + "r ip link set p0 nomaster"),
        Variant("a router that was made by hand", WIRE.format(name="router")),
    ),
)  # fmt: skip
