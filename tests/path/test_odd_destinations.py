"""Packets for no address, for a router's anycast address, in frames for everybody; and the marks of their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from path_exchanges import ICMP, ICMPV6, TCP, UDP, Real, Spaces

import nswire
from nswire.path import Flow, trace

if TYPE_CHECKING:
    from pathlib import Path

    from path_exchanges import Said

    from nswire.lab.lab import Lab
    from nswire.model.tables import Lookups
    from nswire.model.values import NsKey

BASE = """
a ip link add a0 type veth peer name b0 netns b
a ip address add 10.0.0.1/24 dev a0
a ip address add fd01::1/64 dev a0 nodad
b ip address add 10.0.0.2/24 dev b0
b ip address add fd01::2/64 dev b0 nodad
a ip link set lo up
a ip link set a0 up
b ip link set lo up
b ip link set b0 up
b sysctl -qw net.ipv6.neigh.b0.proxy_delay=0
"""
PORT = 9700

pytestmark = pytest.mark.needs("ip", "sysctl")


def all_said(spaces: Spaces, start: str, flow: Flow, tmp_path: Path) -> list[Said]:
    """Live, from the tables alone, and from a recording."""
    return [
        spaces.said(start, flow),
        spaces.said(start, flow, tables=True),
        spaces.said(start, flow, recording=f"{tmp_path}/host.nsw"),
    ]


@pytest.mark.parametrize("proto", [ICMP, ICMPV6, TCP, UDP])
def test_no_address(lab: Lab, tmp_path: Path, proto: int) -> None:
    """To connect to 0.0.0.0 or :: is to connect to oneself."""
    spaces = Spaces(lab, BASE)
    spaces.settled()
    for dst in ("0.0.0.0", "::"):
        if proto == (ICMPV6 if dst == "0.0.0.0" else ICMP):
            continue
        flow = Flow(dst, "", proto, 0, PORT if proto in (TCP, UDP) else 0)
        for source in ("", "10.0.0.1") if dst == "0.0.0.0" else ("", "fd01::1"):
            sent = Flow(dst, source, proto, 0, flow.dport)
            real = spaces.really("a", sent)
            assert real == Real(("a",), "answered")
            for said in all_said(spaces, "a", sent, tmp_path):
                assert said.as_real == real, (dst, source, said.reason)


@pytest.mark.parametrize("forwarding", [0, 1])
def test_a_routers_anycast_address(lab: Lab, tmp_path: Path, forwarding: int) -> None:
    """PREFIX:: is an address of each router on the link; TCP takes no connection to it."""
    spaces = Spaces(lab, f"{BASE}b sysctl -qw net.ipv6.conf.all.forwarding={forwarding}")
    spaces.settled()
    for start in ("a", "b"):
        for proto in (ICMPV6, UDP, TCP):
            flow = Flow("fd01::", "", proto, 0, 0 if proto == ICMPV6 else PORT)
            told = all_said(spaces, start, flow, tmp_path)
            spaces.run("a ip neigh flush all")
            real = spaces.really(start, flow)
            told += all_said(spaces, start, flow, tmp_path)  # its neighbour is known by now
            for said in told:
                if not forwarding:
                    assert said.as_real == real == Real((), ""), (start, proto, said.reason)
                elif proto == TCP:
                    assert real == Real(("b",), "")
                    assert said.fate == "dropped"
                    assert said.trace.forward.reason is not None
                    assert said.trace.forward.reason.code == "local.anycast_tcp", (start, said.reason)
                elif proto == UDP:  # whether the server chooses the address that it was asked at
                    assert real.at == said.at == ("b",)
                    assert said.answer == "unknown"
                else:
                    assert said.as_real == real == Real(("b",), "answered"), (start, proto, said.reason)


@pytest.mark.parametrize("mac", ["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:07"])
def test_a_frame_for_everybody(lab: Lab, tmp_path: Path, mac: str) -> None:
    """A neighbour with such a MAC, as of a cluster: what comes so is for no connection of TCP, and is not forwarded."""
    spaces = Spaces(lab, BASE)
    spaces.settled()
    spaces.run(
        f"a ip neigh replace 10.0.0.2 lladdr {mac} dev a0 nud permanent\n"
        f"a ip neigh replace fd01::2 lladdr {mac} dev a0 nud permanent\n"
        "a ip route add 10.9.9.9 via 10.0.0.2\nb sysctl -qw net.ipv4.ip_forward=1\nb ip route add 10.9.9.9 dev b0\n"
    )
    for dst in ("10.0.0.2", "fd01::2", "10.9.9.9"):
        for proto in (ICMPV6 if ":" in dst else ICMP, UDP, TCP):
            flow = Flow(dst, "", proto, 0, PORT if proto in (TCP, UDP) else 0)
            real = spaces.really("a", flow)
            for said in all_said(spaces, "a", flow, tmp_path):
                if proto == TCP or dst == "10.9.9.9":
                    assert real.answer == ""
                    assert said.fate == "dropped", (dst, proto, said.reason)
                    assert mac in said.reason
                else:
                    assert said.as_real == real == Real(("b",), "answered"), (dst, proto, said.reason)


MARKED = """
b ip link add b1 type veth peer name c1 netns c
c ip link set c1 up
b ip link set b1 up
b ip route add 10.0.0.1/32 dev b1 table 77
b ip -6 route add fd01::1/128 dev b1 table 77
b ip rule add fwmark 7 lookup 77
b ip -6 rule add pref 100 fwmark 7 lookup 77
b nft 'table inet t { chain p { type filter hook prerouting priority -150; iifname b0 meta l4proto { tcp, udp, icmp, icmpv6 } meta mark set 7; }; }'
"""


@pytest.mark.needs("nft")
def test_the_mark_of_an_answer(lab: Lab, tmp_path: Path) -> None:
    """What the kernel answers itself has the packet's by fwmark_reflect, a connection by tcp_fwmark_accept, other sockets' none."""
    spaces = Spaces(lab, BASE + MARKED)
    spaces.settled()
    seen = set()
    for reflect, accept in ((0, 0), (0, 1), (1, 0), (1, 1)):
        spaces.run(
            f"b sysctl -qw net.ipv4.fwmark_reflect={reflect} net.ipv6.fwmark_reflect={reflect} net.ipv4.tcp_fwmark_accept={accept}"
        )
        for dst, proto in (("10.0.0.2", ICMP), ("10.0.0.2", UDP), ("10.0.0.2", TCP), ("fd01::2", TCP)):
            flow = Flow(dst, "", proto, 0, PORT if proto != ICMP else 0)
            for listens in (True, False) if proto == TCP else (True,):
                real = spaces.really("a", flow, listen=None if listens else ())
                seen.add((proto, listens, reflect, accept, real.answer))
                both = spaces.both("a", flow) if listens else (spaces.said("a", flow), real)
                assert both[1] == real
                assert both[0].answer == ("delivered" if real.answer else "dropped"), (
                    dst,
                    proto,
                    reflect,
                    accept,
                    listens,
                )
    answers = {answer for *_, answer in seen}
    assert answers == {"answered", "refused", ""}
    said = spaces.said("a", Flow("10.0.0.2"), recording=f"{tmp_path}/host.nsw")
    assert said.answer == "dropped"


class Unswitched:
    """Lookups as of a recording from before these switches were asked for."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups

    def __getattr__(self, name: str) -> object:
        return getattr(self._lookups, name)

    def sysctl(self, ns: NsKey, name: str, ifname: str = "", /) -> int | None:
        """As they are, but for these."""
        return None if "fwmark" in name else self._lookups.sysctl(ns, name, ifname)


@pytest.mark.needs("nft")
def test_a_switch_that_was_not_recorded(lab: Lab) -> None:
    """Both are possible, and here they are two fates."""
    spaces = Spaces(lab, BASE + MARKED)
    spaces.settled()
    topology = nswire.scan()
    found = trace(topology, Unswitched(topology.lookups()), spaces["a"].inode, Flow("10.0.0.2"))  # type: ignore[arg-type]
    assert found.reply is not None
    assert {way.fate for way in found.reply.ways} == {"delivered", "dropped"}
    assert "fwmark_reflect is 0" in str(found.reply.reason)
