"""The grammar of nft(8), first half: what rules match. Values are taken from the packet that will be sent, so that most rules take it.

The forms are those that nft(8) describes and that its own tests (tests/py of nftables) list.
"""

from __future__ import annotations

import ipaddress
import random
from typing import TYPE_CHECKING, NamedTuple

from rulesets_courses import Aim
from rulesets_packets import ICMP, ICMPV6, TCP, UDP

if TYPE_CHECKING:
    from collections.abc import Callable

Value = str | int | None
Rng = random.Random


class Field(NamedTuple):
    """A key that nft can match. `value`: the packet's, None where it is not known beforehand, "-" where it has none.

    `sort` chooses the values that it is compared with, and the operators; `pool` has others of a sort that is a list of words.
    """

    name: str
    sort: str
    value: Callable[[Aim], Value]
    pool: tuple[str, ...] = ()


def _four(value: Callable[[Aim], Value]) -> Callable[[Aim], Value]:
    return lambda aim: "-" if aim.six else value(aim)


def _six(value: Callable[[Aim], Value]) -> Callable[[Aim], Value]:
    return lambda aim: value(aim) if aim.six else "-"


def _of(proto: int, value: Callable[[Aim], Value]) -> Callable[[Aim], Value]:
    return lambda aim: value(aim) if aim.proto == proto else "-"


def _ported(value: Callable[[Aim], Value]) -> Callable[[Aim], Value]:
    return lambda aim: value(aim) if aim.ported else "-"


def _unknown(_: Aim) -> None:
    return None


def _some(value: Value) -> Callable[[Aim], Value]:
    return lambda _: value


def _or_none(value: Callable[[Aim], str]) -> Callable[[Aim], Value]:
    return lambda aim: value(aim) or "-"


def _original(value: Callable[[Aim], Value]) -> Callable[[Aim], Value]:
    return value


PROTO = {ICMP: "icmp", TCP: "tcp", UDP: "udp", ICMPV6: "ipv6-icmp"}
MARKS = ("0x0", "0x1", "0x7", "0xff0")
DSCP = ("cs0", "cs1", "af11", "ef", "cs6")
STATES = ("new", "established", "related", "invalid", "untracked")
PKTTYPES = ("host", "broadcast", "multicast", "other")
KINDS = ("veth", "bridge", "dummy", "vlan")
TYPES = ("ether", "loopback", "ppp")
FIB = ("local", "unicast", "broadcast", "multicast", "blackhole", "unreachable", "prohibit", "anycast")
ADDRESS = tuple[str, ...]
LOCALS = {"a": ("10.1.0.2", "10.3.0.2", "10.9.0.1", "127.0.0.1"), "r": ("10.1.0.1", "10.2.0.1")}


def _kind(link: str) -> str:
    return "bridge" if link == "br0" else "-" if link in ("", "lo") else "veth"


def _type(link: str) -> str:
    return "-" if not link else "loopback" if link == "lo" else "ether"


def _state(aim: Aim) -> Value:
    return "established" if aim.spot.back else "new"


def _pkttype(aim: Aim) -> Value:
    return "other" if aim.spot.layer == "bridge" and aim.spot.hook in ("prerouting", "forward") else "host"


