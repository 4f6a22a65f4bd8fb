"""Answers in namespaces that have not seen what was asked, and frames that are filtered while they are bridged."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from filter_faults import A6, B6, ICMPV6, TCP, UDP, A, B, Case, Flow, Router, chain

from nswire.discover import firewalls

if TYPE_CHECKING:
    from pathlib import Path

    from nswire.lab.lab import Lab
    from nswire.model.firewall import Firewall

PING, TCP80, UDP53 = Flow(B), Flow(B, "", TCP, 0, 80), Flow(B, "", UDP, 0, 53)
TRIANGLE = """\
q ip link add qb type veth peer name eb2 netns b
q ip link add qa type veth peer name ea2 netns a
q ip address add 10.0.4.1/24 dev qb
q ip address add 10.0.3.1/24 dev qa
q ip link set lo up
q ip link set qa up
q ip link set qb up
q ip route add 10.0.1.2/32 via 10.0.3.2
q sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0
a ip address add 10.0.3.2/24 dev ea2
a ip link set ea2 up
b ip address add 10.0.4.2/24 dev eb2
b ip link set eb2 up
b ip route add 10.0.1.0/24 via 10.0.4.1
"""
"""The answers of b come back by q, which has not seen what they answer."""
MASQUERADE = chain("masquerade", "postrouting", "100", "nat")
ASYMMETRIC = [
    Case("", "answered", TCP80, "q"),
    Case(chain("ct state invalid drop"), "arrives", TCP80, "q"),
    Case(chain("ct state invalid drop"), "arrives", PING, "q"),
    Case(chain("ct state invalid drop"), "answered", UDP53, "q"),
    Case(chain("policy drop; ct state new accept"), "answered", UDP53, "q"),
    Case(chain("policy drop; ct state established accept"), "arrives", UDP53, "q"),
    Case(chain("policy drop; ct state established accept"), "arrives", PING, "q"),
    Case(MASQUERADE, "answered", PING, "q"),
    Case(MASQUERADE, "answered", TCP80, "q"),
    Case(MASQUERADE, "arrives", UDP53, "q"),
    Case(chain("dnat to 10.0.3.9", "prerouting", "-100", "nat"), "answered", PING, "q"),
    Case(chain("dnat to 10.0.3.9", "prerouting", "-100", "nat"), "answered", TCP80, "q"),
    Case(chain("dnat to 10.0.3.9", "prerouting", "-100", "nat"), "arrives", UDP53, "q"),
    Case(chain("ct mark 0 drop; ct direction original drop"), "answered", TCP80, "q"),
    Case(chain("ct state invalid drop", "input"), "answered", TCP80, "a"),
]
BRIDGE = """\
r ip link add br0 address 02:00:00:00:09:01 type bridge
r ip link add pa type veth peer name ea address 02:00:00:00:01:02 netns a
r ip link add pb type veth peer name eb address 02:00:00:00:02:02 netns b
r ip link set pa master br0
r ip link set pb master br0
r ip address add 10.0.1.1/24 dev br0
r ip link set br0 up
r ip link set pa up
r ip link set pb up
r ip link set lo up
r sysctl -qw net.ipv4.ip_forward=1
r sysctl -qw net.bridge.bridge-nf-call-iptables=0 2>/dev/null || :
a ip address add 10.0.1.2/24 dev ea
a ip address add fd00:1::2/64 dev ea nodad
a ip link set ea up
b ip address add 10.0.1.3/24 dev eb
b ip address add fd00:1::3/64 dev eb nodad
b ip link set eb up
"""
PEER = "10.0.1.3"
ASKED, TOLD = Flow(PEER, "", UDP, 0, 53), Flow(PEER)
NF, NO_NF = (
    "r sysctl -qw net.bridge.bridge-nf-call-iptables=1",
    "r sysctl -qw net.bridge.bridge-nf-call-iptables=0",
)
BRIDGED = [
    Case(chain("meta pkttype host drop", "prerouting", family="bridge"), "answered", TOLD),
    Case(chain("ether type ip meta pkttype other drop", "prerouting", family="bridge"), "lost", TOLD),
    Case(chain("ether type ip meta pkttype other drop", family="bridge"), "lost", TOLD),
    Case(chain("ether type ip meta pkttype host drop", "prerouting", family="bridge"), "lost", Flow("10.0.1.1"), at="r"),
    Case(chain("meta protocol arp drop", family="bridge"), "lost", TOLD, also="a ip neigh flush all", undo="a ip neigh flush all"),
    Case(chain("arp operation request arp daddr ip 10.0.1.3 drop", family="bridge"), "lost", TOLD, also="a ip neigh flush all\nb ip neigh flush all"),
    Case(chain("arp operation reply drop", family="bridge"), "lost", TOLD, also="a ip neigh flush all\nb ip neigh flush all"),
    Case(chain("ether saddr 02:00:00:00:01:02 ether type ip drop", family="bridge"), "lost", TOLD),
    Case(chain("ip protocol != tcp ether type ip drop", family="bridge"), "lost", TOLD),
    Case(chain("ip6 nexthdr != tcp drop", family="bridge"), "answered", TOLD),
    Case(chain("ip protocol != tcp drop", family="bridge"), "answered", Flow("fd00:1::3", "", ICMPV6)),
    Case(chain("vlan id 5 drop; ether type vlan drop", family="bridge"), "answered", TOLD),
    Case(chain("meta mark set 5", "prerouting", "-300", family="bridge") + "table bridge f { chain f { type filter hook forward priority 0; mark 5 drop; }; }", "lost", TOLD),
    Case(chain("udp dport 53 drop"), "answered", ASKED),
    Case(chain("udp dport 53 drop"), "lost", ASKED, also=NF, undo=NO_NF),
    Case(chain("meta pkttype other drop"), "answered", ASKED, also=NF, undo=NO_NF),
    Case(chain("ct state new drop", family="inet"), "lost", ASKED, also=NF, undo=NO_NF),
    Case(chain('iifname "br0" oifname "br0" udp dport 53 drop'), "lost", ASKED, also=NF, undo=NO_NF),
]  # fmt: skip
VLANS = """\
r ip link set br0 type bridge vlan_filtering 1
r bridge vlan add vid 10 dev pa pvid untagged
r bridge vlan add vid 10 dev pb
b ip address flush dev eb
b ip link add link eb name eb.10 type vlan id 10
b ip address add 10.0.1.3/24 dev eb.10
b ip link set eb.10 up
"""
TAGGED = [
    Case("", "answered", TOLD),
    Case(
        chain("vlan id 10 ether saddr 02:00:00:00:01:02 drop", "prerouting", family="bridge"),
        "answered",
        TOLD,
    ),
    Case(chain("vlan id 10 ether saddr 02:00:00:00:02:02 drop", "prerouting", family="bridge"), "?", TOLD),
    Case(chain("vlan id 10 vlan type ip drop", family="bridge"), "lost", TOLD),
    Case(chain("ether type vlan vlan type ip drop", family="bridge"), "lost", TOLD),
    Case(chain("ether type ip ether daddr 02:00:00:00:02:02 drop", family="bridge"), "answered", TOLD),
    Case(chain("ip protocol icmp drop", family="bridge"), "lost", TOLD),
]
SHARED = """\
r ip link add br0 address 02:00:00:00:09:01 type bridge
r ip link add pa type veth peer name ea address 02:00:00:00:01:02 netns a
r ip link add pb type veth peer name eb address 02:00:00:00:02:02 netns b
r ip link set pa master br0
r ip link set pb master br0
r ip address add 10.0.0.1/24 dev br0
r ip link set br0 up
r ip link set pa up
r ip link set pb up
r ip link set lo up
r sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.br0.send_redirects=0
r sysctl -qw net.bridge.bridge-nf-call-iptables=0 2>/dev/null || :
a ip address add 10.0.0.2/24 dev ea
a ip link set ea up
b ip address add 10.0.0.3/24 dev eb
b ip link set eb up
b ip route add 10.0.0.2/32 via 10.0.0.1
"""
"""What a sends to b is bridged, and what b answers is routed, by one and the same r."""
ANSWERED_BY_ROUTE = [
    Case("", "answered", Flow("10.0.0.3")),
    Case("", "answered", Flow("10.0.0.3", "", TCP, 0, 80)),
    Case(MASQUERADE, "answered", Flow("10.0.0.3")),
    Case(MASQUERADE, "arrives", Flow("10.0.0.3", "", UDP, 0, 53)),
    Case(chain("ct state invalid drop"), "arrives", Flow("10.0.0.3", "", TCP, 0, 80)),
    Case(chain("ct state established accept; drop"), "arrives", Flow("10.0.0.3", "", TCP, 0, 80)),
]


@pytest.mark.needs("ip", "nft", "sysctl")
def test_answers_that_come_another_way(lab: Lab) -> None:
    """A namespace that has not tracked a connection makes nothing of its answer: it is invalid there, or new."""
    router = Router(lab)
    router.spaces.run(TRIANGLE)
    router.spaces.settled()
    assert not (found := router.wrong(ASYMMETRIC)), "\n".join(found)


@pytest.mark.needs("ip", "nft", "sysctl")
def test_answers_that_are_routed_where_the_question_was_bridged(lab: Lab) -> None:
    """One namespace, and still it has not seen what was asked."""
    found = Router(lab, SHARED).wrong(ANSWERED_BY_ROUTE)
    assert not found, "\n".join(found)


@pytest.mark.needs("ip", "nft", "sysctl")
def test_frames_that_are_bridged(lab: Lab) -> None:
    """The chains of family bridge, and those of IP by br_netfilter."""
    router = Router(lab, BRIDGE)
    cases = (
        BRIDGED
        if router.has("/proc/sys/net/bridge")
        else [one for one in BRIDGED if not one.also.startswith(NF)]
    )
    found = router.wrong(cases)
    assert not found, "\n".join(found)


@pytest.mark.needs("ip", "nft", "sysctl")
def test_frames_with_tags(lab: Lab) -> None:
    """A tag is seen as the frame came in, and as it is to go out."""
    router = Router(lab, BRIDGE)
    try:
        router.spaces.run(VLANS)
    except subprocess.CalledProcessError:
        pytest.skip("this kernel's bridges have no VLANs")
    router.spaces.settled()
    found = router.wrong(TAGGED)
    assert not found, "\n".join(found)


@pytest.mark.needs("ip", "nft", "sysctl")
def test_rules_that_change_while_they_are_read(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are read again; if that does not end, nothing is said of them."""
    router = Router(lab)
    read, calls = firewalls.read, list[int]()
    most = 1

    def changing(ask: Any, *, switches: bool) -> Firewall:
        found = read(ask, switches=switches)
        if len(calls) < most:
            calls.append(1)
            router.load("r", chain(f"udp dport 53 drop; udp dport {len(calls)} accept"))
        return found

    monkeypatch.setattr(firewalls, "read", changing)
    said = router.spaces.said("a", UDP53)
    assert said.fate == "dropped", said.reason
    assert "udp dport 53 drop" in said.reason
    calls.clear()
    most = 100
    said = router.spaces.said("a", UDP53)
    assert said.fate == "unknown"
    assert "it changed all the time" in said.reason
    assert any("it changed all the time" in gap.why for gap in said.topology.gaps)


