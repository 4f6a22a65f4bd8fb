"""A namespace with the name that CNI's plugins make, and who is in it."""

from check_lab import Labs, Variant

NAME = "cni-0c9f3c7a-5f3e-4d6e-9b43-8f1d1f2c0a11"

LABS = Labs(
    "leaked-netns",
    "home true\n",
    (
        Variant("nobody is in it", f"{NAME} ip link set lo up", "leaked-netns.nobody", NAME, mends=False),
        Variant("somebody is in it", f"{NAME} ip link set lo up\n{NAME} & sleep 1000"),
        Variant("its name was made by people", "cni-test ip link set lo up"),
        Variant(
            "Podman's",
            f"{NAME.replace('cni', 'netns')} ip link set lo up",
            "leaked-netns.nobody",
            mends=False,
        ),
    ),
)
