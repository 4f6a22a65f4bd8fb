"""The matches and targets of ebtables(8), in the words of its own two variants: net/bridge/netfilter/ebt_*.c.

They have no `-m`: an option says by its name of which match it is. A bang stands behind the option.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from nswire.codec import protocol_numbers
from nswire.codec.xtables import made
from nswire.codec.xtables.matches import address_of, link_of, opaque, ports_of
from nswire.codec.xtables.rows import Extension, nothing, spec
from nswire.codec.xtables.targets import TARGETS, VERDICTS, given, mixed
from nswire.model.firewall import Assign, Key, Test, Unfollowed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.codec.xtables.rows import OptionReader, Reader, Where
    from nswire.codec.xtables.words import Option, Part
    from nswire.model.firewall import Cell, Statement

LENGTH = 0x600  # what is smaller is the length of an 802.3 frame
MAC_NAMES = {
    "unicast": "00:00:00:00:00:00/01:00:00:00:00:00",
    "multicast": "01:00:00:00:00:00/01:00:00:00:00:00",
    "broadcast": "ff:ff:ff:ff:ff:ff",
    "bga": "01:80:c2:00:00:00",
}
ETHERTYPES = {
    "ipv4": 0x0800, "arp": 0x0806, "ipv6": 0x86DD, "802_1q": 0x8100, "x25": 0x0805, "rarp": 0x8035, "802_1ad": 0x88A8, "lldp": 0x88CC,
    "mpls": 0x8847, "ppp_disc": 0x8863, "ppp_ses": 0x8864, "loop": 0x9000, "atalk": 0x809B, "aarp": 0x80F3, "ipx": 0x8137, "qinq": 0x9100,
    "fcoe": 0x8906, "aoe": 0x88A2, "eapol": 0x888E, "netbeui": 0x8191,
}  # fmt: skip
"""/etc/ethertypes, as far as it is what a bridge commonly sees."""
OPERATIONS = {
    "request": 1, "reply": 2, "request_reverse": 3, "reply_reverse": 4, "drarp_request": 5, "drarp_reply": 6, "drarp_error": 7,
    "inarp_request": 8, "arp_nak": 10,
}  # fmt: skip
PACKET_TYPES = {
    "host": 0,
    "broadcast": 1,
    "multicast": 2,
    "otherhost": 3,
    "outgoing": 4,
    "loopback": 5,
    "fastroute": 6,
}
ICMP6_NAMES = {
    "neighbour-solicitation": 135, "neighbor-solicitation": 135, "neighbour-advertisement": 136, "neighbor-advertisement": 136,
    "router-solicitation": 133, "router-advertisement": 134, "redirect": 137, "echo-request": 128, "ping": 128, "echo-reply": 129,
    "pong": 129, "destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "ttl-exceeded": 3, "parameter-problem": 4,
}  # fmt: skip
ICMP4_NAMES = {**protocol_numbers.ICMP, "ping": 8, "pong": 0, "ttl-exceeded": 11}


def _type(key: str, one: Option, _: Where) -> Iterable[Statement]:
    word = one.value.lower()
    if word == "length":
        yield made.among(key, [(0, LENGTH - 1)], negate=one.negate)
        return
    number = ETHERTYPES[word] if word in ETHERTYPES else int(word, 16)
    yield made.equal(key, number, negate=one.negate)


def _mac(key: str, one: Option, _: Where) -> Iterable[Statement]:
    yield made.mac(key, MAC_NAMES.get(one.value.lower(), one.value), negate=one.negate)


def _among(side: str, one: Option, _: Where) -> Iterable[Statement]:
    """A list of MACs. ValueError: addresses are tied to some, which ARP and IP have at different places."""
    cells: list[Cell] = []
    for word in one.value.strip(",").split(","):
        number = made.mac_number(word)
        cells.append((number, number))
    yield made.among(f"ether {side}", cells, negate=one.negate)


def _marked(one: Option, _: Where) -> Iterable[Statement]:
    """`--mark 1/3`; `/3`: any of these bits."""
    if one.value.startswith("/"):
        bits = made.number(one.value[1:])
        yield made.among("mark", [(bits, bits)], negate=one.negate, bits=True)
        return
    value, mask = made.masked(one.value)
    yield made.equal("mark", value, negate=one.negate, mask=mask)


def _packet_type(one: Option, _: Where) -> Iterable[Statement]:
    yield made.equal("pkttype", PACKET_TYPES[one.value.lower()], negate=one.negate)


def _operation(one: Option, _: Where) -> Iterable[Statement]:
    word = one.value.lower()
    yield made.equal(
        "arp operation", OPERATIONS[word] if word in OPERATIONS else int(word), negate=one.negate
    )


def _hexadecimal(key: str, one: Option, _: Where) -> Iterable[Statement]:
    yield made.equal(key, int(one.value, 16), negate=one.negate)


def _number(key: str, one: Option, _: Where) -> Iterable[Statement]:
    yield made.equal(key, int(one.value), negate=one.negate)


def _hardware(one: Option, _: Where) -> Iterable[Statement]:
    yield made.equal("arp htype", 1 if one.value.lower() == "ethernet" else int(one.value), negate=one.negate)


def _arp_type(one: Option, where: Where) -> Iterable[Statement]:
    return _type("arp ptype", one, where)


def _gratuitous(one: Option, _: Where) -> Iterable[Statement]:
    """Sender and target are one address: never where somebody asks for another's, or is answered."""
    yield made.constant(true=one.negate)


