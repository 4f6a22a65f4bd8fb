"""What a link kind's IFLA_LINK means, one row a kind. Decide by IFLA_INFO_KIND, never by number.

A row says which relation the link named there stands in: `peer` (the other end of a pair), `lower` (the link under it)
or `underlay` (the link its outer packets use; 0: none, any route will do). A kind that is not in the table is shown by
its name and makes no wire. A kind that keeps the index elsewhere than in IFLA_LINK has a file in this room for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from nswire.kinds import vxlan
from nswire.kinds.link import iflink

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.model.values import LinkFact

Relation = Literal["peer", "lower", "underlay"]


class Kind(NamedTuple):
    """A link kind: its IFLA_INFO_KIND, the relation it makes, and where the ifindex of the other link stands."""

    name: str
    relation: Relation
    other: Callable[[LinkFact], int | None] = iflink


TABLE = (
    Kind("veth", "peer"),
    Kind("netkit", "peer"),
    Kind("vxcan", "peer"),
    Kind("vlan", "lower"),
    Kind("macvlan", "lower"),
    Kind("macvtap", "lower"),
    Kind("ipvlan", "lower"),
    Kind("ipvtap", "lower"),
    Kind("macsec", "lower"),
    Kind("ipoib", "lower"),
    Kind("rmnet", "lower"),
    Kind("vxlan", "underlay", vxlan.index),
    Kind("gre", "underlay"),
    Kind("gretap", "underlay"),
    Kind("ip6gre", "underlay"),
    Kind("ip6gretap", "underlay"),
    Kind("erspan", "underlay"),
    Kind("ip6erspan", "underlay"),
    Kind("ipip", "underlay"),
    Kind("sit", "underlay"),
    Kind("ip6tnl", "underlay"),
    Kind("vti", "underlay"),
    Kind("vti6", "underlay"),
    Kind("xfrm", "underlay"),
)

BY_NAME = {kind.name: kind for kind in TABLE}


def is_pair(kind: str) -> bool:
    """True for kinds whose links come in pairs."""
    row = BY_NAME.get(kind)
    return row is not None and row.relation == "peer"
