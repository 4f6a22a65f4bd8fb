"""Settings of all links and of one: each combination as the kernel makes one of it, by packets, live and from the tables alone."""

from __future__ import annotations

import itertools
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest
from path_exchanges import ICMPV6, UDP, Spaces

from nswire.host import requests
from nswire.path import Flow
from nswire.path.sysctls import COMBINED

if TYPE_CHECKING:
    from pathlib import Path

    from nswire.lab.lab import Lab

# a - r - b, with a second way between a and r, and one between r and b; IPv4 and IPv6
ROUTED = """
r ip link add ra type veth peer name ea netns a
r ip link add rc type veth peer name ec netns a
r ip link add rb type veth peer name eb netns b
r ip link add rd type veth peer name ed netns b
r ip address add 10.0.1.1/24 dev ra
r ip address add 10.0.3.1/24 dev rc
r ip address add 10.0.2.1/24 dev rb
r ip address add 10.0.4.1/24 dev rd
r ip address add fd01::1/64 dev ra nodad
r ip address add fd02::1/64 dev rb nodad
r ip link set lo up
r ip link set ra up
r ip link set rb up
r ip link set rc up
r ip link set rd up
r sysctl -qw net.ipv4.neigh.ra.proxy_delay=0 net.ipv6.neigh.ra.proxy_delay=0
r ip link set ra address 02:00:00:00:00:01
r sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0
a ip address add 10.0.1.2/24 dev ea
a ip address add 10.0.3.2/24 dev ec
a ip address add fd01::2/64 dev ea nodad
a ip link set lo up
a ip link set ea up
a ip link set ec up
a ip route add default via 10.0.1.1
a ip -6 route add default via fd01::1
b ip address add 10.0.2.2/24 dev eb
b ip address add 10.0.4.2/24 dev ed
b ip address add fd02::2/64 dev eb nodad
b ip link set lo up
b ip link set eb up
b ip link set ed up
b ip route add default via 10.0.2.1
b ip -6 route add default via fd02::1
"""
TO_B, TO_B6 = Flow("10.0.2.2", "", UDP, 0, 53), Flow("fd02::2", "", UDP, 0, 53)
# a and d on a bridge whose ports are kept apart: they speak by r alone
PRIVATE = """
r ip link add br1 type bridge
r ip link add p1 type veth peer name e1 netns a
r ip link add p2 type veth peer name e2 netns d
r ip link set p1 master br1 up
r ip link set p2 master br1 up
r ip link set p1 type bridge_slave isolated on
r ip link set p2 type bridge_slave isolated on
r ip address add 10.0.5.1/24 dev br1
r ip link set br1 up
r sysctl -qw net.ipv4.neigh.br1.proxy_delay=0
a ip address add 10.0.5.2/24 dev e1
a ip link set e1 up
d ip address add 10.0.5.3/24 dev e2
d ip link set e2 up
"""
ONE_OR_NONE = (0, 1)


class Setting(NamedTuple):
    """What makes a setting count: of which namespace and link it is, what it takes besides, and the packet that shows it."""

    ns: str
    link: str
    done: str
    start: str
    flow: Flow
    values: tuple[int, ...] = ONE_OR_NONE


