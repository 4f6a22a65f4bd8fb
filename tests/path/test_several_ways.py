"""A packet that may go several ways: what is certain of all of them, and what it depends on."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from path_exchanges import Spaces

from nswire.model.reasons import Reason
from nswire.path import Flow
from nswire.path.values import Mend, Way, Ways
from nswire.show.terminal import Paper
from nswire.show.text_path import verdict, write_trace

if TYPE_CHECKING:
    from pathlib import Path

    from nswire.lab.lab import Lab

FORK = """
pc ip link add p0 type veth peer name g0 netns gw
pc ip link add p1 type veth peer name v0 netns vpn
pc ip address add 10.0.0.1/24 dev p0
pc ip address add 10.0.1.1/24 dev p1
pc ip link set lo up
pc ip link set p0 up
pc ip link set p1 up
gw ip address add 10.0.0.2/24 dev g0
gw ip address add 203.0.113.9/32 dev lo
gw ip link set lo up
gw ip link set g0 up
vpn ip address add 10.0.1.2/24 dev v0
vpn ip address add 203.0.113.9/32 dev lo
vpn ip link set lo up
vpn ip link set v0 up
pc ip route add default via 10.0.0.2
pc ip route add default via 10.0.1.2 table 100
pc ip rule add uidrange 1000-1000 lookup 100
"""
WHY = Reason("test.why", "because of {what}")


@pytest.mark.needs("ip")
def test_one_fate_and_two_ends(lab: Lab) -> None:
    """That it arrives is certain, and where is not: that is told, and the way that both share told once."""
    spaces = Spaces(lab, FORK)
    spaces.settled()
    said = spaces.said("pc", Flow("203.0.113.9"))
    assert (said.fate, said.at) == ("delivered", ("gw", "vpn"))
    assert said.reason == (
        "it depends where: 203.0.113.9 is an address of gw if the rule `32765: from all uidrange 1000-1000 lookup 100` does not take it, "
        "203.0.113.9 is an address of vpn if the rule `32765: from all uidrange 1000-1000 lookup 100` takes it"
    )
    assert verdict(said.topology, said.trace.forward) == f"delivered: {said.reason}"
    file = io.StringIO()
    write_trace(Paper(file, columns=200, color=False), said.topology, said.trace, notes=(), hops=False)
    text = file.getvalue().partition("\nreply\n")[0]
    assert text.count("\npc\n") == 1
    assert text.count("lookup 100` takes it:") == 1


@pytest.mark.needs("ip", "nft")
def test_whose_packet_it_is(lab: Lab, tmp_path: Path) -> None:
    """A rule by user is decided where the user is given; so is one of nft."""
    spaces = Spaces(lab, FORK)
    spaces.settled()
    for recording in ("", f"{tmp_path}/host.nsw"):
        for uid, at in ((1000, "vpn"), (0, "gw"), (1001, "gw")):
            said = spaces.said("pc", Flow("203.0.113.9"), recording=recording, uid=uid)
            assert (said.fate, said.at) == ("delivered", (at,)), said.reason
    spaces.run(
        "pc nft 'table ip t { chain o { type filter hook output priority 0; meta skuid 1001 drop; }; }'"
    )
    assert spaces.said("pc", Flow("203.0.113.9"), uid=1001).fate == "dropped"
    assert spaces.said("pc", Flow("203.0.113.9"), uid=1000).at == ("vpn",)


@pytest.mark.needs("ip", "sysctl", "nft")
def test_what_is_forwarded_is_nobodys(lab: Lab, tmp_path: Path) -> None:
    """A rule by user takes what comes from elsewhere as root's."""
    lines = (
        "gw sysctl -qw net.ipv4.ip_forward=1\ngw ip link add g1 type veth peer name f0 netns far\n"
        "gw ip address add 10.0.9.1/24 dev g1\ngw ip link set g1 up\n"
        "far ip address add 10.0.9.2/24 dev f0\nfar ip link set f0 up\nfar ip route add default via 10.0.9.1\n"
        "pc ip route add 10.0.9.0/24 via 10.0.0.2\n"
    )
    spaces = Spaces(lab, FORK + lines)
    spaces.settled()
    flow = Flow("10.0.9.2", "10.0.0.1", 17, 0, 53)
    for rule, at in (("1000-1000", ("far",)), ("0-0", ())):
        spaces.run(f"gw ip rule add pref 5 uidrange {rule} to 10.0.9.2 blackhole")
        assert spaces.really("pc", flow).at == at
        for recording in ("", f"{tmp_path}/{rule}.nsw"):
            assert spaces.said("pc", flow, recording=recording).at == at


@pytest.mark.needs("ip")
def test_a_cure_for_one_way_alone_is_none(lab: Lab) -> None:
    """Both ways end where a link is down, but not the same link."""
    spaces = Spaces(lab, FORK + "gw ip link set g0 down\nvpn ip link set v0 down")
    said = spaces.said("pc", Flow("203.0.113.9"))
    assert said.fate == "dropped"
    assert said.reason.startswith("it depends why: ")
    assert [way.mend is not None for way in said.trace.forward.ways] == [True, True]
    assert said.trace.forward.mend is None


def test_what_all_ways_have_in_common() -> None:
    """Fate, reason and cure count where they are those of all."""
    mend, other = Mend("would help"), Mend("would not")
    a = Way("dropped", (), WHY(what="a"), mend, ("x",))
    b = Way("dropped", (), WHY(what="b"), mend, ("y",))
    assert str(Ways((a, a)).reason) == "because of a"
    assert str(Ways((a, b)).reason) == "it depends why: because of a if x, because of b if y"
    assert Ways((a, b)).mend == mend
    assert Ways((a, Way("dropped", (), WHY(what="a"), other))).mend is None
    assert Ways((Way("delivered", ()), a)).mend == mend
    lost = Way("unknown", (), WHY(what="c"), None, ("z",))
    assert Ways((lost, lost), more=True).reason == lost.reason
    assert str(Ways((lost, Way("unknown", (), WHY(what="d"), None, ("w",)))).reason).startswith(
        "it depends why: "
    )
    assert Ways((a,), more=True).fate == "unknown"
    assert "more possibilities" in str(Ways((a,), more=True).reason)
