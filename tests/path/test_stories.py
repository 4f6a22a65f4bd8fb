"""One router between two hosts, and one thing that is wrong: the fact that kills a packet is named, and what would mend it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

import nswire
from nswire.host.replay import Recorded
from nswire.lab.lab import wait_until
from nswire.model.tables import NothingKnown
from nswire.path import Flow, trace
from nswire.path.values import ARRIVED
from nswire.show.text_path import commanded

if TYPE_CHECKING:
    from nswire.lab.lab import Lab
    from nswire.path.values import Trace, Ways

A, B = "10.0.1.2", "10.0.2.2"
BASE = """\
r ip link add ra type veth peer name ea netns a
r ip link add rb type veth peer name eb netns b
r ip address add 10.0.1.1/24 dev ra
r ip address add 10.0.2.1/24 dev rb
r ip link set lo up
r ip link set ra up
r ip link set rb up
r sysctl -qw net.ipv4.ip_forward=1
a ip address add 10.0.1.2/24 dev ea
a ip link set lo up
a ip link set ea up
a ip route add default via 10.0.1.1
b ip address add 10.0.2.2/24 dev eb
b ip link set lo up
b ip link set eb up
b ip route add default via 10.0.2.1
"""


class Site:
    """The two hosts a and b with the router r between them."""

    def __init__(self, lab: Lab) -> None:
        self.spaces = {name: lab.namespace("named", name) for name in ("a", "r", "b")}
        self.run(BASE)

    def run(self, lines: str) -> None:
        """Run commands, each in the namespace that its line begins with."""
        for line in lines.splitlines():
            name, _, command = line.partition(" ")
            with self.spaces[name].entered():
                subprocess.run(["sh", "-ec", command], check=True, capture_output=True, text=True)

    def trace(self, start: str = "a", dst: str = B, **more: int | bool) -> tuple[nswire.Topology, Trace]:
        """What is said of a packet."""
        topology = nswire.scan()
        proto, dport = int(more.pop("proto", 1)), int(more.pop("dport", 0))
        flow = Flow(dst, "", proto, 0, dport)
        return topology, trace(topology, topology.lookups(), self.spaces[start].inode, flow, **more)  # type: ignore[arg-type]

    def settled(self) -> None:
        """Wait until every link that is to come up is up."""
        wait_until(lambda: all(link.operstate != "DOWN" or "UP" not in link.flags for link in nswire.scan()))


@pytest.fixture
def site(lab: Lab) -> Site:
    """The site, all well."""
    made = Site(lab)
    made.settled()
    return made


def mend(topology: nswire.Topology, ways: Ways) -> str:
    """The command that would change it."""
    found = ways.ways[0].mend
    return "" if found is None else commanded(topology, found)


class Wrong(NamedTuple):
    """What is done to the site, and what is said of a packet from a to b then."""

    done: str
    reason: str
    command: str = ""
    proto: int = 1
    dport: int = 0


WRONG = {
    "forwarding": Wrong(
        "r sysctl -qw net.ipv4.ip_forward=0",
        "net.ipv4.ip_forward=0 in r: it forwards nothing that comes in there",
        "ip netns exec r sysctl -w net.ipv4.ip_forward=1",
    ),
    "forwarding of a link": Wrong(
        "r sysctl -qw net.ipv4.conf.ra.forwarding=0",
        "net.ipv4.conf.ra.forwarding=0 in r",
        "ip netns exec r sysctl -w net.ipv4.conf.ra.forwarding=1",
    ),
    "rp_filter": Wrong(
        "r sysctl -qw net.ipv4.conf.all.rp_filter=1\nr ip route add 10.0.1.2/32 dev rb",
        "ra in r does not answer for 10.0.1.1: rp_filter=1 on ra: the way back to 10.0.1.2 is 10.0.1.2 dev rb, not by ra",
        "ip netns exec r sysctl -w net.ipv4.conf.all.rp_filter=2",
    ),
    "blackhole": Wrong(
        "r ip route add blackhole 10.0.2.2/32",
        "the route says blackhole 10.0.2.2",
        "ip netns exec r ip route del blackhole 10.0.2.2",
    ),
    "a rule": Wrong("a ip rule add to 10.0.2.0/24 prohibit", "the rule says"),
    "no route": Wrong(
        "a ip route del default",
        "there is no route to 10.0.2.2",
        "ip netns exec a ip route add default via GATEWAY",
    ),
    "nobody there": Wrong(
        "b ip address del 10.0.2.2/24 dev eb",
        "nobody answers the ARP request for 10.0.2.2 on the segment of rb",
    ),
    "link down": Wrong(
        "b ip link set eb down",
        "rb in r has no carrier: its peer eb in b is down",
        "ip netns exec b ip link set eb up",
    ),
    "nft": Wrong(
        "r nft 'table inet f { chain c { type filter hook forward priority 0; tcp dport 25 drop; }; }'",
        "forward: the rule `tcp dport 25 drop` of nft table inet f, chain c drops it",
        "ip netns exec r nft -a list chain inet f c",
        proto=6,
        dport=25,
    ),
    "nft policy": Wrong(
        "r nft 'table inet f { chain c { type filter hook forward priority 0; policy drop; ct state established accept; }; }'",
        "forward: the policy of nft table inet f, chain c drops it",
        "ip netns exec r nft -a list chain inet f c",
    ),
    "iptables": Wrong(
        "r iptables-nft -A FORWARD -p icmp -j REJECT --reject-with icmp-admin-prohibited",
        "of iptables-nft-save table ip filter, chain FORWARD rejects it",
        "ip netns exec r iptables-nft -t filter -nvL FORWARD --line-numbers",
    ),
    "legacy": Wrong(
        "b iptables-legacy -A INPUT -s 10.0.1.0/24 -j DROP",
        "input: the rule `-A INPUT -s 10.0.1.0/24 -j DROP` of iptables-legacy-save table ip filter, chain INPUT drops it",
        "ip netns exec b iptables-legacy -t filter -nvL INPUT --line-numbers",
    ),
    "wrong neighbour": Wrong(
        "r ip neigh replace 10.0.2.2 lladdr 02:00:00:00:00:99 dev rb nud permanent",
        "and the frame is for 02:00:00:00:00:99",
    ),
    "arp_ignore": Wrong("b sysctl -qw net.ipv4.conf.all.arp_ignore=8", "ignores it (arp_ignore=8)"),
}


@pytest.mark.needs("ip", "nft", "iptables-nft", "iptables-legacy", "sysctl")
@pytest.mark.parametrize("what", WRONG)
def test_what_kills_it_is_named(site: Site, what: str) -> None:
    """The reason is the one fact, and the command is the one that would change it."""
    wrong = WRONG[what]
    site.run(wrong.done)
    topology, found = site.trace(proto=wrong.proto, dport=wrong.dport)
    assert found.forward.fate == "dropped", found.forward.reason
    assert wrong.reason in str(found.forward.reason)
    assert mend(topology, found.forward) == wrong.command
    assert found.reply is None


@pytest.mark.needs("ip")
def test_all_is_well(site: Site) -> None:
    """It is delivered, the answer as well, by the same links."""
    _, found = site.trace()
    assert found.forward.fate in ARRIVED
    assert found.reply is not None
    assert found.reply.fate == "delivered"
    assert [hop.ns for hop in found.forward.ways[0].hops] == [site.spaces[name].inode for name in "arb"]
    assert [hop.ns for hop in found.reply.ways[0].hops] == [site.spaces[name].inode for name in "bra"]
    assert found.mtu == 1500


@pytest.mark.needs("ip")
def test_the_mtu_that_counts(site: Site) -> None:
    """The smallest on the way is told, and what is larger and must not be split dies there."""
    site.run("r ip link set rb mtu 1400")
    topology, found = site.trace(size=1401)
    assert found.forward.fate == "dropped"
    assert str(found.forward.reason) == "it has 1401 bytes and must not be split, but the MTU of rb is 1400"
    topology, found = site.trace(size=1400)
    assert found.forward.fate in ARRIVED
    at = topology.at(found.mtu_at)
    assert (found.mtu, at and at.ifname) == (1400, "rb")


@pytest.mark.needs("ip", "sysctl")
def test_an_answer_that_does_not_come_back(site: Site) -> None:
    """The packet arrives; that its answer does not is said, with the reason."""
    site.run("b ip route del default")
    topology, found = site.trace()
    assert found.forward.fate in ARRIVED
    assert found.reply is not None
    assert (found.reply.fate, str(found.reply.reason)) == ("dropped", "there is no route to 10.0.1.2")
    site.run("b ip route add default via 10.0.2.1\nb sysctl -qw net.ipv4.icmp_echo_ignore_all=1")
    topology, found = site.trace()
    assert found.reply is not None
    assert found.reply.fate == "dropped"
    assert mend(topology, found.reply) == "ip netns exec b sysctl -w net.ipv4.icmp_echo_ignore_all=0"


@pytest.mark.needs("ip", "nft")
@pytest.mark.parametrize("tool", ["nft", "iptables-nft", "iptables-legacy"])
def test_translation_and_back(site: Site, tool: str) -> None:
    """b sees the router's address, its answer goes there, and a gets it from whom it asked."""
    site.run(
        "r nft 'table ip n { chain c { type nat hook postrouting priority 100; oifname rb masquerade; }; }'"
        if tool == "nft"
        else f"r {tool} -t nat -A POSTROUTING -o rb -j MASQUERADE"
    )
    site.run("b ip route del default")  # so that only the translation makes an answer possible
    _, found = site.trace(proto=17, dport=53)
    assert found.forward.fate in ARRIVED
    _, router, _ = found.forward.ways[0].hops
    assert (router.enters.src, router.leaves.src) == (A, "10.0.2.1")
    assert found.reply is not None
    assert found.reply.fate == "delivered"
    back = found.reply.ways[0].hops[-1].leaves
    assert (back.src, back.dst, back.sport) == (B, A, 53)


