"""The blog's network, the random ones and the big one are as their makers say."""

from __future__ import annotations

import os
import random
import re
import socket
import subprocess
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, get_args

import pytest

from nswire.lab import openstack_demo as post
from nswire.lab import rand, syscalls
from nswire.lab.big import big
from nswire.lab.lab import wait_until
from nswire.lab.netns import Kind
from nswire.lab.openstack_demo import blog
from nswire.lab.private import call_in_private_host, in_private_host
from nswire.lab.rand import random_lab

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.lab.netns import Ns

    Ip = Callable[..., list[dict[str, Any]]]


# -- the blog's network ---------------------------------------------------------------------------------------------


@in_private_host
def test_the_blog_s_network_to_the_digit(ip: Ip) -> None:
    with blog():
        [inner] = ip("-n", post.NAMESPACE, "-d", "address", "show", "ns-39d60faa-aa")
        assert (inner["ifindex"], inner["address"], inner["link_index"]) == (68, "fa:16:3e:98:e6:f3", 69)
        assert (inner["mtu"], inner["operstate"]) == (1500, "UP")
        addresses = {(each["local"], each["prefixlen"], each.get("broadcast")) for each in inner["addr_info"]}
        assert {
            ("10.10.100.2", 24, "10.10.100.255"),
            ("169.254.169.254", 16, "169.254.255.255"),
            ("fe80::f816:3eff:fe98:e6f3", 64, None),
        } <= addresses
        routes = {each["dst"]: each.get("gateway") for each in ip("-n", post.NAMESPACE, "route")}
        assert routes == {"default": "10.10.100.1", "10.10.100.0/24": None, "169.254.0.0/16": None}
        at_home = {link["ifname"]: link for link in ip("-d", "link")}
        outer, uplink = at_home["tap39d60faa-aa"], at_home["eth1"]
        names = {each["nsid"]: each["name"] for each in ip("netns", "list-id")}
        assert (outer["ifindex"], outer["address"], outer["link_index"]) == (69, "62:41:1f:e2:b2:9d", 68)
        assert (outer["master"], names[outer["link_netnsid"]]) == ("brqfabc7ead-61", post.NAMESPACE)
        assert (uplink["master"], names[uplink["link_netnsid"]], uplink["operstate"]) == (
            "brqfabc7ead-61",
            "router",
            "UP",
        )


@in_private_host
def test_a_packet_finds_its_way_from_the_dhcp_namespace_to_the_outside_and_back() -> None:
    """A wire that carries nothing would be a poor truth."""
    with blog():
        for name in (post.NAMESPACE, post.TRAP_NAMESPACE):
            fd = os.open(f"/run/netns/{name}", os.O_RDONLY)
            with syscalls.inside(fd), pytest.raises(ConnectionRefusedError):
                socket.create_connection(("203.0.113.1", 9), timeout=10)
            os.close(fd)


@in_private_host
def test_the_trap_misleads_the_blog_s_method(ip: Ip) -> None:
    """Ask the second ns-…: its peer is a 69, the host has exactly one 69, that one's peer is a 68; and it is wrong."""
    with blog() as lab:
        [inner] = ip("-n", post.TRAP_NAMESPACE, "link", "show", post.TRAP_INNER)
        assert (inner["ifindex"], inner["link_index"]) == (68, 69)
        plain = subprocess.run(["ip", "link"], check=True, capture_output=True, text=True).stdout
        assert re.findall(r"^69.*?: (\S+)@", plain, re.MULTILINE) == [post.OUTER]
        [misleading] = ip("link", "show", post.OUTER)
        assert misleading["link_index"] == 68
        inodes = {ns.name: ns.inode for ns in lab.namespaces}
        peers = lab.peers()
        assert peers[inodes[post.TRAP_NAMESPACE], 68] == (inodes[post.TRAP_HOST], 69)
        assert peers[inodes[post.NAMESPACE], 68] == (lab.home.inode, 69)


@in_private_host
def test_without_the_trap_there_is_one_dhcp_namespace() -> None:
    with blog(trap=False) as lab:
        assert {ns.name for ns in lab.namespaces} == {post.NAMESPACE, "router", "outside"}


def test_the_blog_s_network_can_be_built_without_being_root() -> None:
    """`make demo` promises it; here a user namespace stands for the plain user."""

    def build() -> int:
        with blog() as lab:
            return len(lab.pairs)

    assert call_in_private_host(build, user=True) == 5


# -- random networks ------------------------------------------------------------------------------------------------


def shown_peers(ns: Ns, ip: Ip) -> dict[tuple[int, int], int]:
    """(inode, ifindex) -> the peer's ifindex, for each veth that iproute2 shows here or in a named namespace."""
    links = ip("-d", "link") if ns.kind == "here" else ip("-n", ns.name, "-d", "link")
    veths = [link for link in links if link.get("linkinfo", {}).get("info_kind") == "veth"]
    return {(ns.inode, link["ifindex"]): _peer_index(link, links) for link in veths}


