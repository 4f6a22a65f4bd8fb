"""What the resolvers say: wires, loose ends, and questions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nswire.model.facts import Behind, View
    from nswire.model.values import End, Loose, NsKey, Wire


@dataclass
class Outcome:
    """What follows from the facts, and what would have to be asked to know more.

    `wires` has each pair once, under both of its ends; `lowers` what a link stands on, under its own end. `ask` holds (A, B): what does A call B? `reread` holds ends
    that contradict each other; `look` holds links that should be shown through an nsid; `unexplained` ids that belong to no known namespace; `unsaid` ends about which the
    kernel says nothing, so that ethtool has to be asked. `nsids[A][n]` is the namespace that A calls n, as the kernel
    said or as follows from it, and `said_by[A, n]` which of the two.
    """

    wires: dict[End, Wire] = field(default_factory=dict)
    lowers: dict[End, tuple[Wire, ...]] = field(default_factory=dict)
    loose: dict[End, Loose] = field(default_factory=dict)
    ask: set[tuple[NsKey, NsKey]] = field(default_factory=set)
    look: set[Behind] = field(default_factory=set)
    reread: set[End] = field(default_factory=set)
    unexplained: set[View] = field(default_factory=set)
    unsaid: set[End] = field(default_factory=set)
    nsids: dict[NsKey, dict[int, NsKey]] = field(default_factory=dict)
    said_by: dict[tuple[NsKey, int], str] = field(default_factory=dict)