FIELDS = (
    Field("ip version", "number", _four(_some(4))),
    Field("ip hdrlength", "number", _four(_some(5))),
    Field("ip dscp", "word", _four(_some("cs0")), DSCP),
    Field("ip ecn", "word", _four(_some("not-ect")), ("ect0", "ect1", "ce")),
    Field("ip length", "number", _four(_unknown)),
    Field("ip id", "number", _four(_unknown)),
    Field("ip frag-off", "number", _four(_unknown)),
    Field(
        "ip ttl",
        "number",
        _four(lambda aim: 64 if aim.spot.node in "acde" or aim.spot.hook == "output" else None),
    ),
    Field("ip protocol", "word", _four(lambda aim: PROTO[aim.proto]), ("icmp", "tcp", "udp", "sctp", "gre")),
    Field("ip checksum", "number", _four(_unknown)),
    Field("ip saddr", "address", _four(lambda aim: aim.src)),
    Field("ip daddr", "address", _four(lambda aim: aim.dst)),
    Field("ip6 version", "number", _six(_some(6))),
    Field("ip6 dscp", "word", _six(_some("cs0")), DSCP),
    Field("ip6 ecn", "word", _six(_some("not-ect")), ("ect0", "ect1", "ce")),
    Field("ip6 flowlabel", "number", _six(_unknown)),
    Field("ip6 length", "number", _six(_unknown)),
    Field("ip6 nexthdr", "word", _six(lambda aim: PROTO[aim.proto]), ("tcp", "udp", "ipv6-icmp", "sctp")),
    Field(
        "ip6 hoplimit",
        "number",
        _six(lambda aim: 64 if aim.spot.node in "acde" or aim.spot.hook == "output" else None),
    ),
    Field("ip6 saddr", "address", _six(lambda aim: aim.src)),
    Field("ip6 daddr", "address", _six(lambda aim: aim.dst)),
    Field("tcp sport", "port", _of(TCP, lambda aim: aim.sport)),
    Field("tcp dport", "port", _of(TCP, lambda aim: aim.dport)),
    Field("tcp sequence", "number", _of(TCP, _unknown)),
    Field("tcp ackseq", "number", _of(TCP, lambda aim: None if aim.spot.back else 0)),
    Field("tcp doff", "number", _of(TCP, _some(10))),
    Field("tcp reserved", "number", _of(TCP, _some(0))),
    Field("tcp flags", "flags", _of(TCP, lambda aim: "syn | ack" if aim.spot.back else "syn")),
    Field("tcp window", "number", _of(TCP, _unknown)),
    Field("tcp checksum", "number", _of(TCP, _unknown)),
    Field("tcp urgptr", "number", _of(TCP, _some(0))),
    Field("udp sport", "port", _of(UDP, lambda aim: aim.sport)),
    Field("udp dport", "port", _of(UDP, lambda aim: aim.dport)),
    Field("udp length", "number", _of(UDP, _unknown)),
    Field("udp checksum", "number", _of(UDP, _unknown)),
    Field("th sport", "port", _ported(lambda aim: aim.sport)),
    Field("th dport", "port", _ported(lambda aim: aim.dport)),
    Field(
        "icmp type",
        "word",
        _of(ICMP, lambda aim: "echo-reply" if aim.spot.back else "echo-request"),
        ("echo-request", "echo-reply", "time-exceeded"),
    ),
    Field("icmp code", "number", _of(ICMP, _some(0))),
    Field("icmp id", "number", _of(ICMP, lambda aim: aim.probe.sport)),
    Field("icmp sequence", "number", _of(ICMP, _some(1))),
    Field("icmp checksum", "number", _of(ICMP, _unknown)),
    Field(
        "icmpv6 type",
        "word",
        _of(ICMPV6, lambda aim: "echo-reply" if aim.spot.back else "echo-request"),
        ("echo-request", "echo-reply", "nd-neighbor-solicit"),
    ),
    Field("icmpv6 code", "number", _of(ICMPV6, _some(0))),
    Field("icmpv6 id", "number", _of(ICMPV6, lambda aim: aim.probe.sport)),
    Field("icmpv6 sequence", "number", _of(ICMPV6, _some(1))),
    Field("icmpv6 checksum", "number", _of(ICMPV6, _unknown)),
    Field("ether saddr", "mac", _or_none(lambda aim: aim.spot.smac)),
    Field("ether daddr", "mac", _or_none(lambda aim: aim.spot.dmac)),
    Field(
        "ether type",
        "word",
        lambda aim: "-" if not aim.spot.smac else "ip6" if aim.six else "ip",
        ("ip", "ip6", "arp"),
    ),
    Field("meta length", "number", _unknown),
    Field(
        "meta nfproto",
        "word",
        lambda aim: "-" if aim.spot.layer != "ip" else "ipv6" if aim.six else "ipv4",
        ("ipv4", "ipv6"),
    ),
    Field("meta l4proto", "word", lambda aim: PROTO[aim.proto], ("icmp", "tcp", "udp", "ipv6-icmp", "sctp")),
    Field("meta protocol", "word", lambda aim: "ip6" if aim.six else "ip", ("ip", "ip6", "arp")),
    Field("meta priority", "classid", _some("0:0")),
    Field("meta mark", "mark", lambda aim: hex(0 if aim.spot.back else aim.probe.mark)),
    Field("meta iif", "link", _or_none(lambda aim: aim.spot.iif)),
    Field("meta iifname", "name", _or_none(lambda aim: aim.spot.iif)),
    Field("meta iiftype", "word", lambda aim: _type(aim.spot.iif), TYPES),
    Field("meta iifkind", "string", lambda aim: _kind(aim.spot.iif), KINDS),
    Field("meta iifgroup", "number", lambda aim: 0 if aim.spot.iif else "-"),
    Field("meta oif", "link", _or_none(lambda aim: aim.spot.oif)),
    Field("meta oifname", "name", _or_none(lambda aim: aim.spot.oif)),
    Field("meta oiftype", "word", lambda aim: _type(aim.spot.oif), TYPES),
    Field("meta oifkind", "string", lambda aim: _kind(aim.spot.oif), KINDS),
    Field("meta oifgroup", "number", lambda aim: 0 if aim.spot.oif else "-"),
    Field(
        "meta skuid",
        "number",
        lambda aim: 0 if aim.spot.hook in ("output", "postrouting") and not aim.spot.iif else "-",
    ),
    Field(
        "meta skgid",
        "number",
        lambda aim: 0 if aim.spot.hook in ("output", "postrouting") and not aim.spot.iif else "-",
    ),
    Field("meta nftrace", "bit", _some(0)),
    Field("meta rtclassid", "number", _some(0)),
    Field("meta pkttype", "word", _pkttype, PKTTYPES),
    Field("meta cpu", "number", _unknown),
    Field("meta cgroup", "number", _some(0)),
    Field("meta sdif", "number", _some(0)),
    Field(
        "meta ibrname",
        "string",
        lambda aim: "br0" if aim.spot.layer == "bridge" and aim.spot.physin else "-",
        ("br0", "br1"),
    ),
    Field(
        "meta obrname",
        "string",
        lambda aim: "br0" if aim.spot.layer == "bridge" and aim.spot.oif else "-",
        ("br0", "br1"),
    ),
    Field("meta ibrpvid", "number", lambda aim: 1 if aim.spot.layer == "bridge" and aim.spot.physin else "-"),
    Field(
        "meta ibrvproto",
        "word",
        lambda aim: "8021q" if aim.spot.layer == "bridge" and aim.spot.physin else "-",
        ("8021q", "8021ad"),
    ),
    Field("ct state", "flags", _state, STATES),
    Field(
        "ct direction", "word", lambda aim: "reply" if aim.spot.back else "original", ("original", "reply")
    ),
    Field(
        "ct status",
        "flags",
        lambda aim: "seen-reply" if aim.spot.back else None,
        ("seen-reply", "snat", "dnat", "confirmed", "assured", "expected", "dying"),
    ),
    Field("ct mark", "mark", _some("0x0")),
    Field("ct expiration", "time", _unknown),
    Field("ct helper", "string", _some("-"), ("ftp", "sip")),
    Field("ct label", "number", _some("-")),
    Field("ct l3proto", "word", lambda aim: "ipv6" if aim.six else "ipv4", ("ipv4", "ipv6")),
    Field("ct protocol", "word", lambda aim: PROTO[aim.proto], ("icmp", "tcp", "udp", "ipv6-icmp", "sctp")),
    Field("ct zone", "number", _some(0)),
    Field("ct id", "number", _unknown),
    Field("ct original ip saddr", "address", _four(lambda aim: aim.probe.src)),
    Field("ct original ip daddr", "address", _four(lambda aim: aim.probe.dst)),
    Field("ct reply ip saddr", "address", _four(lambda aim: aim.probe.dst)),
    Field("ct reply ip daddr", "address", _four(lambda aim: aim.probe.src)),
    Field("ct original ip6 saddr", "address", _six(lambda aim: aim.probe.src)),
    Field("ct original ip6 daddr", "address", _six(lambda aim: aim.probe.dst)),
    Field("ct reply ip6 saddr", "address", _six(lambda aim: aim.probe.dst)),
    Field("ct reply ip6 daddr", "address", _six(lambda aim: aim.probe.src)),
    Field("ct original protocol", "word", lambda aim: PROTO[aim.proto], ("icmp", "tcp", "udp")),
    Field("ct original proto-src", "port", _ported(lambda aim: aim.probe.sport)),
    Field("ct original proto-dst", "port", _ported(lambda aim: aim.probe.dport)),
    Field("ct reply proto-src", "port", _ported(lambda aim: aim.probe.dport)),
    Field("ct reply proto-dst", "port", _ported(lambda aim: aim.probe.sport)),
    Field("ct original zone", "number", _some(0)),
    Field("ct bytes", "number", _unknown),
    Field("ct original packets", "number", _unknown),
    Field("ct avgpkt", "number", _unknown),
    Field(
        "fib daddr type", "word", lambda aim: "local" if aim.spot.hook in ("input", "output") else None, FIB
    ),
    Field("fib saddr type", "word", _unknown, FIB),
    Field("fib daddr . iif type", "word", lambda aim: "local" if aim.spot.hook == "input" else "-", FIB),
    Field("fib daddr . oif type", "word", lambda aim: "unicast" if aim.spot.hook == "output" else "-", FIB),
    Field("fib saddr . mark type", "word", _unknown, FIB),
    Field("fib saddr oif", "link", _or_none(lambda aim: aim.spot.iif)),
    Field("fib saddr oifname", "name", _or_none(lambda aim: aim.spot.iif)),
    Field("fib daddr oif", "link", _or_none(lambda aim: aim.spot.oif)),
    Field("fib daddr oifname", "name", _or_none(lambda aim: aim.spot.oif)),
    Field("fib saddr . iif oif", "presence", lambda aim: "exists" if aim.spot.iif else "-"),
    Field("fib saddr . mark . iif oif", "presence", lambda aim: "exists" if aim.spot.iif else "-"),
    Field("rt classid", "number", _some(0)),
    Field("rt ip nexthop", "address", _four(lambda aim: aim.dst if aim.spot.node in "rqs" else None)),
    Field("rt ip6 nexthop", "address", _six(lambda aim: aim.dst if aim.spot.node in "rqs" else None)),
    Field("rt mtu", "number", _of(TCP, _some(1460))),
    Field("rt ipsec", "presence", _some("missing")),
    Field("meta secpath", "presence", _some("missing")),
    Field("socket transparent", "bit", _some(0)),
    Field("socket mark", "mark", _some("0x0")),
    Field("socket wildcard", "bit", _some(1)),
    Field("tcp option maxseg", "presence", _of(TCP, _some("exists"))),
    Field("tcp option sack-perm", "presence", _of(TCP, _some("exists"))),
    Field("tcp option timestamp", "presence", _of(TCP, _some("exists"))),
    Field("tcp option window", "presence", _of(TCP, _some("exists"))),
    Field("tcp option fastopen", "presence", _of(TCP, _some("missing"))),
    Field("tcp option 34", "presence", _of(TCP, _some("missing"))),
    Field("tcp option maxseg size", "number", _of(TCP, _some(1460))),
    Field("tcp option window count", "number", _of(TCP, _unknown)),
    Field("tcp option timestamp tsecr", "number", _of(TCP, _unknown)),
    Field("ip option lsrr", "presence", _four(_some("missing"))),
    Field("ip option rr", "presence", _four(_some("missing"))),
    Field("ip option ra", "presence", _four(_some("missing"))),
    Field("exthdr hbh", "presence", _six(_some("missing"))),
    Field("exthdr frag", "presence", _six(_some("missing"))),
    Field("exthdr dst", "presence", _six(_some("missing"))),
    Field("exthdr rt", "presence", _six(_some("missing"))),
    Field("exthdr mh", "presence", _six(_some("missing"))),
    Field("@nh,64,8", "number", _four(lambda aim: 64 if aim.spot.node in "acde" else 63)),
    Field("@nh,72,8", "number", _four(lambda aim: aim.proto)),
    Field("@nh,128,32", "raw", _four(lambda aim: int(ipaddress.ip_address(aim.dst)))),
    Field("@nh,48,8", "number", _six(lambda aim: aim.proto)),
    Field("@nh,192,128", "raw", _six(lambda aim: int(ipaddress.ip_address(aim.dst)))),
    Field("@th,0,16", "number", _ported(lambda aim: aim.sport)),
    Field("@th,16,16", "number", _ported(lambda aim: aim.dport)),
    Field("@th,0,8", "number", _of(ICMP, lambda aim: 0 if aim.spot.back else 8)),
    Field("@th,16,32", "number", _unknown),
    Field("@ll,96,16", "number", lambda aim: "-" if not aim.spot.smac else 0x86DD if aim.six else 0x0800),
    Field("@ll,0,48", "raw", lambda aim: int(aim.spot.dmac.replace(":", ""), 16) if aim.spot.dmac else "-"),
    Field("@ih,0,8", "number", _of(UDP, lambda aim: 0x41 if aim.spot.back else 0x51)),
    Field("osf name", "string", _of(TCP, _some("Linux")), ("Windows", "MacOS")),
    Field("jhash ip saddr mod 4", "small", _four(_unknown)),
    Field("jhash ip6 saddr mod 4 seed 0x7", "small", _six(_unknown)),
    Field("symhash mod 4", "small", _unknown),
    Field("numgen inc mod 2", "bit", _some(0)),
    Field("numgen random mod 4", "small", _unknown),
    Field("meta random", "number", _unknown),
    Field("meta time", "date", _unknown),
    Field("meta hour", "hour", _unknown),
    Field("meta day", "number", _unknown),
)
LACKING = (  # what these packets do not have: such a rule must not be taken for one that matches
    "sctp dport 53", "sctp vtag 1", "sctp chunk data exists", "dccp dport 53", "dccp type request", "udplite dport 53", "esp spi 100", "ah spi 100",
    "comp cpi 1", "vlan id 10", "vlan pcp 3", "arp operation request", "arp saddr ip 10.1.0.2", "igmp type membership-query", "ip6 nexthdr hopopt",
    "hbh nexthdr tcp", "rt type 0", "frag id 1", "frag more-fragments 1", "dst nexthdr tcp", "mh type 1", "srh last-entry 0", "ip option rr exists",
    "exthdr frag exists", "rt ipsec exists", "tcp option fastopen exists", "ipsec in reqid 1", 'ct helper "ftp"', "ct status expected", "ct label 5",
    "icmp mtu 1400", "icmp gateway 1", "icmpv6 mtu 1400", "udplite checksum 5", 'meta iifkind "dummy"', 'meta sdifname "vrf0"', "socket transparent 1",
)  # fmt: skip
OTHERS4 = ("10.7.0.1", "192.0.2.1", "10.2.0.77", "203.0.113.5")
OTHERS6 = ("fd00:7::1", "2001:db8:1::1", "fd00:2::77")


