"""Layer-2 networks: what can hear each other's broadcasts, so that their cords get one colour.

Joined are ports with their bridge, both ends of a pair, and bridges that are patched to each other. A VLAN or a tunnel
begins another network; what VLAN tags keep apart inside of a bridge is not told apart here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire import kinds
from nswire.model import relations
from nswire.model.values import End

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.draw.selection import Node, Strand
    from nswire.model.topology import Topology


def networks(topology: Topology, strands: Iterable[Strand]) -> dict[Node, int]:
    """The number of the network that each link belongs to, from 1 on in the order of the strands.

    Only of networks that have a bridge: a pair for itself needs no colour to be told from others.
    """
    root: dict[Node, Node] = {}

    def find(node: Node) -> Node:
        while (above := root.setdefault(node, node)) != node:
            root[node] = root[above]
            node = above
        return node

    switches: dict[Node, None] = {}
    for strand in strands:
        if (
            relations.of(strand.relation).same_segment
            and isinstance(strand.b, End)
            and strand.certainty != "unknown"
        ):
            master = topology.get(strand.b)
            if strand.relation == "port" and master is not None:
                row = kinds.of(master.kind)
                if row.routes or row.aggregate:
                    continue
                switches[strand.b] = None
            root[find(strand.a)] = find(strand.b)
    numbers: dict[Node, int] = {}
    for switch in switches:
        numbers.setdefault(find(switch), len(numbers) + 1)
    return {node: numbers.get(find(node), 0) for node in list(root)}
