"""The way of a packet, for a picture: the links that it passes, and the wires between them, in that order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.draw.build import Followed

if TYPE_CHECKING:
    from nswire.model.topology import Topology
    from nswire.path import Trace


def followed(topology: Topology, trace: Trace, caption: str) -> Followed:
    """The way there; of several that it may take, the first."""
    passed = [step.end for hop in trace.forward.ways[0].hops for step in hop.steps if step.end is not None]
    order = {end: number for number, end in enumerate(dict.fromkeys(passed))}
    wires = [wire for wire in topology.all_wires() if wire.a in order and wire.b in order]
    wires.sort(key=lambda wire: sorted(order[end] for end in (wire.a, wire.b) if end is not None))
    return Followed(caption, tuple(order), tuple(wires))
