"""The kinds of links: how each is made, and which wire it must have. One row a case.

The words are iproute2's, what follows `ip link add name NAME index INDEX`; Debian 12's iproute2 6.1 is the oldest that is
used. What it cannot make has a maker of its own in `kinds_makers.py`.
"""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """One way to make a link.

    In `words`, `{p}` (and `{q}`) stand for a lower link, `{n}` for a number that is used once in each namespace, `{port}` for
    such a port. `relation` is its wire: "lower" or "underlay" to its lower link, where a tunnel that names none has "underlay", too
    (moved, it names at least the namespace of its outer packets); "peer"; "tap"; of a master, that of its ports.

    `on`: cases with the same word share a lower link; `claims`: but no two links may be on one. `fixed`: it cannot be moved.
    `alone`: a namespace takes but one, so these are where the one that is moved is born, and where the one at home is.
    `facet`: what nswire has to ask to find that wire. A link with a device behind it has no kind.
    """

    name: str
    kind: str
    words: str = ""
    relation: str = ""
    on: str = ""
    evidence: str = "proved"
    claims: bool = False
    fixed: bool = False
    alone: tuple[str, ...] = ()
    facet: str = ""

    @property
    def ifname(self) -> str:
        """What its links are called, wherever they are."""
        return self.name.replace(" ", "-").replace("802.1", "").replace("external", "ext").lower()[:15]

    @property
    def lowers(self) -> int:
        """The number of lower links that it takes."""
        return ("{p}" in self.words) + ("{q}" in self.words)


def _lower(name: str, kind: str, words: str, on: str, **more: object) -> Case:
    return Case(name, kind, f"link {{p}} type {kind} {words}".strip(), "lower", on, **more)  # type: ignore[arg-type]


ALONE = ("first", "other")


def _tunnels(
    kind: str, words: str, external: str = "external", alone: tuple[str, ...] = ALONE
) -> tuple[Case, ...]:
    """A tunnel that leaves by whatever the routes say, one that is bound to a link, and one whose routes tell the other end."""
    plain = Case(kind, kind, f"type {kind} {words}", "underlay")
    bound = Case(f"{kind} dev", kind, f"type {kind} {words} dev {{p}}", "underlay", "tunnels")
    beside = Case(f"{kind} external", kind, f"type {kind} {external}", "underlay", alone=alone)
    return (plain, bound, beside) if external else (plain, bound)


V4 = "local 10.1.1.1 remote 10.1.2.{n}"
V6 = "local fd00::1 remote fd00::2:{n}"
KEYS = "ikey {n} okey 9.0.0.{n}"

STACKED = (
    _lower("vlan", "vlan", "id {n}", "tunnels"),
    _lower("vlan 802.1ad", "vlan", "proto 802.1ad id {n}", "tunnels"),
    *(
        _lower(f"macvlan {mode}", "macvlan", f"mode {mode}", "macvlan")
        for mode in ("private", "vepa", "bridge", "source")
    ),
    _lower("macvlan passthru", "macvlan", "mode passthru", "passthru", claims=True),
    _lower("macvtap", "macvtap", "mode bridge", "macvlan"),
    *(_lower(f"ipvlan {mode}", "ipvlan", f"mode {mode}", f"ipvlan {mode}") for mode in ("l2", "l3", "l3s")),
    _lower("ipvtap", "ipvtap", "mode l2", "ipvtap", evidence="inferred"),
    _lower("macsec", "macsec", "port {n} encodingsa 2", "macsec"),
    _lower("macsec 256", "macsec", "port {n} cipher gcm-aes-256 encrypt on protect off replay on window 32 validate check", "macsec"),
    Case("hsr", "hsr", "type hsr slave1 {p} slave2 {q}", "lower", "hsr", claims=True, fixed=True),
    Case("prp", "hsr", "type hsr slave1 {p} slave2 {q} proto 1", "lower", "prp", claims=True, fixed=True),
    _lower("rmnet", "rmnet", "mux_id {n}", "rmnet"),
    _lower("virt_wifi", "virt_wifi", "", "virt_wifi"),
    _lower("lowpan", "lowpan", "", "lowpan"),
    _lower("ipoib", "ipoib", "", "ipoib"),
)  # fmt: skip