def others(field: Field, aim: Aim, rng: Rng) -> str:
    """A value of that field that the packet does not have."""
    value = str(field.value(aim))
    pools: dict[str, tuple[str, ...]] = {
        "address": OTHERS6 if "ip6" in field.name or (aim.six and "ip " not in field.name) else OTHERS4,
        "port": tuple(str(one) for one in (22, 81, 1024, 4242, 65000)),
        "number": ("1", "3", "77", "200"),
        "raw": ("1", "77"),
        "small": ("1", "3"),
        "bit": ("1",),
        "mac": ("02:00:00:00:77:01", "aa:bb:cc:dd:ee:ff"),
        "mark": MARKS,
        "link": ('"lo"',),
        "name": ('"eth0"', '"lo"', '"wlan*"'),
        "flags": ("fin", "urg", "ece") if field.name == "tcp flags" else field.pool,
        "time": ("1s", "1h"),
        "classid": ("1:2",),
        "date": ('"2020-01-01 00:00:00"',),
        "hour": ('"03:00"',),
        "presence": ("exists", "missing"),
    }
    pool = [
        one
        for one in pools.get(field.sort, field.pool)
        if one.strip('"') != value and one not in value.split(" | ")
    ]
    word = rng.choice(pool or ["1"])
    return f'"{word}"' if field.sort == "string" else word


