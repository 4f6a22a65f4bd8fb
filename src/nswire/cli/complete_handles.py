"""Completion of handles, from a quick scan. A shell gets plain names only: nothing in them that it could act on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nswire.model import owner_types

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click

    from nswire.model.topology import Topology

PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]{1,256}")
NETNS = "netns:"


def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names of links, namespaces and owners that start with what was typed. A failure offers nothing."""
    del param
    # they are looked for only where one was begun: it takes longer
    begun = [prefix for prefix in owner_types.WANTED if incomplete and _agree(prefix, incomplete)]
    try:
        import nswire

        recording = ctx.params.get("recording")
        sources = None if begun else ("names", "mounts")
        topology = nswire.load(recording) if recording else nswire.scan(sources=sources, addresses=False)
        names = dict.fromkeys((*_names(topology, incomplete), *_owners(topology, begun)))
    except Exception:  # noqa: BLE001 (a completion that talks destroys the line it is typed on)
        return []
    return [name for name in names if name.startswith(incomplete) and PLAIN.fullmatch(name)]


def _agree(prefix: str, incomplete: str) -> bool:
    return prefix.startswith(incomplete) or incomplete.startswith(prefix)


def _names(topology: Topology, incomplete: str) -> Iterator[str]:
    for link in topology.links():
        if not link.loopback:
            yield link.ifname
        if "/" in incomplete:
            yield f"{link.netns.label}/{link.ifname}"
    for ns in topology.namespaces.values():
        yield ns.label
        if incomplete and _agree(NETNS, incomplete):
            yield from (f"{NETNS}{name}" for name in ns.names)


def _owners(topology: Topology, prefixes: list[str]) -> Iterator[str]:
    """By name; by id where a shell could act on the name."""
    for owner, _, _ in topology.owned() if prefixes else ():
        for prefix in prefixes:
            if owner_types.of(owner.type).prefix == prefix:
                yield f"{prefix}{owner.name if PLAIN.fullmatch(owner.name) else owner.id}"
