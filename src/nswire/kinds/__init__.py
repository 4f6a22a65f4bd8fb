"""What a link kind's IFLA_LINK means, one row a kind. Decide by IFLA_INFO_KIND, never by number.

A row says which relation IFLA_LINK stands for: `peer` (the other end of a pair), `lower` (the link under it) or
`underlay` (the link its outer packets use; 0: none). A kind that is not in the table is shown by its name and makes
no wire. A kind whose meaning needs more than a row gets a file in this room and is put into the table here.
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class Kind(NamedTuple):
    """A link kind: its IFLA_INFO_KIND, the relation its IFLA_LINK stands for, and since when its answers carry it."""

    name: str
    link: Literal["peer", "lower", "underlay"]


TABLE = (
    Kind("veth", "peer"),
    Kind("netkit", "peer"),
    Kind("vxcan", "peer"),
)

BY_NAME = {kind.name: kind for kind in TABLE}


def is_pair(kind: str) -> bool:
    """True for kinds whose links come in pairs."""
    row = BY_NAME.get(kind)
    return row is not None and row.link == "peer"