SETTINGS = {
    "ipv4/conf/{}/forwarding": Setting("r", "ra", "", "a", TO_B),
    "ipv4/conf/{}/rp_filter": Setting(
        "r",
        "ra",
        "r ip route add 10.0.1.2/32 dev rc",
        "a",
        Flow("10.0.2.2", "10.0.1.2", UDP, 0, 53),
        (0, 1, 2),
    ),
    "ipv4/conf/{}/arp_ignore": Setting(
        "r", "ra", "a ip route add 10.0.4.1/32 dev ea", "a", Flow("10.0.4.1", "10.0.1.2", UDP, 0, 53)
    ),
    "ipv4/conf/{}/arp_filter": Setting(
        "r", "ra", "r ip route add 10.0.1.2/32 dev rc", "a", Flow("10.0.1.1", "10.0.1.2", UDP, 0, 53)
    ),
    "ipv4/conf/{}/proxy_arp": Setting(
        "r", "ra", "a ip route add 10.0.2.0/24 dev ea", "a", Flow("10.0.2.2", "10.0.1.2", UDP, 0, 53)
    ),
    "ipv4/conf/{}/proxy_arp_pvlan": Setting(
        "r", "br1", PRIVATE, "a", Flow("10.0.5.3", "10.0.5.2", UDP, 0, 53)
    ),
    "ipv4/conf/{}/accept_local": Setting(
        "r", "ra", "a ip address add 10.0.4.1/32 dev lo", "a", Flow("10.0.2.1", "10.0.4.1", UDP, 0, 53)
    ),
    "ipv4/conf/{}/route_localnet": Setting(
        "r",
        "ra",
        "a ip route del local 127.0.0.0/8 dev lo table local\na ip route del local 127.0.0.1 dev lo table local\n"
        "a ip route add 127.0.0.1 via 10.0.1.1 dev ea\n",
        "a",
        Flow("127.0.0.1", "10.0.1.2", UDP, 0, 53),
    ),
    "ipv4/conf/{}/src_valid_mark": Setting(
        "r",
        "ra",
        "r sysctl -qw net.ipv4.conf.all.rp_filter=1\nr ip route add 10.0.1.2/32 dev rc\n"
        "a ip neigh add 10.0.1.1 lladdr 02:00:00:00:00:01 dev ea nud permanent\n"  # ARP has no mark
        "r ip rule add fwmark 7 lookup 100\nr ip route add 10.0.1.2/32 dev ra table 100\nr ip route add default dev rb table 100\n"
        "r nft 'table ip m { chain p { type filter hook prerouting priority -150; iifname ra meta mark set 7; }; }'",
        "a",
        Flow("10.0.2.2", "10.0.1.2", UDP, 0, 53),
    ),
    "ipv4/conf/{}/ignore_routes_with_linkdown": Setting(
        "r",
        "rb",
        "r ip route add 10.0.2.2/32 dev rd metric 9\nr ip route add 10.0.2.2/32 dev rb metric 5\nb ip link set eb down\n"
        "b ip address add 10.0.2.2/32 dev lo",
        "a",
        TO_B,
    ),
    "ipv6/conf/{}/forwarding": Setting("r", "ra", "", "a", TO_B6),
    "ipv6/conf/{}/force_forwarding": Setting(
        "r", "ra", "r sysctl -qw net.ipv6.conf.all.forwarding=0", "a", TO_B6
    ),
    "ipv6/conf/{}/disable_ipv6": Setting("r", "ra", "", "a", Flow("fd01::1", "fd01::2", ICMPV6)),
    "ipv6/conf/{}/proxy_ndp": Setting(
        "r",
        "ra",
        "a ip -6 route add fd02::/64 dev ea\nr ip -6 neigh add proxy fd02::2 dev ra",
        "a",
        Flow("fd02::2", "fd01::2", UDP, 0, 53),
    ),
    "ipv6/conf/{}/ignore_routes_with_linkdown": Setting(
        "r",
        "rb",
        "b ip address add fd09::9/128 dev lo\nb ip address add fd04::2/64 dev ed nodad\nr ip address add fd04::1/64 dev rd nodad\n"
        "r ip -6 route add fd09::9/128 via fd04::2 dev rd metric 9\nr ip -6 route add fd09::9/128 via fd02::2 dev rb metric 5\n"
        "b ip link set eb down\n"
        "b ip -6 route add default via fd04::1",
        "a",
        Flow("fd09::9", "fd01::2", UDP, 0, 53),
    ),
    "ipv4/conf/{}/disable_xfrm": Setting(
        "a", "ea", "a ip xfrm policy add src 0.0.0.0/0 dst 10.0.2.2/32 dir out action block", "a", TO_B
    ),
    "ipv4/conf/{}/disable_policy": Setting(
        "b", "eb", "b ip xfrm policy add src 10.0.1.2/32 dst 10.0.2.2/32 dir in action block", "a", TO_B
    ),
    "ipv6/conf/{}/disable_policy": Setting(
        "b", "eb", "b ip xfrm policy add src fd01::/64 dst fd02::2/128 dir in action block", "a", TO_B6
    ),
    "ipv4/conf/{}/drop_unicast_in_l2_multicast": Setting(
        "b",
        "eb",
        "r ip neigh add 10.0.2.2 lladdr ff:ff:ff:ff:ff:ff dev rb nud permanent",
        "a",
        TO_B,
    ),
    "ipv6/conf/{}/drop_unicast_in_l2_multicast": Setting(
        "b",
        "eb",
        "r ip neigh add fd02::2 lladdr 33:33:00:00:00:07 dev rb nud permanent",
        "a",
        TO_B6,
    ),
    "ipv6/conf/{}/hop_limit": Setting("a", "ea", "", "a", TO_B6, (1, 64)),
}


def test_each_sysctl_of_a_link_has_a_row_and_a_test() -> None:
    """Whatever is asked of a link is in the table of combinations, and tried here."""
    assert set(requests.LINK_SYSCTLS) == set(COMBINED) == set(SETTINGS)


@pytest.mark.needs("ip", "sysctl", "nft")
@pytest.mark.parametrize("name", SETTINGS)
def test_what_counts(lab: Lab, tmp_path: Path, name: str) -> None:
    """Every combination of the setting of all links and that of one."""
    setting = SETTINGS[name]
    spaces = Spaces(lab, ROUTED)
    try:
        spaces.run(setting.done)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"this kernel: {error.stderr}")
    spaces.settled() if "linkdown" not in name else None
    seen = set()
    for everywhere, own in itertools.product(setting.values, repeat=2):
        # writing `all` may write every link's own, so it comes first
        for ifname, value in (("all", everywhere), (setting.link, own)):
            path = f"/proc/sys/net/{name.format(ifname)}"
            try:
                spaces.run(f"{setting.ns} echo {value} > {path}")
            except subprocess.CalledProcessError:
                pytest.skip(f"this kernel has no {name}")
        if name.endswith("disable_ipv6") and not own:
            spaces.run("r ip address replace fd01::1/64 dev ra nodad")
        spaces.run("a ip neigh flush all\nb ip neigh flush all\nr ip neigh flush nud reachable")
        told = [
            spaces.said(setting.start, setting.flow),
            spaces.said(setting.start, setting.flow, tables=True),
        ]
        if everywhere != own:
            told.append(
                spaces.said(setting.start, setting.flow, recording=f"{tmp_path}/{everywhere}{own}.nsw")
            )
        real = spaces.really(setting.start, setting.flow)
        seen.add(real)
        if COMBINED[name](everywhere, own) is None:
            assert {said.fate for said in told} == {"unknown"}
            told = []
        for said in told:
            assert said.as_real == real, (
                everywhere,
                own,
                said.reason,
                said.trace.reply and said.trace.reply.reason,
            )
    assert len(seen) > 1, "the setting changed nothing, so that nothing was tried"
