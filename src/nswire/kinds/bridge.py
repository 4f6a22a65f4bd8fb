"""Bridges, and what they say of their ports. Open vSwitch says nothing here: facets/ovs.py asks it."""

from nswire.kinds.fields import BE16, U8, U16, U32, Field, switch, words
from nswire.kinds.kind import Kind

BRIDGE = {
    5: Field("stp_state", U32),
    6: Field("priority", U16),
    7: Field("vlan_filtering", U8),
    8: Field("vlan_protocol", words(BE16, {0x8100: "802.1Q", 0x88A8: "802.1ad"})),
    12: Field("root_port", U16),
    39: Field("vlan_default_pvid", U16),
}
PORT = {
    1: Field(
        "state",
        words(U8, {0: "disabled", 1: "listening", 2: "learning", 3: "forwarding", 4: "blocking"}),
    ),
    3: Field("cost", U32),
    4: Field("hairpin", switch),
    5: Field("guard", switch),
    6: Field("root_block", switch),
    8: Field("learning", switch),
    9: Field("flood", switch),
    10: Field("proxy_arp", switch),
    27: Field("mcast_flood", switch),
    30: Field("bcast_flood", switch),
    29: Field("vlan_tunnel", switch),
    32: Field("neigh_suppress", switch),
    33: Field("isolated", switch),
    39: Field("locked", switch),
}

KINDS = (
    Kind("bridge", fields=BRIDGE, port_fields=PORT, switch=True),
    # The datapath's own link and its internal ports, a bridge's local one among them.
    Kind("openvswitch", leaf=True),
)
