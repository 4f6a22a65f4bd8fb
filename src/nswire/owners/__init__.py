"""Whose a namespace or a link is, one file an owner, one row here. What is always there first, daemons only where they must.

Rules of the room:

* A source yields claims: an owner with the namespace or the links that are his. It asks through `Client` alone.
* Whoever uses the host's own network owns none of its links; a VM's process in the host owns its taps only.
* Names come from outside. They are told as they are, and escaped by whoever shows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from nswire.model.gaps import Gap
from nswire.owners import (
    cni,
    containers,
    machined_lxc,
    neutron,
    processes,
    rootless,
    sandboxes,
    supervisors,
    units,
    virtual_machines,
    vswitch,
)
from nswire.owners.forwards import forwards
from nswire.owners.owner import Claim, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.host.client import Client
    from nswire.model.values import NsKey

__all__ = ["TABLE", "forwards", "known", "of_each"]

TABLE: tuple[Source, ...] = (
    containers.SOURCE,
    cni.SOURCE,
    sandboxes.SOURCE,
    supervisors.SOURCE,
    machined_lxc.SOURCE,
    virtual_machines.SOURCE,
    neutron.SOURCE,
    vswitch.SOURCE,
    rootless.SOURCE,
    units.SOURCE,
    processes.SOURCE,
)


def known(client: Client) -> Iterator[Claim | Gap]:
    """What the sources say of the whole host. The same owner of the same thing is told once, with all that is said of him."""
    claims = _Claims()
    claimed: set[NsKey] = {client.facts.home}
    for source in TABLE:
        if source.each:
            continue
        spaces = [ns for ns in client.facts.links if not source.last or ns not in claimed]
        for said in source.find(client, spaces):
            if isinstance(said, Gap):
                yield said
                continue
            if said.ns is not None:
                claimed.add(said.ns)
            claims.add(said)
    yield from claims.all


class _Claims:
    """The claims, each once. Two with different ids are two, even if they have one name; an id that is not told fits any."""

    def __init__(self) -> None:
        self.all: list[Claim] = []
        self._by_id: dict[tuple[object, ...], int] = {}
        self._by_name: dict[tuple[object, ...], int] = {}

    def add(self, claim: Claim) -> None:
        """Keep it, or what it says more about an owner that is known."""
        owner, what = claim.owner, (claim.owner.type, claim.ns, claim.ends)
        at = self._by_id.get((*what, owner.id)) if owner.id else None
        named = self._by_name.get((*what, owner.name))
        if at is None and named is not None and not (owner.id and self.all[named].owner.id):
            at = named
        if at is None:
            at = len(self.all)
            self.all.append(claim)
        else:
            first = self.all[at].owner
            more = tuple(pair for pair in owner.data if pair[0] not in dict(first.data))
            merged = structs.replace(
                first,
                id=first.id or owner.id,
                pid=first.pid or owner.pid,
                data=(*first.data, *more),
                published=first.published or owner.published,
            )
            self.all[at] = claim._replace(owner=merged)
        if owner.id:
            self._by_id.setdefault((*what, owner.id), at)
        self._by_name.setdefault((*what, owner.name), at)


def of_each(client: Client, ns: NsKey) -> Iterator[Claim | Gap]:
    """Whose a namespace is that nobody has claimed."""
    for source in TABLE:
        if source.each:
            yield from source.find(client, (ns,))