@pytest.mark.needs("ip", "nft")
def test_a_published_port(site: Site) -> None:
    """As container engines publish: what asks the router's port reaches b's, and the answer comes from the router again."""
    site.run(
        "r nft 'table ip n { chain c { type nat hook prerouting priority -100; tcp dport 8080 dnat to 10.0.2.2:80; }; }'"
    )
    _, found = site.trace(dst="10.0.1.1", proto=6, dport=8080)
    assert found.forward.fate in ARRIVED
    assert found.forward.ways[0].hops[-1].enters.dst == B
    assert found.forward.ways[0].hops[-1].enters.dport == 80
    assert found.reply is not None
    back = found.reply.ways[0].hops[-1].leaves
    assert (back.src, back.sport) == ("10.0.1.1", 8080)


@pytest.mark.needs("ip", "nft")
def test_what_cannot_be_decided_is_not_known(site: Site) -> None:
    """A rule that nothing can decide makes the fate unknown, and is quoted."""
    site.run(
        "r nft 'table ip f { chain c { type filter hook forward priority 0; numgen random mod 2 0 drop; }; }'"
    )
    _, found = site.trace()
    assert found.forward.fate == "unknown"
    rule = "the rule `numgen random mod 2 0 drop`"
    assert (
        str(found.forward.reason)
        == f"it depends: delivered if {rule} does not take it, dropped if {rule} takes it"
    )
    assert {way.fate for way in found.forward.ways} == {"dropped", "delivered"}