TUNNELS = (
    Case("vxlan", "vxlan", "type vxlan id {n} dstport {port} remote 10.1.2.{n}", "underlay"),
    Case("vxlan dev", "vxlan", f"type vxlan id {{n}} dstport {{port}} {V4} dev {{p}}", "underlay", "tunnels"),
    Case("vxlan IPv6", "vxlan", f"type vxlan id {{n}} dstport {{port}} {V6} dev {{p}}", "underlay", "tunnels"),
    Case(
        "vxlan group",
        "vxlan",
        "type vxlan id {n} dstport {port} group 239.1.1.{n} dev {p} nolearning proxy ttl 5 gbp",
        "underlay",
        "tunnels",
    ),
    Case("vxlan external", "vxlan", "type vxlan external dstport {port}", "underlay"),
    Case("geneve", "geneve", "type geneve id {n} dstport {port} remote 10.1.2.{n} ttl 7", "underlay", facet="sockets"),
    Case("geneve IPv6", "geneve", "type geneve id {n} dstport {port} remote fd00::2:{n}", "underlay", facet="sockets"),
    Case("geneve external", "geneve", "type geneve external dstport {port}", "underlay", facet="sockets"),
    *_tunnels("gre", f"{V4} {KEYS} ttl 9"),
    *_tunnels("gretap", f"{V4} key {{n}}"),
    *_tunnels("erspan", f"seq {V4} key {{n}} erspan_ver 1 erspan {{n}}"),
    Case("erspan 2", "erspan", f"type erspan seq {V4} key {{n}} erspan_ver 2 erspan_dir egress erspan_hwid 3", "underlay"),
    *_tunnels("ip6gre", f"{V6} {KEYS}"),
    *_tunnels("ip6gretap", f"{V6} key {{n}}", alone=("third", "crowd")),  # one with ip6gre
    *_tunnels("ip6erspan", f"seq {V6} key {{n}} erspan_ver 1 erspan {{n}}"),
    *_tunnels("ipip", f"mode ipip {V4} ttl 11"),
    *_tunnels("sit", f"mode ip6ip {V4} ttl 12", external=""),
    Case("sit any", "sit", "type sit mode any local 10.1.1.9 remote 10.1.3.{n}", "underlay"),
    *_tunnels("ip6tnl", f"mode ipip6 {V6}"),
    Case("ip6tnl any", "ip6tnl", f"type ip6tnl mode any {V6}", "underlay"),
    *_tunnels("vti", f"{V4} {KEYS}", external=""),
    *_tunnels("vti6", f"{V6} {KEYS}", external=""),
    *_tunnels("xfrm", "if_id {n}", external=""),
    Case("xfrm external", "xfrm", "", "underlay", alone=ALONE),
    Case("wireguard", "wireguard", "type wireguard", "underlay", facet="sockets"),
    Case("gtp", "gtp", "", "underlay", alone=ALONE, facet="sockets"),
    Case("bareudp", "bareudp", "type bareudp dstport {port} ethertype mpls_uc", "underlay", facet="sockets"),
    Case("amt", "amt", "type amt mode gateway local 10.1.1.1 discovery 10.1.2.{n} dev {p} relay_port {port}", "underlay", "tunnels"),
)  # fmt: skip

SINGLE = (
    Case("dummy", "dummy", "type dummy"),
    Case("ifb", "ifb", "type ifb"),
    Case("nlmon", "nlmon", "type nlmon"),
    Case("vcan", "vcan", "type vcan"),
    Case("vsockmon", "vsockmon", "type vsockmon"),
    Case("ovpn", "ovpn", "type ovpn"),
    Case("can", "can", "type can"),
    Case("tun", "tun"),
    Case("tap", "tun"),
    Case("tap served", "tun", relation="tap", facet="taps"),
    Case("ppp", "ppp", fixed=True),
)

MASTERS = (
    Case("bridge vlans", "bridge", "type bridge vlan_filtering 1 vlan_default_pvid 7", "port", fixed=True),
    Case("bridge STP", "bridge", "type bridge stp_state 1 priority 4096 forward_delay 200 vlan_protocol 802.1ad", "port", fixed=True),
    Case("bond active-backup", "bond", "type bond mode active-backup miimon 20", "port", fixed=True),
    Case("bond LACP", "bond", "type bond mode 802.3ad miimon 20 lacp_rate fast xmit_hash_policy layer3+4", "port", fixed=True),
    Case("bond empty", "bond", "type bond mode balance-xor", "port", fixed=True),
    Case("team", "team", "type team", "port", fixed=True),
    Case("vrf", "vrf", "type vrf table 10", "port", fixed=True),
    Case("batadv", "batadv", "type batadv", "port", fixed=True),
    Case("openvswitch", "openvswitch", "", "port", fixed=True),
)  # fmt: skip

PAIRS = (
    Case("veth", "veth", relation="peer"),
    Case("vxcan", "vxcan", relation="peer"),
    Case("netkit L2", "netkit", relation="peer"),
    Case("netkit L3", "netkit", relation="peer"),
)

NICS = (
    Case("NIC", ""),
    Case("virtual function", "", relation="lower", facet="functions"),
)

CASES = (*NICS, *PAIRS, *STACKED, *TUNNELS, *SINGLE, *MASTERS)
NAMES = tuple(case.name for case in CASES)
