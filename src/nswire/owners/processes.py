"""A namespace that nobody else claims is its leader's: the oldest process in it, nearly always the one that made it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.model.values import Owner
from nswire.owners.owner import Claim, Source
from nswire.owners.state_files import process, user

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nswire.codec.process import Process
    from nswire.host.client import Client
    from nswire.model.gaps import Gap
    from nswire.model.values import NsKey

LOOKED_AT = 4  # of the lowest pids, among which the oldest is: numbers wrap around
WORDS = 6  # of a command line
KNOWN = {  # programs that are better known for what they do
    "slirp4netns": "slirp4netns",
    "pasta": "pasta",
    "passt": "passt",
    "rootlesskit": "rootlesskit",
}


def find(client: Client, left: Collection[NsKey]) -> Iterator[Claim | Gap]:
    """The leaders, with user and command line."""
    for ns in left:
        pids = sorted(holder.pid for holder in client.facts.holders.get(ns, ()) if holder.type == "process")
        known = [
            one for pid in pids[:LOOKED_AT] if (one := process(client, pid)) is not None and one.ns == ns
        ]
        if not known:
            continue
        leader = min(known, key=lambda one: (one.start, one.pid))
        yield Claim(_owner(client, leader), ns)


def _owner(client: Client, leader: Process) -> Owner:
    parent = process(client, leader.ppid)
    by = KNOWN.get(leader.comm) or (KNOWN.get(parent.comm) if parent is not None else None) or "process"
    command = " ".join(leader.cmdline[:WORDS]) or leader.comm
    more = " ..." if len(leader.cmdline) > WORDS else ""
    return Owner(
        "process",
        leader.comm,
        str(leader.pid),
        by,
        leader.pid,
        (("user", user(client, leader.uid)), ("command", command + more)),
    )


SOURCE = Source("processes", find, last=True, each=True)