@pytest.mark.needs("ip", "nft")
def test_what_changes_nothing_is_no_doubt(site: Site) -> None:
    """The same, but whichever way it goes the packet passes."""
    site.run(
        "r nft 'table ip f { chain c { type filter hook forward priority 0; numgen random mod 2 0 accept; }; }'"
    )
    assert site.trace()[1].forward.fate == "delivered"


@pytest.mark.needs("ip", "nft")
def test_a_queue_decides_elsewhere(site: Site) -> None:
    """What a program in user space will say is not known."""
    site.run("r nft 'table ip f { chain c { type filter hook forward priority 0; queue num 1; }; }' || true")
    with site.spaces["r"].entered():
        made = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=True).stdout
    if "queue" not in made:
        pytest.skip("this kernel has no queue")
    _, found = site.trace()
    assert found.forward.fate == "unknown"
    assert "what becomes of it there is decided elsewhere" in str(found.forward.reason)


@pytest.mark.needs("ip")
def test_two_ways_that_agree(site: Site) -> None:
    """A hash picks the way; whichever it picks, the packet arrives, so that is certain."""
    site.run(
        "r ip link add rb2 type veth peer name eb2 netns b\nr ip address add 10.0.3.1/24 dev rb2\nr ip link set rb2 up\n"
        "b ip address add 10.0.3.2/24 dev eb2\nb ip link set eb2 up\nb ip address add 10.9.0.1/32 dev lo\n"
        "r ip route add 10.9.0.1/32 nexthop via 10.0.2.2 nexthop via 10.0.3.2"
    )
    _, found = site.trace(dst="10.9.0.1")
    assert found.forward.fate in ARRIVED
    assert len(found.forward.ways) == 2
    site.run("b ip link set eb2 down")
    _, found = site.trace(dst="10.9.0.1")
    assert found.forward.fate in ("delivered", "unknown")


