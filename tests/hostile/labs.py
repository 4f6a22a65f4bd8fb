"""Networks of somebody who means no good, or who builds labs: what must not cost more than it is worth."""

from __future__ import annotations

import contextlib
from itertools import pairwise
from typing import TYPE_CHECKING

from nswire.lab.truth import Lab

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.lab.netns import Ns

LEFT, RIGHT = 5, 6


@contextlib.contextmanager
def chain(count: int, *, mac: str | None = None) -> Iterator[Lab]:
    """So many namespaces in a row, each tied to the next by a veth whose ends have the same two indexes everywhere.

    They are called c0, c1 ... `mac`: all ends have that one, so that nothing but the kernel's ids tells them apart.
    """
    with Lab() as lab:
        spaces: list[Ns] = []
        for _ in range(count):
            spaces.append(lab.namespace("named", f"c{len(spaces)}"))
        for one, other in pairwise(spaces):
            with one.rtnl() as writer:
                writer.veth(
                    "right",
                    "left",
                    index=RIGHT,
                    peer_index=LEFT,
                    mac=mac,
                    peer_mac=mac,
                    peer_netns_fd=other.fd,
                )
        yield lab
