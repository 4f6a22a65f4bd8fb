"""vxlan lies: once moved, its IFLA_LINK is its own ifindex. What it stands on is IFLA_VXLAN_LINK, in its link netnsid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.kinds.fields import BE16, U8, U32, Field, address, flag, indexes, switch
from nswire.kinds.kind import Kind

if TYPE_CHECKING:
    from nswire.model.values import LinkFact

IFLA_VXLAN_LINK = 3

VXLAN = {
    1: Field("id", U32),
    2: Field("remote", address),  # IFLA_VXLAN_GROUP: one host, or a multicast group
    16: Field("remote", address),
    4: Field("local", address),
    17: Field("local", address),
    5: Field("ttl", U8),
    15: Field("port", BE16),
    7: Field("learning", switch),
    11: Field("proxy", switch),
    23: Field("gbp", flag),
    25: Field("external", switch),
}


def _below(fact: LinkFact) -> tuple[int, ...]:
    return indexes(fact.data, IFLA_VXLAN_LINK)


KINDS = (
    Kind(
        "vxlan",
        "underlay",
        _below,
        fields=VXLAN,
        brief={"id": 0, "local": None, "remote": None, "external": False},
    ),
)
