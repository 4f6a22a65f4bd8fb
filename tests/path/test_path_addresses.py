"""Addresses that are not what they seem: tentative, claimed twice, hidden behind a rule, or behind a MAC that two have."""

from __future__ import annotations

import io
import subprocess
from typing import TYPE_CHECKING

import pytest
from path_exchanges import ICMPV6, UDP, Real, Spaces

import nswire
from nswire.lab.lab import wait_until
from nswire.model.values import Address
from nswire.path import Flow
from nswire.show.terminal import Paper
from nswire.show.text_path import commanded
from nswire.show.text_show import write_link
from nswire.show.to_documents import Builder

if TYPE_CHECKING:
    from pathlib import Path

    from nswire.lab.lab import Lab

# a, web and db on the bridge of r
BRIDGED = """
r ip link add br0 type bridge
r ip link set br0 up
r ip link add va type veth peer name eth0 netns a
r ip link add vweb type veth peer name eth0 netns web
r ip link add vdb type veth peer name eth0 netns db
r ip link set va master br0 up
r ip link set vweb master br0 up
r ip link set vdb master br0 up
r ip link set lo up
a ip address add 10.0.0.1/24 dev eth0
a ip address add fd03::1/64 dev eth0 nodad
a ip link set lo up
a ip link set eth0 up
web ip address add 10.0.0.2/24 dev eth0
web ip address add fd03::5/64 dev eth0 nodad
web ip link set lo up
web ip link set eth0 up
db ip address add 10.0.0.3/24 dev eth0
db ip link set lo up
db ip link set eth0 up
"""
TWICE = "db echo 1 > /proc/sys/net/ipv6/conf/eth0/accept_dad\ndb ip address add fd03::5/64 dev eth0"


def state(spaces: Spaces, name: str, address: str) -> tuple[str, ...]:
    """What is the matter with an address."""
    inode = spaces[name].inode
    links = [link for link in nswire.scan() if link.end.ns == inode]
    return next((one.states for link in links for one in link.addresses if one.ip == address), ("gone",))


@pytest.mark.needs("ip")
def test_an_address_that_somebody_else_has(lab: Lab, tmp_path: Path) -> None:
    """Nobody can send from it, and nobody answers for it; whoever had it first does."""
    spaces = Spaces(lab, BRIDGED)
    spaces.settled()
    spaces.run(TWICE)
    wait_until(lambda: state(spaces, "db", "fd03::5") == ("tentative", "dadfailed"), 10)
    to, own = Flow("fd03::5", "fd03::1", ICMPV6), Flow("fd03::1", "fd03::5", ICMPV6)
    assert spaces.really("a", to) == Real(("web",), "answered")
    for recording in ("", f"{tmp_path}/1.nsw"):
        assert spaces.said("a", to, recording=recording).as_real == Real(("web",), "answered")
        said = spaces.said("db", own, recording=recording)
        assert (
            said.reason
            == "fd03::5 failed its duplicate address detection on eth0 in db: somebody else has it"
        )
        assert said.trace.forward.mend is None
    with spaces["db"].entered():
        binding = "import socket; socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).bind(('fd03::5', 0))"
        done = subprocess.run(["python3", "-c", binding], capture_output=True, text=True, check=False)
    assert "Cannot assign requested address" in done.stderr
    spaces.run("web ip address del fd03::5/64 dev eth0\na ip neigh flush all")
    assert spaces.really("a", to) == Real((), "")
    for recording in ("", f"{tmp_path}/2.nsw"):
        said = spaces.said("a", to, recording=recording)
        assert said.as_real == Real((), "")
        assert "fd03::5 failed its duplicate address detection on eth0 in db" in said.reason