def _protocol(one: Option, _: Where) -> Iterable[Statement]:
    yield made.protocol(one.value, negate=one.negate)


def _icmp(key: str, names: dict[str, int], one: Option, _: Where) -> Iterable[Statement]:
    """`135:136/0`, `echo-request`."""
    kind, _slash, code = one.value.partition("/")
    types = (names[kind], names[kind]) if kind in names else made.span(kind, 255)
    keys = (Key(f"{key} type"), Key(f"{key} code"))
    yield Test(keys, ((types, made.span(code, 255) if code else (0, 255)),), negate=one.negate)


READERS: dict[str, OptionReader] = {
    "-p": functools.partial(_type, "ether type"),
    "-i": link_of("iifname"),
    "-o": link_of("oifname"),
    "--logical-in": link_of("ibrname"),
    "--logical-out": link_of("obrname"),
    "-s": functools.partial(_mac, "ether saddr"),
    "-d": functools.partial(_mac, "ether daddr"),
    "--among-src": functools.partial(_among, "saddr"),
    "--among-dst": functools.partial(_among, "daddr"),
    "--mark": _marked,
    "--pkttype-type": _packet_type,
    "--arp-opcode": _operation,
    "--arp-op": _operation,
    "--arp-htype": _hardware,
    "--arp-ptype": _arp_type,
    "--arp-ip-src": address_of("arp saddr ip"),
    "--arp-ip-dst": address_of("arp daddr ip"),
    "--arp-mac-src": functools.partial(_mac, "arp saddr ether"),
    "--arp-mac-dst": functools.partial(_mac, "arp daddr ether"),
    "--arp-gratuitous": _gratuitous,
    "--ip-src": address_of("ip saddr"),
    "--ip-dst": address_of("ip daddr"),
    "--ip-tos": functools.partial(_hexadecimal, "ip tos"),
    "--ip-proto": _protocol,
    "--ip-sport": ports_of("th sport"),
    "--ip-dport": ports_of("th dport"),
    "--ip-icmp-type": functools.partial(_icmp, "icmp", ICMP4_NAMES),
    "--ip-igmp-type": opaque,
    "--ip6-src": address_of("ip6 saddr"),
    "--ip6-dst": address_of("ip6 daddr"),
    "--ip6-tclass": functools.partial(_hexadecimal, "ip6 tos"),
    "--ip6-proto": _protocol,
    "--ip6-sport": ports_of("th sport"),
    "--ip6-dport": ports_of("th dport"),
    "--ip6-icmp-type": functools.partial(_icmp, "icmpv6", ICMP6_NAMES),
    "--vlan-id": functools.partial(_number, "vlan id"),
    "--vlan-prio": functools.partial(_number, "vlan pcp"),
    "--vlan-encap": functools.partial(_type, "vlan type"),
    "--limit": opaque,
    "--limit-burst": nothing,
    "--802_3-sap": opaque,
    "--802_3-type": opaque,
    "--log": nothing,
    "--log-level": nothing,
    "--log-prefix": nothing,
    "--log-ip": nothing,
    "--log-ip6": nothing,
    "--log-arp": nothing,
    "--nflog": nothing,
    "--nflog-group": nothing,
    "--nflog-range": nothing,
    "--nflog-threshold": nothing,
    "--nflog-prefix": nothing,
    "--ulog": nothing,
    "--ulog-prefix": nothing,
    "--ulog-nlgroup": nothing,
    "--ulog-cprange": nothing,
    "--ulog-qthreshold": nothing,
    "-c": nothing,
}
"""Long names (`--ip-source`) are what people type; this is what is printed. Any other option is not understood."""
OF = {
    "arp": "--arp", "ip": "--ip", "ip6": "--ip6", "vlan": "--vlan", "among": "--among", "limit": "--limit", "mark_m": "--mark",
    "pkttype": "--pkttype", "stp": "--stp", "802_3": "--802_3", "string": "--string", "log": "--log", "nflog": "--nflog",
    "ulog": "--ulog",
}  # fmt: skip
"""The match, as the kernel calls it, and how all its options begin."""
ARITY = {
    **dict.fromkeys(READERS, 1),
    **spec("-c:2 --arp-gratuitous:0 --log:0 --log-ip:0 --log-ip6:0 --log-arp:0 --nflog:0 --ulog:0"),
    **spec("--string --string-hex --string-algo --string-from --string-to --string-icase:0"),
}


