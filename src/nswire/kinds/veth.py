"""Links that come in pairs: veth, vxcan, netkit. What is sent into one end comes out of the other."""

from nswire.kinds.fields import U8, U16, U32, Field, words
from nswire.kinds.kind import Kind

_POLICY = words(U32, {0: "forward", 2: "blackhole"})
_SCRUB = words(U32, {0: "none", 1: "default"})

NETKIT = {  # Linux 6.7; a primary end, and a peer that cannot change it
    2: Field("type", words(U8, {0: "peer", 1: "primary"})),
    3: Field("policy", _POLICY),
    4: Field("peer_policy", _POLICY),
    5: Field("mode", words(U32, {0: "l2", 1: "l3"})),
    6: Field("scrub", _SCRUB),
    7: Field("peer_scrub", _SCRUB),
    8: Field("headroom", U16),
    9: Field("tailroom", U16),
    10: Field(
        "pairing", words(U32, {0: "pair", 1: "single"}), usual="pair"
    ),  # Linux 7.0; a single one has no other end
}

KINDS = (
    Kind("veth", "peer", told_by_driver=True),
    Kind("vxcan", "peer"),
    Kind("netkit", "peer", fields=NETKIT, brief={"mode": "l2", "type": None}),
)
