"""A bridge with two ports, and the state of one."""

from check_lab import Labs, Variant

BASE = """\
r ip link add br0 type bridge forward_delay 0
r ip link add pa type veth peer name a0 netns a
r ip link set pa master br0
r ip link set br0 up
r ip link set pa up
a ip link set a0 up
"""
LOOP = """\
r ip link add q0 type veth peer name q1
r ip link set q0 master br0 up
r ip link set q1 master br0 up
"""
STP = "r ip link set br0 type bridge stp_state 1 forward_delay {}\n"

LABS = Labs(
    "port-not-forwarding",
    BASE,
    (
        Variant("a port that was left learning", "r until bridge link set dev pa state 2; do sleep 0.01; done", "port-not-forwarding.blocked", "pa"),
        Variant("a port that is disabled", "r bridge link set dev pa state 0", "port-not-forwarding.blocked", "pa"),
        Variant(
            "STP has just begun", STP.format(3000) + "r ip link set pa down\nr ip link set pa up", "port-not-forwarding.learning"
        ),
        Variant(
            "STP blocks a loop",
            STP.format(200) + LOOP + "r until bridge link | grep -q blocking; do sleep 0.01; done\n"
            "r until [ $(bridge link | grep -c forwarding) = 2 ]; do sleep 0.01; done",
            "port-not-forwarding.stp",
        ),
        Variant("it forwards", ""),
        Variant("its other end is down", "r bridge link set dev pa state 2\na ip link set a0 down"),
        Variant("the bridge is down", "r ip link set br0 down"),
    ),
)  # fmt: skip
