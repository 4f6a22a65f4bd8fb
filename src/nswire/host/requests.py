"""The questions put inside namespaces, by name. The name is also what the answer is called in a recording."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from nswire.codec.netlink import (
    address,
    bridge,
    hook,
    ipset,
    link,
    neighbour,
    nexthop,
    nsid,
    ovs,
    route,
    rule,
    sockets,
    tc,
    team,
    wireguard,
    xfrm,
)
from nswire.host.system import Question

if TYPE_CHECKING:
    from nswire.host.system import Door
    from nswire.model.tables import Query

COOKIE = Question("cookie", b"", by="cookie")
LINKS = Question("links", link.ask())
ADDRESSES = Question("addresses", address.ask())
NSIDS = Question("nsids", nsid.ask_all())
ROUTES = Question("routes", route.ask())
VLANS = Question("vlans", bridge.ask_vlans())
VLAN_STATES = Question("vlan-states", bridge.ask_states())
QDISCS = Question("qdiscs", tc.ask_qdiscs())
POLICIES = Question("xfrm/policies", xfrm.ask(), by="xfrm")
DEFAULT_POLICIES = Question("xfrm/default", xfrm.ask_default(), by="xfrm")
HOOKS = {
    family: Question(f"hooks/{family}", b"".join(hook.ask(family, one) for one in hook.NUMBERS), by="hooks")
    for family in hook.FAMILIES
}  # fmt: skip
UDP = (Question("net/udp", b"", by="net"), Question("net/udp6", b"", by="net"))
TCP = (
    Question("net/tcp", b"sockstat TCP:", by="net"),
    Question("net/tcp6", b"sockstat6 TCP6:", by="net"),
)
SOCKETS = (*TCP, *UDP)
WAITING = tuple(
    Question(f"sockets/{protocol}{'6' if family == 6 else ''}", sockets.ask(protocol, family), by="diag")
    for protocol in ("tcp", "udp")
    for family in (4, 6)
)
"""Which sockets listen, in the order of SOCKETS, which know less."""
RULES = (Question("rules/ip", rule.ask(socket.AF_INET)), Question("rules/ip6", rule.ask(socket.AF_INET6)))
NEIGHBOURS = (Question("neighbours", neighbour.ask()), Question("proxies", neighbour.ask(proxies=True)))
FDB = Question("fdb", neighbour.ask_fdb())
TRIES = Question("net/fib_triestat", b"", by="net")
NEXT_HOPS = Question("nexthops", nexthop.ask())
NFTABLES = Question("nftables", b"", by="nftables")
NFTABLES_TEXT = Question("nft-list", b"nft -t list ruleset", by="program")
SAVED = {
    family: Question(name, name.encode(), by="program")
    for family, name in (
        ("ip", "iptables-nft-save"),
        ("ip6", "ip6tables-nft-save"),
        ("bridge", "ebtables-nft-save"),
        ("arp", "arptables-nft-save"),
    )
}
"""By the family of nft: who says what extensions in its tables do."""
LEGACY = {
    "ip": Question("iptables-legacy-save", b"ip_tables_names iptables-legacy-save", by="legacy"),
    "ip6": Question("ip6tables-legacy-save", b"ip6_tables_names ip6tables-legacy-save", by="legacy"),
    "arp": Question("arptables-legacy", b"arp_tables_names arptables-legacy -nvL", by="legacy"),
}
"""The old variants, which nft knows nothing of."""
EBTABLES = {
    table: Question(f"ebtables-legacy/{table}", table.encode(), by="ebtables")
    for table in ("broute", "filter", "nat")
}
"""As these, by the table: one that a namespace has not in use would be made if it were asked for."""
IPSET = Question("ipset", ipset.ask(), by="ipset")
RECENT = Question("recent", b"", by="recent")
SYSCTLS = (
    "ipv4/ip_forward", "ipv6/conf/all/forwarding", "bridge/bridge-nf-call-iptables", "bridge/bridge-nf-call-ip6tables",
    "bridge/bridge-nf-call-arptables", "ipv4/ip_default_ttl",
    "ipv4/tcp_l3mdev_accept", "ipv4/udp_l3mdev_accept",
    "ipv4/ip_local_port_range", "ipv4/icmp_echo_ignore_all", "ipv6/icmp/echo_ignore_all", "ipv4/ping_group_range",
    "ipv4/fwmark_reflect", "ipv6/fwmark_reflect", "ipv4/tcp_fwmark_accept",
    "ipv4/tcp_sack", "ipv4/tcp_timestamps", "ipv4/tcp_window_scaling", "ipv4/tcp_ecn",
)  # fmt: skip
LINK_SYSCTLS = (
    "ipv4/conf/{}/forwarding", "ipv4/conf/{}/rp_filter", "ipv4/conf/{}/proxy_arp", "ipv4/conf/{}/proxy_arp_pvlan", "ipv4/conf/{}/arp_ignore",
    "ipv4/conf/{}/accept_local", "ipv4/conf/{}/route_localnet", "ipv4/conf/{}/src_valid_mark",
    "ipv4/conf/{}/ignore_routes_with_linkdown", "ipv4/conf/{}/arp_filter", "ipv6/conf/{}/forwarding",
    "ipv4/conf/{}/disable_xfrm", "ipv4/conf/{}/disable_policy", "ipv6/conf/{}/disable_policy",
    "ipv6/conf/{}/force_forwarding", "ipv6/conf/{}/disable_ipv6", "ipv6/conf/{}/proxy_ndp",
    "ipv6/conf/{}/ignore_routes_with_linkdown", "ipv6/conf/{}/hop_limit",
    "ipv4/conf/{}/drop_unicast_in_l2_multicast", "ipv6/conf/{}/drop_unicast_in_l2_multicast",
)  # fmt: skip
DATAPATHS = Question(f"generic/{ovs.DATAPATH}", ovs.ask_datapaths(), by="generic")


def sysctls(ifname: str = "") -> Question:
    """The sysctls of the namespace that decide about packets, or those of a link."""
    names = "\n".join(LINK_SYSCTLS if ifname else SYSCTLS).replace("{}", ifname)
    return Question(
        f"sysctls/{ifname}" if ifname else "sysctls", names.encode("utf-8", "surrogateescape"), by="sysctls"
    )


def decision(number: int, query: Query) -> Question:
    """What the kernel would do with a packet; `number` keeps the names of such questions apart."""
    asked = {
        name: value for name, value in query._asdict().items() if value or (name == "uid" and value == 0)
    }
    return Question(f"decision#{number}", route.ask_lookup(**asked))


def nsid_of(door: Door, attempt: int = 0) -> Question:
    """The id by which this namespace calls that one."""
    again = f"#{attempt}" if attempt else ""
    return Question(f"nsid-of/{door.inode}{again}", nsid.ask_for_fd(), door, by="about")


def nsid_within(target: int, number: int, attempt: int) -> Question:
    """What the namespace that this one calls `target` calls the one that this one calls `number`."""
    return Question(f"nsid-within/{target}/{number}#{attempt}", nsid.ask_within(target, number))


def links_of(target: int) -> Question:
    """All links of the namespace that this one calls `target`."""
    return Question(f"links@{target}", link.ask(target), by="strict")


def addresses_of(target: int) -> Question:
    """All addresses of the namespace that this one calls `target`."""
    return Question(f"addresses@{target}", address.ask(target), by="strict")


def one_link(ifindex: int, attempt: int, target: int | None = None) -> Question:
    """One link, read again."""
    where = "" if target is None else f"@{target}"
    how = "" if target is None else "strict"
    return Question(f"link/{ifindex}{where}#{attempt}", link.ask_one(ifindex, target), by=how)


def link_behind(ifindex: int, target: int) -> Question:
    """One link of the namespace that this one calls `target`, whatever that is: what it looks like."""
    return Question(f"link/{ifindex}@{target}", link.ask_one(ifindex, target), by="strict")


def generation(attempt: int) -> Question:
    """The generation of nf_tables' rules: whether they changed between two questions."""
    return Question(f"nft-generation#{attempt}", b"", by="generation")