def shown(field: Field, value: Value) -> str:
    """As nft writes it."""
    return f'"{value}"' if field.sort in ("link", "name", "string") else str(value)


# -- operators ---------------------------------------------------------------------------------------------------


def _range(field: Field, value: Value, rng: Rng) -> str:
    if field.sort == "address":
        one = ipaddress.ip_address(str(value))
        return f"{one - rng.randint(0, 1)}-{one + rng.randint(1, 3)}"
    number = int(str(value), 0)
    return f"{max(0, number - rng.randint(0, 3))}-{number + rng.randint(1, 5)}"


def _prefix(value: Value, rng: Rng) -> str:
    six = ":" in str(value)
    length = rng.choice((16, 32, 48, 64, 127) if six else (8, 15, 24, 30, 31))
    return str(ipaddress.ip_network(f"{value}/{length}", strict=False))


def _mask(field: Field, value: Value, rng: Rng) -> str:
    if field.sort == "address":
        six = ":" in str(value)
        mask = ipaddress.ip_address("ffff:ffff::ff" if six else "255.255.0.255")
        masked = type(mask)(int(ipaddress.ip_address(str(value))) & int(mask))
        return f"& {mask} == {masked}"
    mask_number = rng.choice((0x1, 0x7, 0xF, 0x33))
    return f"& {mask_number:#x} == {int(str(value), 0) & mask_number:#x}"