@pytest.mark.needs("ip")
def test_an_address_that_is_tentative(lab: Lab, tmp_path: Path) -> None:
    """It is in no use yet; to forward would not help."""
    spaces = Spaces(lab, BRIDGED)
    spaces.settled()
    spaces.run(
        "db echo 1 > /proc/sys/net/ipv6/conf/eth0/accept_dad\ndb echo 60 > /proc/sys/net/ipv6/conf/eth0/dad_transmits\n"
        "db ip address add fd03::9/64 dev eth0"
    )
    assert state(spaces, "db", "fd03::9") == ("tentative",)
    flow = Flow("fd03::9", "fd03::1", UDP, 0, 53)
    mac = next(
        link.fact.address
        for link in nswire.scan()
        if link.end.ns == spaces["db"].inode and link.ifname == "eth0"
    )
    spaces.run("a ip neigh flush all")
    for neighbour in ("", f"a ip neigh replace fd03::9 lladdr {mac} dev eth0 nud permanent"):
        spaces.run(neighbour)
        assert spaces.really("a", flow) == Real((), "")
        for recording in ("", f"{tmp_path}/{bool(neighbour)}.nsw"):
            said = spaces.said("a", flow, recording=recording)
            assert said.as_real == Real((), "")
            assert "fd03::9 is tentative on eth0 in db" in said.reason
            assert said.trace.forward.mend is None


@pytest.mark.needs("ip")
def test_what_is_told_of_such_addresses(lab: Lab) -> None:
    """`show`, `ls`, JSON; what every link does at first is not worth a word."""
    spaces = Spaces(lab, BRIDGED)
    spaces.settled()
    spaces.run(TWICE)
    wait_until(lambda: "dadfailed" in state(spaces, "db", "fd03::5"), 10)
    topology = nswire.scan()
    link = next(one for one in topology if one.end.ns == spaces["db"].inode and one.ifname == "eth0")
    assert Builder(topology).link(link).address_flags == {"fd03::5/64": ("tentative", "dadfailed")}
    file = io.StringIO()
    write_link(Paper(file, columns=100, color=False), link)
    assert "fd03::5/64 tentative dadfailed\n" in file.getvalue()
    assert Address(1, "fe80::1/64", 10, 253, 0x40).trouble == ()
    assert Address(1, "fe80::1/64", 10, 253, 0x48).trouble == ("tentative", "dadfailed")
    assert Address(1, "fd00::1/64", 10, 0, 0x44).usable  # optimistic


@pytest.mark.needs("ip")
def test_a_rule_before_local(lab: Lab, tmp_path: Path) -> None:
    """An address of its own that it does not see to be one: no forwarding would help."""
    spaces = Spaces(lab, BRIDGED)
    spaces.settled()
    spaces.run(
        "web ip rule add pref 32765 lookup local\nweb ip rule del pref 0\n"
        "web ip route add default via 10.0.0.3 table 110\nweb ip rule add pref 100 to 10.0.0.2 iif eth0 lookup 110\n"
        "a ip neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 dev eth0 nud permanent\nweb ip link set eth0 address 02:00:00:00:00:02"
    )
    flow = Flow("10.0.0.2", "", UDP, 0, 53)
    assert spaces.really("a", flow) == Real((), "")
    for recording in ("", f"{tmp_path}/host.nsw"):
        said = spaces.said("a", flow, recording=recording)
        assert said.as_real == Real((), "")
        assert said.reason == (
            "10.0.0.2 is an address of web, but the rule `100: from all to 10.0.0.2/32 iif eth0 lookup 110` "
            "is asked before `lookup local` (32765)"
        )
        assert said.trace.forward.mend is None


@pytest.mark.needs("ip")
def test_one_mac_twice(lab: Lab, tmp_path: Path) -> None:
    """The bridge heard it last from the wrong one, which gets the frame: to forward there is no cure."""
    mac = "02:00:00:00:00:42"
    spaces = Spaces(lab, BRIDGED)
    spaces.settled()
    quiet = (
        "echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6"  # multicast listener reports are heard as well
    )
    spaces.run("\n".join(f"{name} {quiet}\n{name} ip link set eth0 address {mac}" for name in ("web", "db")))
    flow = Flow("10.0.0.2", "", UDP, 0, 53)
    assert spaces.really("web", Flow("10.0.0.1")).answer == "answered"
    assert spaces.really("a", flow) == Real(("web",), "answered")
    assert spaces.really("db", Flow("10.0.0.1")).answer == "answered"  # now the bridge has heard it from db
    assert spaces.really("a", flow) == Real((), "")
    for recording in ("", f"{tmp_path}/host.nsw"):
        said = spaces.said("a", flow, recording=recording)
        assert said.as_real == Real((), ""), said.reason
        assert said.reason == (
            f"eth0 in db has the MAC {mac} of eth0 in web too, which has 10.0.0.2: the frame came to the wrong one"
        )
        assert said.trace.forward.mend is None


