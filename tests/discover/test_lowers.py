"""What links stand on: macvlan and vxlan, which every kernel here has; the other kinds in VMs."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

import nswire
from nswire.resolve.uplinks import up

if TYPE_CHECKING:
    from nswire.lab.lab import Lab

pytestmark = pytest.mark.needs("ip")


def ip(*words: str) -> None:
    """Run iproute2."""
    subprocess.run(["ip", *words], check=True)


@pytest.fixture
def parent(lab: Lab) -> str:
    """A link at home that others may stand on, and the namespace `inner`."""
    lab.namespace("named", "inner")
    lab.pair(lab.home, "nic0", lab.home, "wall0", index=40, peer_index=41)
    return "nic0"


@pytest.mark.usefixtures("lab")
def test_macvlan_beside_another_link_with_its_parents_index(parent: str) -> None:
    """The parent is 40 at home; the 40 beside the macvlan is another link, which `ip link` shows as its parent."""
    ip("link", "add", "link", parent, "name", "mv0", "index", "50", "type", "macvlan", "mode", "bridge")
    ip("link", "set", "mv0", "netns", "inner")
    ip("-n", "inner", "link", "add", "x1", "index", "40", "type", "veth")
    topology = nswire.scan()
    link = topology.link("inner/mv0")
    assert link.lower == topology.link(parent)
    assert link.peer is None
    assert [(wire.relation, wire.evidence) for wire in link.lower_wires] == [("lower", "proved")]
    assert link in topology.link("nic0").uppers
    first = up(link).steps[0]
    assert (first.relation, first.link) == ("lower", topology.link("nic0"))


def test_equal_indexes_of_macvlan_and_parent(lab: Lab, parent: str) -> None:
    """The same ifindex at both ends must not look like a link that stands on itself."""
    inner = lab.namespaces[0]
    with lab.home.rtnl() as writer:
        try:
            writer.link("mv1", "macvlan", index=40, lower=40, netns_fd=inner.fd)
        except FileExistsError:
            pytest.skip("this kernel makes a link at home before it moves it")
    topology = nswire.scan()
    link = topology.link("mv1")
    assert link.ifindex == topology.link(parent).ifindex == 40
    assert link.lower == topology.link(parent)


@pytest.mark.usefixtures("lab")
def test_vxlan_that_was_moved(parent: str) -> None:
    """Moved, its IFLA_LINK is its own ifindex: the link it stands on is in its data."""
    ip("link", "add", "vx0", "type", "vxlan", "id", "7", "dev", parent, "dstport", "4789")
    topology = nswire.scan()
    assert topology.link("vx0").lower == topology.link(parent)
    ip("link", "set", "vx0", "netns", "inner")
    topology = nswire.scan()
    link = topology.link("inner/vx0")
    assert link.lower == topology.link(parent)
    assert [wire.relation for wire in link.lower_wires] == ["underlay"]


def test_vxlan_on_nothing(lab: Lab) -> None:
    """Without a device the routes decide: no wire, and nothing missing."""
    ip("link", "add", "vx1", "type", "vxlan", "id", "8", "dstport", "4790", "remote", "192.0.2.9")
    lab.undo_link(lab.rtnl(lab.home).index("vx1"))
    topology = nswire.scan()
    assert topology.link("vx1").lower is None
    assert topology.link("vx1").loose is None


def test_a_lower_link_in_a_hidden_namespace(lab: Lab) -> None:
    """A macvlan whose parent's namespace only a descriptor in flight holds: read through its nsid."""
    hidden = lab.namespace("in-flight")
    lab.pair(hidden, "deep0", hidden, "deep1", index=60, peer_index=61)
    with hidden.rtnl() as writer:
        writer.link("mv2", "macvlan", index=62, lower=60, netns_fd=lab.home.fd)
    lab.undo_link(62)
    lab.release()
    topology = nswire.scan()
    lower = topology.link("mv2").lower
    assert lower is not None
    assert (lower.ifname, lower.netns.hidden) == ("deep0", True)
    assert lower.peer is not None
    assert lower.peer.ifname == "deep1"
