"""Bridges, and what they say of their ports. Open vSwitch says nothing here: facets/ovs.py asks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.kinds.fields import BE16, U8, U16, U32, Field, bits, switch, words
from nswire.kinds.kind import Kind

if TYPE_CHECKING:
    from nswire.model.values import Scalar

BOOLOPTS = (
    "no_linklocal_learn",
    "mcast_vlan_snooping",
    "mst_enabled",
    "mdb_offload_fail_notification",
    "fdb_local_vlan_0",
)  # bits of enum br_boolopt_id


def _boolopts(value: bytes) -> dict[str, Scalar] | None:
    """Struct br_boolopt_multi: the bits, and which of them there are."""
    return bits(*BOOLOPTS, read=U32)(value[:4])


BRIDGE = {
    4: Field("ageing_time", U32, usual=30000),  # hundredths of a second
    5: Field("stp_state", U32),
    6: Field("priority", U16),
    7: Field("vlan_filtering", U8),
    8: Field("vlan_protocol", words(BE16, {0x8100: "802.1Q", 0x88A8: "802.1ad"})),
    12: Field("root_port", U16),
    36: Field("nf_call_iptables", U8, usual=0),
    37: Field("nf_call_ip6tables", U8, usual=0),
    38: Field("nf_call_arptables", U8, usual=0),
    39: Field("vlan_default_pvid", U16),
    46: Field("", _boolopts),
    48: Field("fdb_n_learned", U32),
    49: Field("fdb_max_learned", U32, usual=0),
    50: Field("stp_mode", words(U32, {0: "auto", 1: "user", 2: "kernel"}), usual="auto"),
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
    12: Field("proxy_arp_wifi", switch),
    27: Field("mcast_flood", switch),
    30: Field("bcast_flood", switch),
    29: Field("vlan_tunnel", switch),
    32: Field("neigh_suppress", switch),
    33: Field("isolated", switch),
    34: Field("backup_port", U32, link=True),
    39: Field("locked", switch),
    40: Field("mab", switch, usual=False),
    43: Field("neigh_vlan_suppress", switch, usual=False),
    44: Field("backup_nhid", U32, usual=0),
    45: Field("neigh_forward_grat", switch, usual=False),
}

KINDS = (
    Kind("bridge", fields=BRIDGE, port_fields=PORT, passing_state="forwarding", switch=True),
    # The datapath's own link and its internal ports, a bridge's local one among them.
    Kind("openvswitch", leaf=True),
)