def _several(field: Field, aim: Aim, rng: Rng, value: Value) -> str:
    words = list(
        dict.fromkeys([shown(field, value), *(others(field, aim, rng) for _ in range(rng.randint(1, 2)))])
    )
    rng.shuffle(words)
    return "{ " + ", ".join(words) + " }"


NUMERIC = ("number", "port", "address", "mark")
Operator = tuple[str, tuple[str, ...], "Callable[[Field, Aim, Rng, Value], str]"]
OPERATORS: tuple[Operator, ...] = (
    ("==", (), lambda f, _, __, v: shown(f, v)),
    ("!=", (), lambda f, a, r, _: f"!= {others(f, a, r)}"),
    ("{ }", (), _several),
    (
        "!= { }",
        (),
        lambda f, a, r, _: "!= { " + ", ".join(dict.fromkeys([others(f, a, r), others(f, a, r)])) + " }",
    ),
    ("range", NUMERIC, lambda f, _, r, v: _range(f, v, r)),
    ("!= range", ("port", "number"), lambda _, __, ___, v: f"!= {int(str(v), 0) + 1}-{int(str(v), 0) + 9}"),
    ("{ range }", NUMERIC, lambda f, _, r, v: "{ " + _range(f, v, r) + " }"),
    ("prefix", ("address",), lambda _, __, r, v: _prefix(v, r)),
    ("{ prefix }", ("address",), lambda _, __, r, v: "{ " + _prefix(v, r) + " }"),
    ("& mask", NUMERIC, lambda f, _, r, v: _mask(f, v, r)),
    ("<", ("number", "port"), lambda _, __, r, v: f"< {int(str(v), 0) + r.randint(1, 9)}"),
    (">=", ("number", "port"), lambda _, __, r, v: f">= {max(0, int(str(v), 0) - r.randint(0, 1))}"),
    ("wildcard", ("name",), lambda _, __, ___, v: f'"{str(v)[:1]}*"'),
    ("!= wildcard", ("name",), lambda *_: '!= "wl*"'),
    ("list", ("flags",), lambda f, a, r, v: f"{v},{others(f, a, r)}" if "|" not in str(v) else str(v)),
    (
        "/ mask",
        ("flags",),
        lambda _, __, ___, v: (
            f"& ({v} | fin) == {v}" if "|" not in str(v) else f"& (fin | syn | rst | ack) == {v}"
        ),
    ),
)
SURE = {  # operators for what is not known beforehand, so that they hold nevertheless
    "number": ("!= 200", ">= 0", "!= 1-2"),
    "small": ("!= 3", ">= 0", "0-3"),
    "word": (),
    "date": ('> "2020-01-01 00:00:00"',),
    "hour": ('"00:00"-"23:59"',),
    "time": ("> 0s", "< 10d"),
}