def nft_table(family: str, table: str) -> Question:
    """One table of nft's; the name must be one that needs no quotes."""
    return Question(
        f"nft-table/{family}/{table}", f"nft -j list table {family} {table}".encode(), by="program"
    )


def filters(ifindex: int, parent: int) -> Question:
    """The tc filters at one place of a link."""
    return Question(f"filters/{ifindex}/{parent:x}", tc.ask(ifindex, parent))


def vports(datapath: int) -> Question:
    """The ports of an Open vSwitch datapath, by the ifindex of its own link."""
    return Question(f"generic/{ovs.VPORT}/{datapath}", ovs.ask_vports(datapath), by="generic")


def wireguard_device(ifindex: int) -> Question:
    """What a WireGuard link says of itself, without keys."""
    return Question(f"generic/{wireguard.FAMILY}/{ifindex}", wireguard.ask(ifindex), by="generic")


def team_options(ifindex: int) -> Question:
    """The options of a team."""
    return Question(f"generic/{team.FAMILY}/{ifindex}", team.ask(ifindex), by="generic")


def programs(ifindex: int) -> Question:
    """The BPF programs attached to a link by tcx and netkit."""
    return Question(f"programs/{ifindex}", str(ifindex).encode(), by="programs")


def driver(ifname: str) -> Question:
    """The driver of a link, as `ethtool -i` shows it."""
    return Question(f"driver/{ifname}", ifname.encode("utf-8", "surrogateescape"), by="driver")


def settings(ifname: str) -> Question:
    """Speed and duplex of a link, as `ethtool` shows them."""
    return Question(f"settings/{ifname}", ifname.encode("utf-8", "surrogateescape"), by="settings")


def ethtool_stats(ifname: str) -> Question:
    """The driver's statistics of a link, as `ethtool -S` shows them: where old kernels keep `peer_ifindex`."""
    return Question(f"ethtool/{ifname}", ifname.encode("utf-8", "surrogateescape"), by="ethtool")
