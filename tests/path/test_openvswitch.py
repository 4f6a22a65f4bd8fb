"""Open vSwitch with a datapath of its own: what its flows do to packets, really sent, and what is said of them."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from path_exchanges import ICMP, ICMPV6, UDP, Real, Spaces

from nswire.lab.lab import wait_until
from nswire.path import Flow
from nswire.path.devices import openvswitch_flow
from nswire.path.values import Frame, Packet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.lab.lab import Lab

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
RUN = Path("/run/openvswitch")
NETWORK = """\
a true
b true
h ip link add p1 type veth peer name a0 netns a
h ip link add p2 type veth peer name b0 netns b
h ip link set p1 up
h ip link set p2 up
a ip link set a0 address 02:00:00:00:00:0a
a ip address add 10.0.0.1/24 dev a0
a ip -6 address add fd00::1/64 dev a0 nodad
a ip link set a0 up
a ethtool -K a0 tx off
b ip link set b0 address 02:00:00:00:00:0b
b ip address add 10.0.0.2/24 dev b0
b ip -6 address add fd00::2/64 dev b0 nodad
b ip address add 10.0.1.2/24 dev b0
b ip link set b0 up
b ethtool -K b0 tx off
"""
ROUTED = """\
a ip route add 10.0.1.0/24 via 10.0.0.254
a ip neigh add 10.0.0.254 lladdr 02:00:00:00:00:fe dev a0
b ip route add 10.0.0.1/32 via 10.0.1.254
b ip neigh add 10.0.1.254 lladdr 02:00:00:00:00:fe dev b0
"""
THROUGH = (
    "ip,nw_dst=10.0.1.2,actions=mod_dl_src:02:00:00:00:00:fe,mod_dl_dst:02:00:00:00:00:0b,dec_ttl,output:p2",
    "ip,nw_src=10.0.1.2,actions=mod_dl_src:02:00:00:00:00:fe,mod_dl_dst:02:00:00:00:00:0a,dec_ttl,output:p1",
)


class Switch:
    """The two daemons, and the bridge br0 with the ports p1 and p2."""

    def __init__(self, folder: Path, ending: contextlib.ExitStack) -> None:
        shutil.rmtree(RUN, ignore_errors=True)  # of an engine that was started here before
        ending.callback(shutil.rmtree, RUN)
        RUN.mkdir()
        self._environment = os.environ | {
            "OVS_RUNDIR": str(RUN),
            "OVS_DBDIR": str(folder),
            "OVS_LOGDIR": str(folder),
            "OVS_SYSCONFDIR": str(folder),
        }
        self.run("ovsdb-tool", "create", f"{folder}/conf.db", SCHEMA)
        self._start(ending, "ovsdb-server", f"{folder}/conf.db", f"--remote=punix:{RUN}/db.sock", "--pidfile")
        wait_until((RUN / "db.sock").exists, 20, "the database answers")
        self.run("ovs-vsctl", "--no-wait", "init")
        self._start(ending, "ovs-vswitchd", "--pidfile", "--disable-system")
        ports = ("--", "add-port", "br0", "p1", "--", "add-port", "br0", "p2")
        self.run(
            "ovs-vsctl",
            "--timeout=20",
            "add-br",
            "br0",
            "--",
            "set",
            "bridge",
            "br0",
            "datapath_type=netdev",
            *ports,
        )
        ending.callback(self.run, "ovs-vsctl", "--timeout=20", "del-br", "br0")

    def _start(self, ending: contextlib.ExitStack, *words: str) -> None:
        process = subprocess.Popen(
            words, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        ending.callback(process.wait)
        ending.callback(process.kill)

    def run(self, *words: str) -> None:
        """Run one of its programs."""
        subprocess.run(words, env=self._environment, check=True, capture_output=True, text=True)

    def flows(self, *flows: str) -> None:
        """These flows, and the MAC learning switch below them."""
        self.run("ovs-ofctl", "del-flows", "br0")
        for flow in ("priority=0,actions=NORMAL", *(f"priority=9,{one}" for one in flows)):
            self.run("ovs-ofctl", "add-flow", "br0", flow)


@pytest.fixture
def site(lab: Lab, tmp_path: Path) -> Iterator[tuple[Spaces, Switch]]:
    """Two hosts on one bridge."""
    lab_home = lab.home
    spaces = Spaces(lab, "")
    spaces.spaces["h"] = lab_home
    spaces.run(NETWORK)
    with contextlib.ExitStack() as ending:
        ending.callback(subprocess.run, ["ip", "link", "del", "p1"], check=False)
        ending.callback(subprocess.run, ["ip", "link", "del", "p2"], check=False)
        switch = Switch(tmp_path, ending)
        spaces.settled()
        yield spaces, switch


needs = pytest.mark.needs(
    "ovs-vswitchd", "ovsdb-server", "ovsdb-tool", "ovs-vsctl", "ovs-ofctl", "ethtool", "ip"
)


@needs
@pytest.mark.parametrize("dst", ["10.0.0.2", "fd00::2"])
def test_udp_by_its_ports(site: tuple[Spaces, Switch], dst: str, tmp_path: Path) -> None:
    """Every path of UDP used to be unknown: `tp_dst` is TCP's name in ofproto/trace alone."""
    spaces, switch = site
    switch.flows("udp,tp_dst=53,actions=drop", "udp6,tp_dst=53,actions=drop")
    for port, fate in ((54, "delivered"), (53, "dropped")):
        asked = Flow(dst, "", UDP, 0, port)
        for recording in ("", f"{tmp_path}/recording{port}"):
            said = spaces.said("a", asked, recording=recording)
            # what was not traced when the recording was made is not in it
            assert said.fate == ("unknown" if recording else fate), said.reason
        assert spaces.really("a", asked) == (Real(("b",), "answered") if port == 54 else Real((), ""))


