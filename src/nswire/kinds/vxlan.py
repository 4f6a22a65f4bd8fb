"""vxlan lies: once moved, its IFLA_LINK is its own ifindex. What it stands on is IFLA_VXLAN_LINK, in its link netnsid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.kinds.fields import BE16, BE32, U8, U32, Field, address, flag, indexes, low_high, switch, words
from nswire.kinds.kind import Kind

if TYPE_CHECKING:
    from nswire.model.values import LinkFact

IFLA_VXLAN_LINK = 3
# Of the header's eight bytes what a VXLAN does not use, which it then refuses (vxlan_nl2conf): without extensions; with GBP.
RESERVED, RESERVED_GBP = bytes.fromhex("f7ffffff000000ff"), bytes.fromhex("77000000000000ff")


def flowlabel(value: bytes) -> str | None:
    """The flow label of outer IPv6 packets, in hex as `ip` takes it; 0 is none."""
    found = BE32(value)
    return hex(found) if found else None


def reserved(value: bytes) -> str | None:
    """The bits of the header that a packet may not have, where they are others than usually: flags, VNI."""
    return value.hex() if len(value) == len(RESERVED) and value not in (RESERVED, RESERVED_GBP) else None


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
    10: Field("port_range", low_high(">HH"), usual={"low": 0, "high": 0}),
    26: Field("label", flowlabel),
    30: Field("vnifilter", switch, usual=False),
    31: Field("localbypass", switch, usual=True),
    32: Field("label_policy", words(U32, {0: "fixed", 1: "inherit"}), usual="fixed"),
    33: Field("reserved_bits", reserved),
    34: Field("mc_route", switch, usual=False),
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
