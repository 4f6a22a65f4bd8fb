"""The words that firewalls have for numbers in packets, and addresses as numbers."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime, time
from socket import AF_INET, AF_INET6, inet_pton

NAMES = {
    "iifname",
    "oifname",
    "iif",
    "oif",
    "iifkind",
    "oifkind",
    "ibrname",
    "obrname",
    "sdifname",
    "physin",
    "physout",
}
"""Keys whose values are names."""

PROTOCOLS = {
    "ip": 0, "hopopt": 0, "icmp": 1, "igmp": 2, "ggp": 3, "ipencap": 4, "ip-encap": 4, "st": 5, "tcp": 6, "egp": 8, "igp": 9, "pup": 12,
    "udp": 17, "hmp": 20, "xns-idp": 22, "rdp": 27, "iso-tp4": 29, "dccp": 33, "xtp": 36, "ddp": 37, "idpr-cmtp": 38, "ipv6": 41,
    "ipv6-route": 43, "ipv6-frag": 44, "idrp": 45, "rsvp": 46, "gre": 47, "esp": 50, "ipv6-crypt": 50, "ah": 51, "ipv6-auth": 51,
    "skip": 57, "ipv6-icmp": 58, "icmpv6": 58, "ipv6-nonxt": 59, "ipv6-opts": 60, "rspf": 73, "vmtp": 81, "eigrp": 88, "ospf": 89,
    "ospfigp": 89, "ax.25": 93, "ipip": 94, "etherip": 97, "encap": 98, "pim": 103, "ipcomp": 108, "comp": 108, "vrrp": 112,
    "carp": 112, "l2tp": 115, "isis": 124, "sctp": 132, "fc": 133, "mobility-header": 135, "ipv6-mh": 135, "mh": 135,
    "udplite": 136, "mpls-in-ip": 137, "manet": 138, "hip": 139, "shim6": 140, "wesp": 141, "rohc": 142, "ethernet": 143,
    "mptcp": 262,
}  # fmt: skip
"""/etc/protocols, which nft and iptables print by, and iptables' own names (xtables_chain_protos)."""
ETHERTYPES = {"ip": 0x0800, "arp": 0x0806, "vlan": 0x8100, "8021q": 0x8100, "8021ad": 0x88A8, "ip6": 0x86DD}
CT_STATES = {"invalid": 1, "established": 2, "related": 4, "new": 8, "untracked": 64}
CT_STATUS = {
    "expected": 1,
    "seen-reply": 2,
    "assured": 4,
    "confirmed": 8,
    "snat": 16,
    "dnat": 32,
    "dying": 512,
}
TCP_FLAGS = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ecn": 64, "cwr": 128}
ADDRESS_TYPES = {
    "unspec": 0, "unicast": 1, "local": 2, "broadcast": 3, "anycast": 4, "multicast": 5, "blackhole": 6,
    "unreachable": 7, "prohibit": 8,
}  # fmt: skip
ICMP = {
    "echo-reply": 0, "destination-unreachable": 3, "source-quench": 4, "redirect": 5, "echo-request": 8,
    "router-advertisement": 9, "router-solicitation": 10, "time-exceeded": 11, "parameter-problem": 12,
    "timestamp-request": 13, "timestamp-reply": 14, "info-request": 15, "info-reply": 16,
    "address-mask-request": 17, "address-mask-reply": 18,
}  # fmt: skip
ICMPV6 = {
    "destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "parameter-problem": 4,
    "echo-request": 128, "echo-reply": 129, "mld-listener-query": 130, "mld-listener-report": 131,
    "mld-listener-done": 132, "mld-listener-reduction": 132, "nd-router-solicit": 133, "nd-router-advert": 134,
    "nd-neighbor-solicit": 135, "nd-neighbor-advert": 136, "nd-redirect": 137, "router-renumbering": 138,
    "ind-neighbor-solicit": 141, "ind-neighbor-advert": 142, "mld2-listener-report": 143,
}  # fmt: skip
ICMP_CODES = {
    "net-unreachable": 0, "host-unreachable": 1, "prot-unreachable": 2, "port-unreachable": 3, "frag-needed": 4,
    "net-prohibited": 9, "host-prohibited": 10, "admin-prohibited": 13,
}  # fmt: skip
ICMPV6_CODES = {
    "no-route": 0, "admin-prohibited": 1, "addr-unreachable": 3, "port-unreachable": 4, "policy-fail": 5, "reject-route": 6,
}  # fmt: skip
DSCP = {
    "cs0": 0, "cs1": 8, "cs2": 16, "cs3": 24, "cs4": 32, "cs5": 40, "cs6": 48, "cs7": 56, "df": 0, "be": 0, "lephb": 1,
    "af11": 10, "af12": 12, "af13": 14, "af21": 18, "af22": 20, "af23": 22, "af31": 26, "af32": 28, "af33": 30,
    "af41": 34, "af42": 36, "af43": 38, "va": 44, "ef": 46,
}  # fmt: skip
ECN = {"not-ect": 0, "ect1": 1, "ect0": 2, "ce": 3}
NFPROTO = {"ipv4": 2, "ipv6": 10, "ip": 2, "ip6": 10}
ARPHRD = {
    "ether": 1,
    "ppp": 512,
    "ipip": 768,
    "tunnel": 768,
    "ipip6": 769,
    "loopback": 772,
    "sit": 776,
    "ipgre": 778,
}
WORDS: dict[str, dict[str, int]] = {
    "l4proto": PROTOCOLS,
    **dict.fromkeys(
        ("ip protocol", "ip6 nexthdr", "ct protocol", "ct original protocol", "ct reply protocol"), PROTOCOLS
    ),
    **dict.fromkeys(("nfproto", "ct l3proto", "ct original l3proto", "ct reply l3proto"), NFPROTO),
    **dict.fromkeys(("ip dscp", "ip6 dscp"), DSCP),
    **dict.fromkeys(("ip ecn", "ip6 ecn"), ECN),
    **dict.fromkeys(("iiftype", "oiftype"), ARPHRD),
    "rt classid": {"cosmos": 0},
    "rtclassid": {"cosmos": 0},
    "icmp code": ICMP_CODES,
    **{key: {"default": 0} for key in ("iifgroup", "oifgroup")},
    "icmpv6 code": ICMPV6_CODES,
    "protocol": ETHERTYPES,
    "ether type": ETHERTYPES,
    "vlan type": ETHERTYPES,
    "arp ptype": ETHERTYPES,
    "ct state": CT_STATES,
    "ct status": CT_STATUS,
    "ct direction": {"original": 0, "reply": 1},
    "tcp flags": TCP_FLAGS,
    "icmp type": ICMP,
    "icmpv6 type": ICMPV6,
    "pkttype": {"host": 0, "unicast": 0, "broadcast": 1, "multicast": 2, "other": 3},
    "fib daddr type": ADDRESS_TYPES,
    "fib saddr type": ADDRESS_TYPES,
    **dict.fromkeys(
        (f"fib {side} . {link} type" for side in ("saddr", "daddr") for link in ("iif", "oif")), ADDRESS_TYPES
    ),
    **dict.fromkeys(
        (f"fib {side} . mark . {link} type" for side in ("saddr", "daddr") for link in ("iif", "oif")),
        ADDRESS_TYPES,
    ),
    "arp operation": {
        "request": 1,
        "reply": 2,
        "rrequest": 3,
        "rreply": 4,
        "inrequest": 8,
        "inreply": 9,
        "nak": 10,
    },
}


