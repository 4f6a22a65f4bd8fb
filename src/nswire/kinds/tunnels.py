"""Tunnels: the link that their outer packets leave by is in IFLA_LINK, or 0 if the routes decide."""

from nswire.kinds.fields import BE16, U8, U16, U32, Field, address, flag, hexadecimal, key, low_high, words
from nswire.kinds.kind import Kind

IPTUNNEL = {
    2: Field("local", address),
    3: Field("remote", address),
    4: Field("ttl", U8),
    9: Field("proto", words(U8, {4: "ipip", 41: "ip6ip6", 0: "any", 137: "mplsip"})),
    19: Field("external", flag),
}
IP6TUNNEL = {**IPTUNNEL, 9: Field("proto", words(U8, {4: "ipip6", 41: "ip6ip6", 0: "any"}))}
SIT = {**IPTUNNEL, 9: Field("proto", words(U8, {4: "ipip", 41: "ip6ip", 0: "any", 137: "mplsip"}))}
GRE = {
    4: Field("ikey", key),
    5: Field("okey", key),
    6: Field("local", address),
    7: Field("remote", address),
    8: Field("ttl", U8),
    18: Field("external", flag),
    21: Field("erspan_index", U32),
    22: Field("erspan_ver", U8),
}
VTI = {
    2: Field("ikey", key),
    3: Field("okey", key),
    4: Field("local", address),
    5: Field("remote", address),
}
XFRM = {2: Field("if_id", hexadecimal), 3: Field("external", flag)}
GENEVE = {
    1: Field("id", U32),
    2: Field("remote", address),
    7: Field("remote", address),
    3: Field("ttl", U8),
    5: Field("port", BE16),
    6: Field("external", flag),
    15: Field("port_range", low_high(">HH"), usual={"low": 0, "high": 0}),
    16: Field("gro_hint", flag),
    17: Field("local", address),
    18: Field("local", address),
}
BAREUDP = {
    1: Field("dstport", BE16),
    2: Field("ethertype", BE16),
    3: Field("srcportmin", U16),
    4: Field("multiproto", flag),
}
GTP = {
    3: Field("hsize", U32),
    4: Field("role", words(U32, {0: "ggsn", 1: "sgsn"})),
    6: Field("restart_count", U8),
    7: Field("local", address),
    8: Field("local", address),
}
OVPN = {1: Field("mode", words(U8, {0: "p2p", 1: "mp"}))}
AMT = {
    1: Field("mode", words(U32, {0: "gateway", 1: "relay"})),
    2: Field("relay_port", BE16),
    3: Field("gateway_port", BE16),
    5: Field("local", address),
    6: Field("remote", address),
}

ENDS = {"local": None, "remote": None, "external": None}

KINDS = (
    Kind("gre", "underlay", fields=GRE, brief=ENDS, fallback="gre0"),
    Kind("gretap", "underlay", fields=GRE, brief=ENDS, fallback="gretap0"),
    Kind("erspan", "underlay", fields=GRE, brief=ENDS, fallback="erspan0"),
    Kind("ip6gre", "underlay", fields=GRE, brief=ENDS, fallback="ip6gre0"),
    Kind("ip6gretap", "underlay", fields=GRE, brief=ENDS),
    Kind("ip6erspan", "underlay", fields=GRE, brief=ENDS),
    Kind("ipip", "underlay", fields=IPTUNNEL, brief=ENDS, fallback="tunl0"),
    Kind("sit", "underlay", fields=SIT, brief=ENDS, fallback="sit0"),
    Kind("ip6tnl", "underlay", fields=IP6TUNNEL, brief=ENDS, fallback="ip6tnl0"),
    Kind("vti", "underlay", fields=VTI, brief=ENDS, fallback="ip_vti0"),
    Kind("vti6", "underlay", fields=VTI, brief=ENDS, fallback="ip6_vti0"),
    Kind("xfrm", "underlay", fields=XFRM, brief={"if_id": None, "external": None}),
    Kind("amt", "underlay", fields=AMT),
    # These name neither the link that their packets leave by nor its namespace: facets/tunnel_sockets.py looks for their socket.
    Kind("geneve", fields=GENEVE, brief={"id": 0, "local": None, "remote": None, "external": None}),
    Kind("bareudp", fields=BAREUDP),
    Kind("gtp", fields=GTP),
    Kind("wireguard"),
    Kind("ovpn", fields=OVPN, brief={"mode": "p2p"}),
)