def _peer_index(link: dict[str, Any], links: list[dict[str, Any]]) -> int:
    if "link_index" in link:
        index: int = link["link_index"]
        return index
    # iproute2 shows a name where the peer lies in the same namespace.
    [peer] = [other["ifindex"] for other in links if other["ifname"] == link["link"]]
    return int(peer)


@in_private_host
def test_random_networks_are_what_they_say(ip: Ip) -> None:
    for seed in range(12):
        with random_lab(random.Random(seed)) as lab:
            truth = lab.peers()
            assert len(truth) == 2 * len(lab.pairs)
            for ns in (lab.home, *lab.namespaces):
                expected = {end: peer[1] for end, peer in truth.items() if end[0] == ns.inode}
                if ns.kind in {"here", "named"}:
                    assert shown_peers(ns, ip) == expected


@in_private_host
def test_random_networks_have_every_holder_chains_and_false_pairs() -> None:
    """The point of them is to mislead; a generator that became tame would let wrong answers pass."""
    kinds: Counter[str] = Counter()
    false_pairs = same_place = same_index = deep = 0
    for seed in range(30):
        with random_lab(random.Random(seed)) as lab:
            kinds.update(ns.kind for ns in lab.namespaces)
            truth = lab.peers()
            same_place += sum(a.inode == b.inode for a, b in lab.pairs)
            same_index += sum(a.ifindex == b.ifindex for a, b in lab.pairs)
            false_pairs += sum(
                truth[a][1] == b[1] and truth[b][1] == a[1] and truth[a] != b
                for a in truth
                for b in truth
                if a < b
            )
            near = {b for a, b in truth.items() if a[0] in lab.findable()}
            deep += len(lab.reachable() - lab.findable() - {inode for inode, _ in near})
    assert set(kinds) == set(get_args(Kind)) - {"here"}
    assert same_place > 20
    assert same_index > 20
    assert false_pairs > 200
    assert deep > 3


@in_private_host
def test_one_seed_gives_one_topology() -> None:
    def shape() -> list[Any]:
        with random_lab(random.Random(7)) as lab:
            order = {ns.inode: number for number, ns in enumerate((lab.home, *lab.namespaces))}
            return [
                [ns.kind for ns in lab.namespaces],
                [[(order[end.inode], end.ifindex, end.ifname) for end in pair] for pair in lab.pairs],
            ]

    assert shape() == shape()


@in_private_host
def test_visible_only_leaves_out_what_only_an_nsid_walk_finds() -> None:
    for seed in range(5):
        with random_lab(random.Random(seed), visible_only=True) as lab:
            assert not {ns.kind for ns in lab.namespaces} & set(rand.HIDDEN)
            assert lab.findable() == lab.reachable()


# -- the big network ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("held", ["named", "descriptor"])
@pytest.mark.parametrize("ipv6", [True, False])
@in_private_host
def test_the_big_network(*, held: Literal["named", "descriptor"], ipv6: bool, ip: Ip) -> None:
    with big(30, held=held, ipv6=ipv6) as lab:
        links = {link["ifname"]: link for link in ip("-d", "link")}
        assert len(links) == 1 + 1 + 30
        assert len(lab.namespaces) == len(lab.pairs) == 30
        assert {links[f"veth{number}"]["master"] for number in range(30)} == {"br0"}
        wait_until(lambda: ip("link", "show", "br0")[0]["operstate"] == "UP", what="the bridge's carrier")
        for a, b in lab.pairs:
            assert links[a.ifname.decode()]["ifindex"] == a.ifindex
            assert links[a.ifname.decode()]["link_index"] == b.ifindex
        if held == "named":
            assert len(ip("netns")) == 30
            inside = {link["ifname"]: link for link in ip("-n", "ns00029", "address")}
        else:
            inside = {link["ifname"]: link for link in ip("address", inside=lab.namespaces[29])}
        assert "UP" in inside["lo"]["flags"]
        found = [each["local"] for each in inside["eth0"]["addr_info"]]
        assert found[0] == "10.0.1.30"
        assert (len(found) > 1) == ipv6


@pytest.mark.needs("ip")
@in_private_host
def test_bridges_take_a_thousand_ports_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nswire.lab.big.PORTS_PER_BRIDGE", 10)
    with big(25, ipv6=False) as lab:
        masters = Counter(
            subprocess.run(
                ["ip", "-br", "link", "show", "master", f"br{number}"],
                check=True,
                capture_output=True,
            ).stdout.count(b"\n")
            for number in range(3)
        )
        assert masters == {10: 2, 5: 1}
        assert len(lab.pairs) == 25