LOCALNET = """
a ip route del local 127.0.0.0/8 dev lo table local
a ip route del local 127.0.0.1 dev lo table local
a ip route add 127.0.0.1 via 10.0.0.2 dev eth0
"""


@pytest.mark.needs("ip", "sysctl")
def test_what_is_advised_first(lab: Lab) -> None:
    """The setting that decides: route_localnet for 127.0.0.1; the mark on the way back before a looser rp_filter."""
    spaces = Spaces(lab, BRIDGED)
    spaces.settled()
    spaces.run(LOCALNET)
    said = spaces.said("a", Flow("127.0.0.1", "10.0.0.1", UDP, 0, 53))
    mend = said.trace.forward.mend
    assert mend is not None
    assert commanded(said.topology, mend) == "ip netns exec web sysctl -w net.ipv4.conf.eth0.route_localnet=1"
    spaces.run(
        "web sysctl -qw net.ipv4.conf.all.rp_filter=1\nweb ip route add unreachable 10.0.0.1/32\n"
        "web ip rule add fwmark 7 lookup 100\nweb ip route add 10.0.0.1/32 dev eth0 table 100\n"
        "web nft 'table ip m { chain p { type filter hook prerouting priority -150; meta mark set 7; }; }'\n"
        "web ip link set eth0 address 02:00:00:00:00:02\n"
        "a ip neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 dev eth0 nud permanent"
    )
    said = spaces.said("a", Flow("10.0.0.2", "10.0.0.1", UDP, 0, 53))
    mend = said.trace.forward.mend
    assert said.reason.startswith("rp_filter=1 on eth0"), said.reason
    assert mend is not None
    assert commanded(said.topology, mend) == "ip netns exec web sysctl -w net.ipv4.conf.all.src_valid_mark=1"


@pytest.mark.needs("ip", "sysctl")
@pytest.mark.parametrize("lacks", ["forwarding", "proxy_ndp", "entry"])
def test_half_a_proxy_of_neighbour_discovery(lab: Lab, lacks: str) -> None:
    """It takes forwarding, proxy_ndp and an entry; which of them is missing is said."""
    done = {
        "forwarding": "web sysctl -qw net.ipv6.conf.all.forwarding=1",
        "proxy_ndp": "web sysctl -qw net.ipv6.conf.eth0.proxy_ndp=1",
        "entry": "web ip -6 neigh add proxy fd03::99 dev eth0",
    }
    cure = {
        "forwarding": "sysctl -w net.ipv6.conf.all.forwarding=1",
        "proxy_ndp": "sysctl -w net/ipv6/conf/eth0/proxy_ndp=1",
        "entry": "ip -6 neigh add proxy fd03::99 dev eth0",
    }
    spaces = Spaces(lab, BRIDGED)
    spaces.settled()
    spaces.run("\n".join(line for what, line in done.items() if what != lacks))
    said = spaces.said("a", Flow("fd03::99", "fd03::1", ICMPV6))
    assert said.fate == "dropped"
    assert said.reason.startswith("eth0 in web would answer for fd03::99, but ")
    mend = said.trace.forward.mend
    assert mend is not None
    command = commanded(said.topology, mend)
    assert command.endswith(cure[lacks])
    spaces.run(f"web {cure[lacks]}")
    assert spaces.said("a", Flow("fd03::99", "fd03::1", ICMPV6)).reason != said.reason


