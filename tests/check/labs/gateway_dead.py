"""A host with a default route, and the gateway that it names."""

from check_lab import Labs, Variant

BASE = """\
r ip link add ra type veth peer name a0 netns a
r ip address add 10.0.0.1/24 dev ra
r ip link set ra up
a ip address add 10.0.0.2/24 dev a0
a ip link set a0 up
"""
THERE, NOT_THERE = "a ip route add default via 10.0.0.1\n", "a ip route add default via 10.0.0.9\n"
LINKDOWN = "a for i in $(seq 500); do ip route | grep -q linkdown && break; sleep 0.01; done\n"
ASKED = """\
a echo 10 > /proc/sys/net/ipv4/neigh/a0/retrans_time_ms
a python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(bytes(1), ("10.0.0.9", 9))'
a for i in $(seq 500); do ip neigh show dev a0 | grep -q FAILED && break; sleep 0.01; done
"""

LABS = Labs(
    "gateway-dead",
    BASE,
    (
        Variant("its link is down at the other end", THERE + "r ip link set ra down\n" + LINKDOWN, "gateway-dead.linkdown", "a0"),
        Variant("it did not answer", NOT_THERE + ASKED, "gateway-dead.failed", "a0"),
        Variant("nobody has it", NOT_THERE, "gateway-dead.nobody", "a0"),
        Variant("it is there", THERE),
        Variant("somebody answers for it", NOT_THERE + "r sysctl -qw net.ipv4.conf.ra.proxy_arp=1"),
        Variant("its MAC is known for good", NOT_THERE + "a ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev a0"),
        Variant("the segment leads out", NOT_THERE + "r ip address flush dev ra\nr ip link add br0 type bridge forward_delay 0\nr ip link set br0 up\nr ip link add up0 type vxlan id 7 dstport 4789 remote 192.0.2.9\nr ip link set up0 master br0 up\nr ip link set ra master br0"),
    ),
)  # fmt: skip
