"""Races, each made to happen at the worst moment: between the visits to two namespaces."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

import nswire
from nswire.host.live import Live
from nswire.sources import ALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nswire.host.system import Answer, Errand
    from nswire.lab.lab import Lab

pytestmark = pytest.mark.needs("ip")


class Meddled(Live):
    """This host, on which something happens once, right after the first visit to a namespace."""

    def __init__(self, inode: int, deed: Callable[[], None]) -> None:
        super().__init__()
        self._after = inode
        self._deed = deed
        self.done: bool = False
        self.order: list[int] = []

    def visit(self, errands: Iterable[Errand], deliver: Callable[[Errand, list[Answer]], None]) -> None:
        """Ask, hand over, and meddle."""

        def then(errand: Errand, answers: list[Answer]) -> None:
            deliver(errand, answers)
            self.order.append(errand.door.inode)
            if errand.door.inode == self._after and not self.done:
                self.done = True
                self._deed()

        for errand in errands:  # one by one: several answers may be handed over at once
            super().visit([errand], then)


def ip(words: str) -> None:
    """Run iproute2."""
    subprocess.run(["ip", *words.split()], check=True)


def inode(name: str) -> int:
    """The inode of a named namespace."""
    return os.stat(f"/run/netns/{name}").st_ino


def visited_first(lab: Lab) -> tuple[str, str]:
    """Two empty namespaces, in the order in which a scan comes to them."""
    for name in ("one", "two"):
        lab.namespace("named", name)
    lab.release()
    probe = Meddled(0, lambda: None)
    nswire.scan(probe)
    first, second = sorted(("one", "two"), key=lambda name: probe.order.index(inode(name)))
    return first, second


def test_a_link_that_moves_on_is_paired_where_it_is(lab: Lab) -> None:
    """Read in the first namespace, then moved to the second and read there too: the pair is the second one's."""
    first, second = visited_first(lab)
    ip(f"link add hv type veth peer name leaf netns {first}")
    lab.undo_link(lab.rtnl(lab.home).index("hv"))
    host = Meddled(inode(first), lambda: ip(f"-n {first} link set leaf netns {second}"))
    topology = nswire.scan(host)
    assert host.done
    peer = topology.link("hv").peer
    assert peer is not None
    assert (peer.netns.inode, peer.ifname) == (inode(second), "leaf")
    assert [link.netns.inode for link in topology if link.ifname == "leaf"] == [inode(second)]
    assert any("leaf" in gap.what for gap in topology.gaps), "that it went from the first is a gap"


def test_a_lower_link_that_is_younger_than_the_look_at_its_namespace(lab: Lab) -> None:
    """A macvlan was found in the second namespace; what it stands on came to the first after we had left it."""
    first, second = visited_first(lab)

    def build() -> None:
        ip(f"-n {first} link add low type bridge")
        ip(f"-n {first} link add link low name mv type macvlan")
        ip(f"-n {first} link set mv netns {second}")

    topology = nswire.scan(Meddled(inode(first), build))
    assert topology.link("mv").lower == topology.link("low")


def test_one_hidden_namespace_seen_by_two_is_one(lab: Lab) -> None:
    """A once had a wire to it, so A still has an id for it, which no link betrays; home has a wire."""
    a, hidden = lab.namespace("named", "a"), lab.namespace("in-flight")
    lab.pair(lab.home, "out0", hidden, "in0")
    lab.pair(a, "gone0", hidden, "gone1")
    ip("-n a -o link show")  # so that ids are given
    lab.rtnl(a).delete("gone0")
    lab.pairs.pop()
    lab.release()
    for _ in range(2):
        topology = nswire.scan(sources=ALL)
        assert [namespace.hidden for namespace in topology.namespaces.values()].count(True) == 1
        assert [link.ifname for link in topology].count("in0") == 1


def test_a_link_is_not_paired_with_itself(lab: Lab) -> None:
    """Both ends have index 109. Its other end leaves the third namespace for the first, which was read already; then it
    moves itself from the second, which was read too, into the third. Read there again, it seems to name its old self.
    """
    for name in ("one", "two", "three"):
        lab.namespace("named", name)
    lab.release()
    probe = Meddled(0, lambda: None)
    nswire.scan(probe)
    first, second, third = sorted(("one", "two", "three"), key=lambda name: probe.order.index(inode(name)))
    ip(f"-n {second} link add s1 index 109 type veth peer name s0 index 109 netns {third}")

    def swap() -> None:
        ip(f"-n {third} link set s0 netns {first}")
        ip(f"-n {second} link set s1 netns {third}")

    host = Meddled(inode(second), swap)
    topology = nswire.scan(host)
    assert host.done
    for link in topology:
        if link.ifname in ("s0", "s1"):
            assert link.peer is None or {link.ifname, link.peer.ifname} == {"s0", "s1"}, f"{link} {link.peer}"
    assert topology.gaps