def match(field: Field, aim: Aim, rng: Rng) -> tuple[str, tuple[str, ...]] | None:
    """A match that, most probably, takes the packet, with the forms in it. None: there is none for this packet."""
    value = field.value(aim)
    if value == "-":
        return None
    name = field.name
    if (
        name.startswith("meta ")
        and name.split()[1] in ("iif", "oif", "iifname", "oifname", "mark", "pkttype")
        and rng.random() < 0.5
    ):
        name = name.removeprefix("meta ")
    if value is None:
        if field.pool:
            return f"{name} != {others(field, aim, rng)}", (f"match {field.name}", "operator !=")
        sure = SURE.get(field.sort)
        if not sure:
            return f"{name} != {others(field, aim, rng)}", (f"match {field.name}", "operator !=")
        return f"{name} {rng.choice(sure)}", (f"match {field.name}", "operator < > or range")
    if field.sort == "presence":
        return f"{name} {value}", (f"match {field.name}",)
    fits = [one for one in OPERATORS if not one[1] or field.sort in one[1]]
    # the plain ones more often: they are what people write
    word, _, make = rng.choices(fits, [3 if not one[1] else 2 for one in fits])[0]
    return f"{name} {make(field, aim, rng, value)}", (f"match {field.name}", f"operator {word}")
