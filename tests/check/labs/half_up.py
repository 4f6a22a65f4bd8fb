"""A wire, up at one end."""

from check_lab import Labs, Variant

BASE = "a ip link add a0 type veth peer name b0 netns b\n"

LABS = Labs(
    "half-up",
    BASE,
    (
        Variant("one end is up", "a ip link set a0 up", "half-up.down", "b0"),
        Variant("both ends are up", "a ip link set a0 up\nb ip link set b0 up"),
        Variant("neither is up", ""),
    ),
)
