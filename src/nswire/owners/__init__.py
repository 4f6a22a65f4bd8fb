"""Whose a namespace or a link is, one file an owner, one row here. What is always there first, daemons only where they must.

Rules of the room:

* A source yields claims: an owner with the namespace or the links that are his. It asks through `Asking` alone.
* Whoever uses the host's own network owns none of its links; a VM's process in the host owns its taps only.
* Names come from outside. They are told as they are, and escaped by whoever shows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.model.values import Gap
from nswire.owners import cni, containers, machines, neutron, parents, processes, units, vms
from nswire.owners.owner import Claim, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.values import NsKey
    from nswire.owners.owner import Asking

TABLE: tuple[Source, ...] = (
    containers.SOURCE,
    cni.SOURCE,
    parents.SOURCE,
    machines.SOURCE,
    vms.SOURCE,
    neutron.SOURCE,
    units.SOURCE,
    processes.SOURCE,
)


def known(asking: Asking) -> Iterator[Claim | Gap]:
    """What the sources say of the whole host. The same owner of the same thing is told once."""
    told: set[tuple[object, ...]] = set()
    claimed: set[NsKey] = {asking.facts.home}
    for source in TABLE:
        if source.each:
            continue
        spaces = [ns for ns in asking.facts.links if not source.last or ns not in claimed]
        for said in source.find(asking, spaces):
            if isinstance(said, Gap):
                yield said
                continue
            same = (said.owner.type, said.owner.name, said.ns, said.ends)
            if said.ns is not None:
                claimed.add(said.ns)
            if same not in told:
                told.add(same)
                yield said


def of_each(asking: Asking, ns: NsKey) -> Iterator[Claim | Gap]:
    """Whose a namespace is that nobody has claimed."""
    for source in TABLE:
        if source.each:
            yield from source.find(asking, (ns,))
