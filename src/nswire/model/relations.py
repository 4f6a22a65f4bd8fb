"""What a wire may be: one row a relation. The words and signs of a relation stand here and nowhere else.

The words are the kernel's and iproute2's: a port has a master, a lower device has upper ones (`netdev_adjacent`).
"""

from __future__ import annotations

from typing import Literal

import msgspec

EndSign = Literal["dot", "square", "ring", "arrow"]


class Relation(msgspec.Struct, frozen=True):
    """A relation between a link `a` and another end `b`.

    name: as it stands in JSON
    sentence: about both, `{a}` and `{b}` by name
    of_b: what `b` is to `a`, in front of b's name on the way up
    legend: what a line in the picture means
    other: what `b` is called while it is not known
    both_ways: neither end comes first
    same_segment: frames pass as they are, so that both ends are in one layer-2 network
    stands_on: `b` carries the packets of `a`
    signs: how a line ends at `a` and at `b`
    """

    name: str
    sentence: str
    of_b: str
    legend: str
    other: str = ""
    both_ways: bool = False
    same_segment: bool = False
    stands_on: bool = False
    signs: tuple[EndSign, EndSign] = ("dot", "arrow")


TABLE = (
    Relation(
        "peer",
        "{a} and {b} are the two ends of a pair",
        "peer",
        "the two ends of a pair",
        both_ways=True,
        same_segment=True,
        signs=("dot", "dot"),
    ),
    Relation(
        "port", "{a} is a port of {b}", "port of", "port of", same_segment=True, signs=("dot", "square")
    ),
    Relation("lower", "{a} is over {b}", "over", "over", "the link under it", stands_on=True),
    Relation(
        "underlay",
        "packets of {a} are sent by {b}",
        "sent by",
        "its packets are sent by",
        "the link that its packets leave by",
        stands_on=True,
    ),
    Relation("tap", "{a} is served by {b}", "served by", "served by", signs=("dot", "ring")),
    Relation(
        "patch",
        "{a} is patched to {b}",
        "patched to",
        "patched to",
        both_ways=True,
        same_segment=True,
        signs=("square", "square"),
    ),
    Relation("redirect", "tc redirects from {a} to {b}", "redirected to", "tc redirects to"),
    Relation("mirror", "tc copies from {a} to {b}", "mirror", "tc copies to"),
)
_BY_NAME = {row.name: row for row in TABLE}


def of(name: str) -> Relation:
    """The row of a relation; one of its own for a name that a newer recording may have."""
    row = _BY_NAME.get(name)
    if row is not None:
        return row
    literal = name.replace("{", "{{").replace("}", "}}")
    return Relation(name, f"{{a}} is joined to {{b}} ({literal})", name, name, name)
