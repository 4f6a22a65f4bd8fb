"""A namespace with an address and a route, and its rules."""

from check_lab import Labs, Variant

BASE = """\
a ip link add a0 type veth peer name b0 netns b
a ip address add 10.0.0.1/24 dev a0
a ip link set a0 up
b ip link set b0 up
"""

LABS = Labs(
    "rule-gap",
    BASE,
    (
        Variant("no rule leads to main", "a ip rule del priority 32766", "rule-gap.table"),
        Variant("no rule leads to local", "a ip rule del priority 0", "rule-gap.table"),
        Variant("a rule leads to an empty table", "a ip rule add priority 100 from 10.0.0.0/8 lookup 100", "rule-gap.empty"),
        Variant("the table has a route", "a ip rule add priority 100 from 10.0.0.0/8 lookup 100\na ip route add default via 10.0.0.2 table 100"),
        Variant("main by another priority", "a ip rule add priority 50 lookup main\na ip rule del priority 32766"),
        Variant("the table default is empty, as it is everywhere", ""),
    ),
)  # fmt: skip
