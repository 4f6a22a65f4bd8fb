"""vxlan lies: once moved, its IFLA_LINK is its own ifindex. What it stands on is IFLA_VXLAN_LINK, in its link netnsid."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from nswire.codec.netlink.framing import Malformed, attributes

if TYPE_CHECKING:
    from nswire.model.values import LinkFact

IFLA_VXLAN_LINK = 3


def index(fact: LinkFact) -> int | None:
    """The ifindex of the link that the outer packets leave by; None if the routes decide."""
    try:
        for kind, start, stop in attributes(fact.data, 0, len(fact.data)):
            if kind == IFLA_VXLAN_LINK and stop - start == 4:
                return int(struct.unpack_from("=I", fact.data, start)[0]) or None
    except Malformed:
        return None
    return None
