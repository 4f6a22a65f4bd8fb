"""`pid:812`: the namespace that a process or thread is in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nswire.handles.matcher import NamespaceFamily, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.topology import Topology
    from nswire.model.values import Namespace

PREFIX = "pid:"


def _key(text: str) -> str | None:
    return number(text.removeprefix(PREFIX)) if text.startswith(PREFIX) else None


def _keys(topology: Topology, ns: Namespace) -> Iterator[str]:
    for holder in ns.holders:
        if holder.type == "process":
            yield str(holder.pid)
        elif holder.type == "thread":
            yield str(holder.number)
    # a scan leaves out the process that makes it
    if ns.home and topology.taken.source == "live":
        yield str(os.getpid())


FAMILY = NamespaceFamily("pid", 0, _key, _keys, prefix=PREFIX)
