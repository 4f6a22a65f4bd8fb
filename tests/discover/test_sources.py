"""Each source by contrast: what it finds is found with it and not found without it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

import nswire
from nswire.sources import ALL, EAGER

if TYPE_CHECKING:
    from pathlib import Path

    from nswire.lab.netns import Kind
    from nswire.lab.truth import Lab

CASES: list[tuple[Kind, set[str], str]] = [
    ("named", {"mounts"}, "mount"),
    ("mounted", {"mounts"}, "mount"),
    ("mounted-elsewhere", {"mounts"}, "mount"),
    ("process", {"processes"}, "process"),
    ("thread", {"threads"}, "thread"),
    ("descriptor", {"fds"}, "fd"),
    ("netlink-socket", {"sockets"}, "socket"),
    ("udp-socket", {"sockets"}, "socket"),
]


@pytest.mark.parametrize(("kind", "found_by", "holder"), CASES, ids=[case[0] for case in CASES])
def test_found_with_it_and_not_without(
    lab: Lab, tmp_path: Path, kind: Kind, found_by: set[str], holder: str
) -> None:
    """No link leads to these namespaces, so nothing but the source can betray them."""
    places = {"named": "alone", "mounted": str(tmp_path / "ns"), "mounted-elsewhere": "/run/nswire-elsewhere"}
    ns = lab.namespace(kind, places.get(kind, b""))
    lab.release()
    for source in found_by:
        seen = nswire.scan(sources=(source,)).namespaces
        assert ns.inode in seen, source
        types = {h.type for h in seen[ns.inode].holders}
        assert types <= {holder, "name"}
    without = nswire.scan(sources=tuple(set(ALL) - found_by)).namespaces
    assert ns.inode not in without


def test_in_flight_is_found_by_the_nsid_walk_alone(lab: Lab) -> None:
    """A namespace that only a descriptor on its way between two sockets holds: no source can find it."""
    ns = lab.namespace("in-flight")
    lab.pair(lab.home, "out0", ns, "in0", index=70, peer_index=71)
    alone = lab.namespace("in-flight")
    lab.release()
    topology = nswire.scan(sources=ALL)
    assert not {ns.inode, alone.inode} & {n.inode for n in topology.namespaces.values()}
    (hidden,) = [n for n in topology.namespaces.values() if n.hidden]
    peer = topology.link("out0").peer
    assert peer is not None
    assert (peer.ifname, peer.ifindex, peer.netns) == ("in0", 71, hidden)
    assert any(hidden.label == gap.where for gap in topology.gaps), "that nobody seems to hold it is a gap"


def test_a_name_may_be_a_symlink_or_dead(lab: Lab) -> None:
    """Docker users link /proc/PID/ns/net into /run/netns; a crash leaves plain files there."""
    ns = lab.namespace("process")
    assert ns.child is not None
    os.symlink(f"/proc/{ns.child.pid}/ns/net", "/run/netns/web")
    lab.undo(lambda: os.unlink("/run/netns/web"))
    with open("/run/netns/dead", "w"):
        lab.undo(lambda: os.unlink("/run/netns/dead"))
    topology = nswire.scan()
    assert topology.namespaces[ns.inode].names == ("web",)
    assert topology.namespaces[ns.inode].label == "web"
    assert [gap.why for gap in topology.gaps if gap.where == "/run/netns/dead"] == [
        "it is no network namespace"
    ]


def test_cookies_are_the_identity(lab: Lab) -> None:
    """The cookie is what the laboratory read by its own means."""
    ns = lab.namespace("named", "cookie")
    if ns.cookie is None:
        pytest.skip("this kernel has no SO_NETNS_COOKIE")
    assert nswire.scan().namespaces[ns.inode].cookie == ns.cookie


def test_two_names_of_one_namespace(lab: Lab) -> None:
    """A namespace with two names is one namespace, and has both."""
    ns = lab.namespace("named", "one")
    os.symlink("/run/netns/one", "/run/netns/also")
    lab.undo(lambda: os.unlink("/run/netns/also"))
    assert set(nswire.scan().namespaces[ns.inode].names) == {"one", "also"}


def test_names_that_look_like_ours_are_not_trusted(lab: Lab) -> None:
    """A namespace called `host` must not pass for the host, nor two namespaces under one name of foreign mounts."""
    ns = lab.namespace("named", "host")
    topology = nswire.scan()
    assert topology.namespaces[ns.inode].label != "host"
    assert len({n.label for n in topology.namespaces.values()}) == len(topology.namespaces)


def test_eager_is_a_part_of_all() -> None:
    """Asking for everything includes what is always asked."""
    assert set(EAGER) < set(ALL)