@needs
def test_routed_by_flows(site: tuple[Spaces, Switch]) -> None:
    """As OVN routes: both MACs and the TTL are set, then it goes out."""
    spaces, switch = site
    spaces.run(ROUTED)
    switch.flows(*THROUGH)
    asked = Flow("10.0.1.2", "", ICMP)
    said = spaces.said("a", asked)
    assert (said.fate, said.answer) == ("delivered", "delivered"), said.reason
    assert spaces.really("a", asked) == Real(("b",), "answered")


@needs
def test_given_to_the_controller(site: tuple[Spaces, Switch]) -> None:
    """What an OpenFlow controller does with a packet nobody can tell: unknown, and it says so."""
    spaces, switch = site
    switch.flows("icmp,actions=CONTROLLER:128")
    said = spaces.said("a", Flow("10.0.0.2", "", ICMP))
    assert said.fate == "unknown"
    assert said.trace.forward.reason is not None
    assert said.trace.forward.reason.code == "ovs.controller"


FRAME = Frame("02:00:00:00:00:01", "02:00:00:00:00:02", Packet(Flow("10.0.0.2", "10.0.0.1", UDP, 5, 53)))


@pytest.mark.parametrize(
    ("word", "what"),
    [
        ("set(eth(src=02:00:00:00:00:03,dst=02:00:00:00:00:04))", ("02:00:00:00:00:03", "02:00:00:00:00:04")),
        ("set(eth(dst=02:00:00:00:00:04))", ("02:00:00:00:00:01", "02:00:00:00:00:04")),
    ],
)
def test_macs_are_set(word: str, what: tuple[str, str]) -> None:
    assert openvswitch_flow.understood(word)
    after = openvswitch_flow.changed(FRAME, word)
    assert (after.src, after.dst) == what


def test_what_is_set() -> None:
    """Addresses, ports, TTL, class under a mask, mark, tags."""
    frame = FRAME
    for word in (
        "set(ipv4(src=10.1.0.1,dst=10.1.0.2,tos=0x20/0xfc,ttl=63))",
        "set(udp(src=6,dst=54))",
        "set(skb_mark(0x7))",
        "push_vlan(vid=5,pcp=0)",
        "push_vlan(tpid=0x88a8,vid=6,pcp=0)",
        "pop_vlan",
    ):
        assert openvswitch_flow.understood(word)
        frame = openvswitch_flow.changed(frame, word)
    packet = frame.packet
    assert packet.flow == Flow("10.1.0.2", "10.1.0.1", UDP, 6, 54)
    assert (packet.hops, packet.tos, packet.mark, frame.vlans) == (63, 0x20, 7, (("802.1Q", 5),))


@pytest.mark.parametrize(
    "word",
    [
        "set(eth(dst=02:00:00:00:00:04/ff:ff:ff:00:00:00))",
        "set(ipv4(frag=no))",
        "set(tunnel(dst=10.0.0.9))",
        "ct(commit)",
        "userspace(pid=0,controller(reason=1))",
        "push_mpls(label=1)",
    ],
)
def test_what_is_not_understood(word: str) -> None:
    assert not openvswitch_flow.understood(word)


@given(st.text(alphabet="set(ipv4=/,0x1.:)udpush_vlan", max_size=40))
def test_any_action(word: str) -> None:
    """One that is understood changes the frame, and raises nothing."""
    if openvswitch_flow.understood(word):
        openvswitch_flow.changed(FRAME, word)


def test_how_it_is_asked() -> None:
    """Each protocol has names of its own for its ports."""
    for proto, words in (
        (UDP, "udp,nw_src=10.0.0.1,nw_dst=10.0.0.2,udp_src=5,udp_dst=53"),
        (6, "tcp_src=5,tcp_dst=53"),
        (132, "sctp_src=5,sctp_dst=53"),
    ):
        packet = Packet(Flow("10.0.0.2", "10.0.0.1", proto, 5, 53), hops=9)
        assert f"{words},nw_ttl=9" in openvswitch_flow.flow(
            1, Frame("02:00:00:00:00:01", "02:00:00:00:00:02", packet)
        )
    six = Packet(Flow("fd00::2", "fd00::1", ICMPV6))
    assert "icmp6,ipv6_src=fd00::1,ipv6_dst=fd00::2,icmpv6_type=128" in openvswitch_flow.flow(
        1, Frame("", "", six)
    )
    answer = Frame("02:00:00:00:00:01", "02:00:00:00:00:02", FRAME.packet, asks="10.0.0.2", tells="10.0.0.1")
    assert "arp_op=2,arp_spa=10.0.0.2,arp_tpa=10.0.0.1" in openvswitch_flow.flow(1, answer)