@pytest.mark.needs("ip", "sysctl")
def test_the_ttl_that_a_namespace_gives(lab: Lab, tmp_path: Path) -> None:
    """ip_default_ttl: too little for the way."""
    spaces = Spaces(lab, BRIDGED)
    spaces.settled()
    spaces.run(
        "web sysctl -qw net.ipv4.ip_forward=1\nweb ip link add w1 type veth peer name eth0 netns far\n"
        "web ip address add 10.0.9.1/24 dev w1\nweb ip link set w1 up\n"
        "far ip address add 10.0.9.2/24 dev eth0\nfar ip link set eth0 up\nfar ip route add default via 10.0.9.1\n"
        "a ip route add 10.0.9.0/24 via 10.0.0.2"
    )
    flow = Flow("10.0.9.2", "", UDP, 0, 53)
    for ttl, real in (("1", Real((), "")), ("2", Real(("far",), "answered"))):
        spaces.run(f"a sysctl -qw net.ipv4.ip_default_ttl={ttl}")
        assert spaces.really("a", flow) == real
        for recording in ("", f"{tmp_path}/{ttl}.nsw"):
            said = spaces.said("a", flow, recording=recording)
            assert said.as_real == real
    spaces.run("far sysctl -qw net.ipv4.ip_default_ttl=1")
    assert spaces.really("a", flow) == Real(("far",), "")
    assert spaces.said("a", flow).as_real == Real(("far",), "")


@pytest.mark.needs("ip", "sysctl")
def test_the_ttl_that_a_route_gives(lab: Lab, tmp_path: Path) -> None:
    """RTAX_HOPLIMIT goes before what the namespace gives (ip4_dst_hoplimit, ip6_dst_hoplimit)."""
    spaces = Spaces(lab, BRIDGED)
    spaces.settled()
    spaces.run(
        "web sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1\n"
        "web ip link add w1 type veth peer name eth0 netns far\n"
        "web ip address add 10.0.9.1/24 dev w1\nweb ip address add fd09::1/64 dev w1 nodad\nweb ip link set w1 up\n"
        "far ip address add 10.0.9.2/24 dev eth0\nfar ip address add fd09::2/64 dev eth0 nodad\n"
        "far ip link set eth0 up\nfar ip route add default via 10.0.9.1\nfar ip -6 route add default via fd09::1"
    )
    for to, by in (("10.0.9.2", "10.0.0.2"), ("fd09::2", "fd03::5")):
        flow = Flow(to, "", UDP, 0, 53)
        for ttl, real in (("1", Real((), "")), ("2", Real(("far",), "answered"))):
            spaces.run(f"a ip route replace {to} via {by} hoplimit {ttl}")
            assert spaces.really("a", flow) == real
            for recording in ("", f"{tmp_path}/{flow.family}-{ttl}.nsw"):
                assert spaces.said("a", flow, recording=recording).as_real == real


SOLICITED = {
    "untracked": ("input", "ct state invalid drop", True),
    "accepted as untracked": ("input", "ct state != untracked meta l4proto ipv6-icmp drop", True),
    "marked before": ("prerouting", "meta l4proto ipv6-icmp meta mark set 5", False),
}


@pytest.mark.needs("ip", "nft")
@pytest.mark.parametrize("case", SOLICITED)
def test_a_solicitation_is_one_packet_in_all_its_hooks(lab: Lab, tmp_path: Path, case: str) -> None:
    """icmpv6_error: neighbour discovery is untracked from prerouting on; a mark that it got there it has in input."""
    hook, rule, answered = SOLICITED[case]
    spaces = Spaces(lab, BRIDGED)
    spaces.settled()
    rules = f"table ip6 t {{\nchain c {{\ntype filter hook {hook} priority 0\n{rule}\n}}\n"
    rules += "chain m {\ntype filter hook input priority 0\nmeta mark 5 drop\n}\n}\n"
    (tmp_path / "rules").write_text(rules)
    spaces.run(f"web nft -f {tmp_path}/rules\na ip neigh flush all")
    flow = Flow("fd03::5", "fd03::1", UDP, 0, 53)
    said = [spaces.said("a", flow, recording=recording).as_real for recording in ("", f"{tmp_path}/1.nsw")]
    real = spaces.really("a", flow)
    assert real == (Real(("web",), "answered") if answered else Real((), ""))
    assert said == [real, real]