def module(option: str) -> str:
    """Of which match an option is; empty: of all rules'."""
    return next((name for name, begin in OF.items() if option == begin or option.startswith(f"{begin}-")), "")


def _then(option: str, otherwise: str, part: Part) -> list[Statement]:
    return [VERDICTS[given(part).get(option, otherwise)]]


def _set_mark(part: Part, _: Where) -> Iterable[Statement]:
    """ebt_mark.c; then what --mark-target says."""
    options = given(part)
    then = _then("--mark-target", "ACCEPT", part)
    if "--mark-set" in options:
        return [Assign("mark", made.number(options["--mark-set"])), *then]
    if "--mark-or" in options:
        bits = made.number(options["--mark-or"])
        return [mixed("mark", bits, bits), *then]
    if "--mark-and" in options:
        return [mixed("mark", 0, ~made.number(options["--mark-and"]) & made.U32), *then]
    return [mixed("mark", made.number(options["--mark-xor"]), 0), *then]


def _set_mac(side: str, option: str, then: str) -> Reader:
    def read(part: Part, _: Where) -> Iterable[Statement]:
        options = given(part)
        if "--snat-arp" in options:
            return [Unfollowed(part.text.replace("-m ", "-j ", 1))]
        return [Assign(f"ether {side}", made.mac_number(options[option])), *_then(then, "ACCEPT", part)]

    return read


def _elsewhere(part: Part, _: Where) -> Iterable[Statement]:
    yield Unfollowed(part.text.replace("-m ", "-j ", 1))


FRAME_TARGETS: dict[str, Extension] = {
    **{name: TARGETS[name] for name in VERDICTS},
    "mark": Extension(_set_mark, spec("--mark-set --mark-or --mark-and --mark-xor --mark-target")),
    "dnat": Extension(
        _set_mac("daddr", "--to-dst", "--dnat-target"), spec("--to-dst --to-destination --dnat-target")
    ),
    "snat": Extension(
        _set_mac("saddr", "--to-src", "--snat-target"),
        spec("--to-src --to-source --snat-target --snat-arp:0"),
    ),
    "redirect": Extension(_elsewhere, spec("--redirect-target")),
    "arpreply": Extension(_elsewhere, spec("--arpreply-mac --arpreply-target")),
}