RECORDED = (
    'table netdev t { chain c { type filter hook ingress device "ra" priority 0; ip daddr 10.0.2.2 drop; }; }',
    "table ip t { flags dormant; chain f { type filter hook forward priority 0; drop; }; }\ntable ip u { }",
    chain("iifgroup 0 fib saddr . iif oif exists udp sport 32768-60999 drop", "prerouting", "-150"),
    (
        "table ip t { set s { type ipv4_addr . inet_service; elements = { 10.0.1.2 . 53, 10.0.2.2 . 53 }; }; "
        "chain f { type filter hook forward priority 0; ip daddr . udp dport @s drop; }; }"
    ),
    chain("ct state new udp dport vmap { 53 : drop, * : accept }"),
)


@pytest.mark.needs("ip", "nft", "sysctl")
def test_a_recording_has_all_that_rules_are_judged_by(lab: Lab, tmp_path: Path) -> None:
    """Lists that nft leaves half of out, groups, ports, sets: as live."""
    router = Router(lab)
    for at, rules in enumerate(RECORDED):
        router.load("r", rules)
        live = router.spaces.said("a", UDP53)
        recorded = router.spaces.said("a", UDP53, recording=f"{tmp_path}/{at}.nsw")
        assert (recorded.fate, recorded.reason) == (live.fate, live.reason), rules
        assert live.fate == ("delivered" if "dormant" in rules else "dropped"), live.reason


_ = (A, A6, B6)
