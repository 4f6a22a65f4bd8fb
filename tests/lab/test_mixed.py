"""The benchmark's network of five kinds: what is true of it by construction, nswire says, and it leaves nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import nswire
from nswire.lab.mixed_kinds import KINDS, MOST, mixed

if TYPE_CHECKING:
    from nswire.model.topology import Link


def place(link: Link | None) -> tuple[int | None, int] | None:
    """Inode and ifindex."""
    return None if link is None else (link.netns.inode, link.ifindex)


@pytest.mark.usefixtures("private_host")
def test_all_wires_of_all_kinds() -> None:
    """Pairs, lower links and masters, each of them and no other."""
    made = mixed(2 * len(KINDS))
    try:
        topology = nswire.scan()
        names = {f"mx{number:05d}" for number in range(2 * len(KINDS))}
        links = [link for link in topology if link.netns.home or names & set(link.netns.names)]
        assert {place(one): place(one.peer) for one in links if one.peer} == made.lab.peers()
        assert {place(one): place(one.lower) for one in links if one.lower} == made.lowers
        assert {place(one): place(one.master) for one in links if one.master} == made.masters
        assert {link.kind for link in links if not link.netns.home and not link.loopback} >= set(KINDS)
    finally:
        made.lab.close()


def test_more_than_a_bridge_takes() -> None:
    """Said before anything is built."""
    with pytest.raises(ValueError, match=str(MOST)):
        mixed(MOST + 1)
