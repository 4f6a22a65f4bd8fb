"""From a VRF, one of its ports, an address in it: the look-up is the VRF's, there and back."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from path_exchanges import ICMP, TCP, Listening, Real, Spaces

import nswire
from nswire.path import Flow
from nswire.path.query import Party, Wanted, complete, follow

if TYPE_CHECKING:
    from pathlib import Path

    from nswire.lab.lab import Lab

# a0 is in vrf0 and a1 in vrf1; what is behind b can be reached by vrf0 alone
TWO = """
a ip link add vrf0 type vrf table 100
a ip link add vrf1 type vrf table 101
a ip link set vrf0 up
a ip link set vrf1 up
a ip link add a0 type veth peer name b0 netns b
a ip link add a1 type veth peer name c0 netns c
a ip link set a0 master vrf0
a ip link set a1 master vrf1
a ip address add 10.0.1.1/24 dev a0
a ip address add 10.0.2.1/24 dev a1
a ip link set a0 up
a ip link set a1 up
a ip route add 10.9.0.0/24 via 10.0.1.2 dev a0 vrf vrf0
b ip address add 10.0.1.2/24 dev b0
b ip link set lo up
b ip link set b0 up
b ip address add 10.9.0.1/32 dev lo
c ip address add 10.0.2.2/24 dev c0
c ip link set c0 up
"""


def asked(spaces: Spaces, start: str, dst: str, topology: nswire.Topology, **more: str) -> tuple[str, str]:
    """The fates of a packet from a link or an address of a, and of its answer."""
    inode = spaces["a"].inode
    links = [
        one
        for one in topology
        if one.end.ns == inode and start in (one.ifname, *(ip.ip for ip in one.addresses))
    ]
    namespace = topology.namespaces[inode] if start == "a" else None
    question = complete(topology, Party(start, links, namespace), Party(dst), Wanted(**more))  # type: ignore[arg-type]
    found = follow(topology, question, Wanted(**more))  # type: ignore[arg-type]
    return found.forward.fate, found.reply.fate if found.reply is not None else str(found.forward.reason)


@pytest.fixture
def spaces(lab: Lab) -> Spaces:
    """The network."""
    try:
        made = Spaces(lab, TWO)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"this kernel: {error.stderr}")
    made.settled()
    return made


@pytest.mark.needs("ip")
def test_from_a_vrf(spaces: Spaces, tmp_path: Path) -> None:
    """As a program that is bound to it; one that is bound to nothing has no route there."""
    flow = Flow("10.9.0.1", "", ICMP)
    assert spaces.really("a", flow) == Real((), "")
    assert spaces.really("a", flow, device="vrf0") == Real(("b",), "answered")
    assert spaces.really("a", flow, device="vrf1") == Real((), "")
    file = f"{tmp_path}/host.nsw"
    nswire.record(file)
    for topology in (nswire.scan(), nswire.load(file)):
        for start in ("vrf0", "a0", "10.0.1.1"):
            assert asked(spaces, start, "10.9.0.1", topology) == ("delivered", "delivered"), start
        assert asked(spaces, "a", "10.9.0.1", topology, src="10.0.1.1") == ("delivered", "delivered")
        assert asked(spaces, "a", "10.9.0.1", topology) == ("dropped", "there is no route to 10.9.0.1")
        assert asked(spaces, "vrf1", "10.9.0.1", topology)[0] == "dropped"
        assert asked(spaces, "a1", "10.0.2.2", topology) == ("delivered", "delivered")


@pytest.mark.needs("ip", "sysctl")
def test_to_an_address_in_a_vrf(spaces: Spaces, tmp_path: Path) -> None:
    """The answer goes back by the VRF; and an address of its own is reached by the VRF, not by lo."""
    to = Flow("10.0.1.1", "", TCP, 0, 80)
    server = (Listening("a", 80, device="vrf0"),)
    assert spaces.really("b", to, listen=server) == Real(("a",), "answered")
    own = spaces.really("a", to, listen=server, device="vrf0")
    assert own == Real(("a",), "answered")
    for recording in ("", f"{tmp_path}/host.nsw"):
        with spaces.listening(to, *server):
            assert spaces.said("b", to, recording=recording).as_real == Real(("a",), "answered")
    for topology in (nswire.scan(), nswire.load(f"{tmp_path}/host.nsw")):
        assert asked(spaces, "vrf0", "10.0.1.1", topology) == ("delivered", "delivered")


@pytest.mark.needs("ip", "nft")
@pytest.mark.parametrize("link", ["vrf0", "a0"])
@pytest.mark.parametrize("hook", ["output", "postrouting"])
def test_hooks_of_a_vrf(spaces: Spaces, link: str, hook: str) -> None:
    """What it sends meets them twice: as one of the VRF, and as one of the port."""
    spaces.run(
        f"a nft 'table ip t {{ chain c {{ type filter hook {hook} priority 0; oifname {link} ip daddr 10.9.0.1 drop; }}; }}'"
    )
    assert spaces.really("a", Flow("10.9.0.1"), device="vrf0") == Real((), "")
    assert asked(spaces, "vrf0", "10.9.0.1", nswire.scan())[0] == "dropped"
