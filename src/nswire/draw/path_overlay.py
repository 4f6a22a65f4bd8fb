"""The way of a packet, for a picture: the links that it passes, the wires between them, in that order, and where it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.draw.build import Followed

if TYPE_CHECKING:
    from nswire.model.topology import Topology
    from nswire.model.values import End
    from nswire.path import Trace


def followed(topology: Topology, trace: Trace, caption: str) -> Followed:
    """The way there; of several that it may take, the first."""
    passed = [step.end for hop in trace.forward.ways[0].hops for step in hop.steps if step.end is not None]
    order = {end: number for number, end in enumerate(dict.fromkeys(passed))}
    wires = [wire for wire in topology.all_wires() if wire.a in order and wire.b in order]
    wires.sort(key=lambda wire: sorted(order[end] for end in (wire.a, wire.b) if end is not None))
    fate = trace.forward.fate
    arrives = fate in ("leaves", "delivered", "refused")
    target = () if arrives else _target(topology, trace, set(passed))
    dies = passed[-1] if passed and fate == "dropped" else None
    return Followed(caption, tuple(order), tuple(wires), fate, dies, target)


def _target(topology: Topology, trace: Trace, passed: set[End]) -> tuple[End, ...]:
    """The links that have the address which it is for; none if it is there already."""
    links = (
        link.end
        for link in topology.links()
        if not link.loopback and any(one.ip == trace.flow.dst for one in link.addresses)
    )
    found = tuple(links)
    return () if passed & set(found) else found