def number(address: str) -> int:
    """An IP address or a MAC as a number. ValueError."""
    if address.count(":") == 5 and "::" not in address:
        return int(address.replace(":", ""), 16)
    try:
        return int.from_bytes(inet_pton(AF_INET6 if ":" in address else AF_INET, address))
    except (OSError, ValueError):  # a name of no address, or something with a scope
        return int(ipaddress.ip_address(address))


DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def _date(word: str) -> int:
    """`2020-01-01 00:00:00`, and with a T between: seconds, as if it were UTC. ValueError."""
    return int(datetime.fromisoformat(word).replace(tzinfo=UTC).timestamp())


def _hour(word: str) -> int:
    """`17:30`, `17:30:01`: seconds of the day. ValueError."""
    found = time.fromisoformat(word)
    return found.hour * 3600 + found.minute * 60 + found.second


CLOCK: dict[str, Callable[[str], int]] = {
    "time": _date,
    "utc time": _date,
    "hour": _hour,
    "utc hour": _hour,
    "day": DAYS.index,
}


def symbol(key: str, word: str) -> int:
    """What a word stands for where this key is compared with it. ValueError."""
    words = WORDS.get(key, {})
    if key in CLOCK:
        return CLOCK[key](word.strip('"'))
    if key == "priority":
        return _priority(word)
    if word in words:
        return words[word]
    if word[:1].isdigit() and word.isalnum():
        return int(word, 0)
    return number(word)


def _priority(word: str) -> int:
    """A handle of tc: `1:2`, `none`, `root`."""
    if word in ("none", "root"):
        return 0 if word == "none" else 0xFFFFFFFF
    major, _, minor = word.partition(":")
    return int(major or "0", 16) << 16 | int(minor or "0", 16)
