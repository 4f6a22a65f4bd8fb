"""The network namespace that a user's own Podman keeps for his networks: bridges, aardvark-dns, and no container in it.

It is mounted as `rootless-netns` (since Podman 4.0 with some digits of a hash behind) in a mount namespace of his.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nswire.model.values import Owner
from nswire.owners.owner import Claim, Source
from nswire.owners.state_files import process, theirs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nswire.host.client import Client
    from nswire.model.gaps import Gap
    from nswire.model.values import NsKey

NAME = "rootless-netns"
MOUNT = re.compile(rf"/.*/({NAME})(?:-[0-9a-f]+)?")


def find(client: Client, left: Collection[NsKey]) -> Iterator[Claim | Gap]:
    """Each with its user, by a mount that one of his processes sees."""
    for ns in left:
        for holder in client.facts.holders.get(ns, ()):
            if holder.type == "mount" and holder.pid and MOUNT.fullmatch(holder.path):
                one = process(client, holder.pid)
                if one is not None and one.uid > 0:
                    yield Claim(
                        Owner("network", NAME, holder.path, "podman", data=theirs(client, one.uid)), ns
                    )
                    break


SOURCE = Source("rootless", find, last=True)