@pytest.mark.needs("ip", "nft")
def test_a_recording_says_the_same(site: Site, tmp_path: object) -> None:
    """The tables are in it, and they say what the kernel says."""
    site.run("r nft 'table inet f { chain c { type filter hook forward priority 0; tcp dport 25 drop; }; }'")
    file = f"{tmp_path}/host.nsw"
    nswire.record(file)
    for dport in (25, 80):
        topology, live = site.trace(proto=6, dport=dport)
        replayed = nswire.scan(Recorded.open(file))
        flow = Flow(B, "", 6, 0, dport)
        again = trace(replayed, replayed.lookups(), site.spaces["a"].inode, flow)
        assert (again.forward.fate, again.forward.reason) == (live.forward.fate, live.forward.reason)
        assert mend(replayed, again.forward) == mend(topology, live.forward)
        passed = [
            [(step.end, step.way) for hop in one.forward.ways[0].hops for step in hop.steps if step.way]
            for one in (live, again)
        ]
        assert passed[0] == passed[1]


@pytest.mark.needs("ip")
def test_what_was_not_recorded_is_not_known(site: Site) -> None:
    """Without its tables, nothing is said of a packet."""
    topology = nswire.scan()
    found = trace(topology, NothingKnown(), site.spaces["a"].inode, Flow(B))
    assert found.forward.fate == "unknown"
    assert found.forward.reason


@pytest.mark.needs("ip")
def test_a_next_hop_in_a_tunnel_of_its_own_is_not_followed(site: Site) -> None:
    """A next hop object may put packets into something, as a route may."""
    try:
        site.run("r ip nexthop add id 7 encap ip6 id 1 dst 2001:db8::9 via 10.0.2.2 dev rb")
    except subprocess.CalledProcessError:
        pytest.skip("this kernel has no such encapsulation")
    site.run("r ip route add 10.9.0.0/24 nhid 7")
    topology, found = site.trace(dst="10.9.0.1")
    (hop,) = topology.lookups().next_hops(site.spaces["r"].inode).values()
    assert hop.hop is not None
    assert (hop.hop.gateway, hop.hop.encap) == (B, "ip6")
    assert found.forward.fate == "unknown"
    assert "put into ip6" in str(found.forward.reason)
