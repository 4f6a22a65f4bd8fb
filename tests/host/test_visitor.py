"""What is sent inside a namespace, and how the answers come back: by the real kernel."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

import nswire
from nswire.codec.netlink import link, nsid
from nswire.codec.netlink.framing import request, split
from nswire.errors import NetlinkError
from nswire.host import requests
from nswire.host.live import Live
from nswire.host.netns_worker import SMALL
from nswire.host.system import Door, Errand, Question

if TYPE_CHECKING:
    from nswire.host.system import Answer
    from nswire.lab.lab import Lab

NAMES = 60
NONSENSE = Question("nonsense", request(9999, b""))


def answers(door: Door, *asked: Question) -> list[bytes]:
    """What the kernel says to these questions, put in one visit."""
    found: list[Answer] = []
    Live().visit([Errand(door, asked)], lambda _, said: found.extend(said))
    return [said for said in found if isinstance(said, bytes)]


def door(lab: Lab, name: str) -> Door:
    """The way into a new namespace that is wired to home."""
    other = lab.namespace("named", name)
    lab.pair(lab.home, "a0", other, "b0", index=50, peer_index=51)
    return Door(other.inode, 0, (("path", 0, f"/run/netns/{name}"),))


def test_what_is_sent_at_once_is_answered_in_order(lab: Lab) -> None:
    """What home is called goes with the next question: in front of a dump, of one that is refused, or alone."""
    there = door(lab, "other")
    home = requests.nsid_of(Door(os.stat("/proc/thread-self/ns/net").st_ino, 0, ()))
    links, first, addresses, second, refused, third = answers(
        there, requests.LINKS, home, requests.ADDRESSES, home, NONSENSE, home
    )
    (b0,) = (one for one in link.Decoder().decode(links) if one.ifname == "b0")
    assert {nsid.decode_one(said) for said in (first, second, third)} == {b0.link_netnsid}
    assert {kind for kind, _, _ in split(addresses)[0]} <= {20}  # RTM_NEWADDR
    with pytest.raises(NetlinkError):
        split(refused)


def test_a_link_with_more_to_say_than_fits(lab: Lab) -> None:
    """A datagram that is cut off is asked for again, with the room that it takes."""
    there = door(lab, "other")
    wordy = sorted(f"{number:03}" + "x" * 120 for number in range(NAMES))
    rtnl = lab.rtnl(lab.home)
    for name in wordy:
        rtnl.altname("a0", name)
    home = Door(os.stat("/proc/thread-self/ns/net").st_ino, 0, ())
    (alone,) = answers(home, requests.one_link(50, 0))
    assert len(alone) > SMALL
    topology = nswire.scan()
    assert sorted(topology.link("a0").fact.altnames) == wordy
    assert topology.link("a0").peer == topology.link("other/b0")
    assert topology.link("other/b0").end.ns == there.inode
    assert not topology.gaps
