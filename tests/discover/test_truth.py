"""Thousands of random pairs whose truth is known by construction: not one wrong answer is allowed.

The laboratories are made to mislead: the same few ifindexes and names in every namespace, every kind of holder, chains
of namespaces that only a socket, or nothing that can be looked at, keeps alive.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

import nswire
from nswire.host.failures import MAY_HANG
from nswire.lab.lab import FINDABLE
from nswire.lab.rand import random_lab
from nswire.sources import ALL

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.lab.lab import Lab
    from nswire.model.topology import Link, Topology

SEEDS = 150
SOCKETS = {"netlink-socket", "udp-socket"}


def is_of_lab(link: Link, tag: int) -> bool:
    """The MACs of a laboratory tell its links, wherever they are."""
    return link.fact.address.startswith(f"02:bb:{tag:02x}:")


def is_true(link: Link, peer: Link) -> bool:
    """Two links are a pair if their MACs differ in the side alone."""
    mine, other = link.fact.address, peer.fact.address
    return mine[:-2] == other[:-2] and {mine[-2:], other[-2:]} == {"00", "01"}


def check(topology: Topology, lab: Lab, tag: int) -> int:
    """Compare with the truth; return the number of links whose peer was named."""
    truth = lab.peers()
    seen: dict[str, Link] = {}
    for link in topology:
        if not is_of_lab(link, tag):
            continue
        assert link.fact.address not in seen, f"{link} and {seen.get(link.fact.address)} are one link"
        seen[link.fact.address] = link
        peer = link.peer
        assert peer is not None, f"{link} has a peer: {truth.get((link.end.ns, link.ifindex))}, {link.loose}"
        assert is_true(link, peer), f"{link} is no peer of {peer}"
        assert link.wire is not None
        assert link.wire.evidence == "proved"
        if link.netns.inode and peer.netns.inode:
            assert truth[link.netns.inode, link.ifindex] == (peer.netns.inode, peer.ifindex)
    reachable = lab.reachable()
    expected = sum((a.inode in reachable) + (b.inode in reachable) for a, b in lab.pairs)
    assert len(seen) >= expected, "every link of every namespace that hangs on a visible one is there"
    unseen = len({link.end.ns for link in topology if link.netns.hidden and is_of_lab(link, tag)})
    # where the root file system is an overlay over a network's (a VM), mounts of other mount namespaces are not entered
    refused = sum(gap.cause.reason == MAY_HANG for gap in topology.gaps)
    hidden = len(lab.reachable() - lab.findable()) + refused
    assert unseen <= hidden, "a known namespace must not appear as a hidden one, too"
    return len(seen)


@pytest.mark.usefixtures("lab")
def test_random_pairs_are_never_wrong(rounds: Callable[[int], int]) -> None:
    """The heart: every peer of every reachable link is named, and proved, and true."""
    named = 0
    for seed in range(rounds(SEEDS)):
        with random_lab(random.Random(seed), tag=seed % 256) as lab:
            named += check(nswire.scan(), lab, seed % 256)
    assert named > rounds(SEEDS) * 20


@pytest.mark.usefixtures("lab")
def test_with_all_sources_the_answer_is_the_same_and_the_holders_are_named(
    rounds: Callable[[int], int],
) -> None:
    """`netns` asks more than `peer`; what both say must agree, and sockets must be named as holders."""
    for seed in range(rounds(40)):
        with random_lab(random.Random(1000 + seed), tag=seed) as lab:
            check(nswire.scan(sources=ALL), lab, seed)
            found = {ns.inode for ns in nswire.scan(sources=ALL).namespaces.values()}
            for ns in lab.namespaces:
                if ns.kind in FINDABLE or ns.kind in SOCKETS:
                    assert ns.inode in found, ns.kind
