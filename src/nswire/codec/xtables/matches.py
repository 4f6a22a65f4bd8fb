"""The matches of iptables and ip6tables that are understood: iptables-extensions(8), net/netfilter/xt_*.c.

Keys are nft's words wherever nft has the thing. What is compared with is read as the kernel compares it, odd cases included.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from nswire.codec import protocol_numbers
from nswire.codec.xtables import made
from nswire.codec.xtables.rows import Extension, extension, nothing, spec
from nswire.model.firewall import Key, Opaque, Test

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.codec.xtables.rows import OptionReader, Where
    from nswire.codec.xtables.words import Option, Part
    from nswire.model.firewall import Statement

IP_TYPES = {**protocol_numbers.ADDRESS_TYPES, "throw": 9, "nat": 10, "xresolve": 11}
OWNERS = {"--uid-owner": "skuid", "--gid-owner": "skgid"}
TCP_OPTIONS = {
    1: "nop",
    2: "maxseg",
    3: "window",
    4: "sack-perm",
    8: "timestamp",
    19: "md5sig",
    34: "fastopen",
}
TCP_FLAGS = {"all": 63, "none": 0, **protocol_numbers.TCP_FLAGS}
ICMP_ANY = 255


def number_of(key: str, *, largest: int = made.U32) -> OptionReader:
    """`--length 100:200`: a number or a range. In a key's name `{ip}` is the family."""

    def read(one: Option, where: Where) -> Iterable[Statement]:
        yield made.among(key.replace("{ip}", where.ip), [made.span(one.value, largest)], negate=one.negate)

    return read


def mask_of(key: str) -> OptionReader:
    """`--mark 0x1/0xff`."""

    def read(one: Option, where: Where) -> Iterable[Statement]:
        value, mask = made.masked(one.value)
        yield made.equal(key.replace("{ip}", where.ip), value, negate=one.negate, mask=mask)

    return read


def address_of(key: str) -> OptionReader:
    """`-s 10.0.0.0/8`."""

    def read(one: Option, where: Where) -> Iterable[Statement]:
        yield made.address(key.replace("{ip}", where.ip), one.value, negate=one.negate)

    return read


def link_of(key: str) -> OptionReader:
    """`-i eth+`."""

    def read(one: Option, _: Where) -> Iterable[Statement]:
        yield made.link(key, one.value, negate=one.negate)

    return read


def ports_of(key: str) -> OptionReader:
    """`--dport 80`, `--dports 80,8000:8010`."""

    def read(one: Option, _: Where) -> Iterable[Statement]:
        yield made.among(key, made.ports(one.value), negate=one.negate)

    return read


def word_of(key: str) -> OptionReader:
    """`--pkt-type unicast`: a word that stands for a number."""

    def read(one: Option, _: Where) -> Iterable[Statement]:
        yield made.equal(key, protocol_numbers.symbol(key, one.value), negate=one.negate)

    return read


def below(key: str) -> OptionReader:
    """`--ttl-lt 5`."""

    def read(one: Option, where: Where) -> Iterable[Statement]:
        yield made.among(key.replace("{ip}", where.ip), [(0, made.number(one.value) - 1)], negate=one.negate)

    return read


def above(key: str) -> OptionReader:
    """`--ttl-gt 5`."""

    def read(one: Option, where: Where) -> Iterable[Statement]:
        cell = (made.number(one.value) + 1, made.LARGEST)
        yield made.among(key.replace("{ip}", where.ip), [cell], negate=one.negate)

    return read


def opaque(one: Option, _: Where) -> Iterable[Statement]:
    """An option that nobody can decide."""
    yield Opaque(one.text)


def _range(key: str, one: Option, where: Where) -> Iterable[Statement]:
    yield made.addresses(f"{where.ip} {key}", one.value, negate=one.negate)


def _either_port(one: Option, _: Where) -> Iterable[Statement]:
    """`--ports`: one of the two is in the list."""
    cells = made.ports(one.value)
    rows = (*((cell, made.ANY) for cell in cells), *((made.ANY, cell) for cell in cells))
    yield Test((Key("th sport"), Key("th dport")), rows, negate=one.negate)


def _tcp_flags(one: Option, _: Where) -> Iterable[Statement]:
    mask, value = (_bits(words) for words in one.values)
    yield made.equal("tcp flags", value, negate=one.negate, mask=mask)


def _bits(words: str) -> int:
    return functools.reduce(int.__or__, (TCP_FLAGS[word] for word in words.lower().split(",")))


def _syn(one: Option, _: Where) -> Iterable[Statement]:
    yield made.equal("tcp flags", 2, negate=one.negate, mask=2 | 16 | 4 | 1)


def _icmp(key: str, one: Option, _: Where) -> Iterable[Statement]:
    """`--icmp-type 3/4`, `any` (which negated is none: icmp_type_code_match)."""
    kind, _slash, code = one.value.partition("/")
    if kind in ("any", str(ICMP_ANY)) and key == "icmp type":
        yield made.constant(true=not one.negate)
        return
    number = protocol_numbers.symbol(key, kind)
    if not code:
        yield made.equal(key, number, negate=one.negate)
        return
    keys = (Key(key), Key(key.replace("type", "code")))
    yield Test(keys, (((number, number), made.span(code, 255)),), negate=one.negate)


def _mac(one: Option, _: Where) -> Iterable[Statement]:
    yield made.mac("ether saddr", one.value, negate=one.negate)


def _ecn_bits(one: Option, where: Where) -> Iterable[Statement]:
    yield made.equal(f"{where.ip} ecn", made.number(one.value), negate=one.negate)


def _realm(one: Option, _: Where) -> Iterable[Statement]:
    """`0x7`, `0x7/0xff`, `cosmos` (which is 0)."""
    value, mask = (0, -1) if one.value == "cosmos" else made.masked(one.value)
    yield made.equal("rt classid", value, negate=one.negate, mask=mask)


def _flag(bit: int, one: Option, _: Where) -> Iterable[Statement]:
    yield made.equal("tcp flags", bit, negate=one.negate, mask=bit)


def _tcp_option(one: Option, _: Where) -> Iterable[Statement]:
    """tcp_find_option: whether there is an option of that number."""
    name = TCP_OPTIONS.get(made.number(one.value))
    if name is None:  # none that any SYN of Linux has, unless a program asks for it
        yield Opaque(one.text, lasting=f"TCP option {one.value}", negate=one.negate)
        return
    yield made.equal(f"tcp option {name}", 1, negate=one.negate)


def _segment(one: Option, _: Where) -> Iterable[Statement]:
    """tcpmss_mt: what has no such option is not in any range, negated or not negated."""
    cell = made.span(one.value, 0xFFFF)
    yield Test((Key("tcp option maxseg size"),), ((cell,),), negate=one.negate)


def _time(part: Part, _: Where) -> Iterable[Statement]:
    """time_mt, by UTC. Days of the week and the month, and times by the kernel's zone, are not followed."""
    given = {one.name: one.value for one in part.options}
    if not set(given) <= {"--datestart", "--datestop", "--timestart", "--timestop"}:
        return [Opaque(part.text, lasting=part.text)]
    first = protocol_numbers.symbol("utc time", given.get("--datestart", "1970-01-01T00:00:00"))
    last = protocol_numbers.symbol("utc time", given.get("--datestop", "2038-01-19T03:14:07"))
    dates = [(first, last)]
    start = protocol_numbers.symbol("utc hour", given.get("--timestart", "00:00:00"))
    stop = protocol_numbers.symbol("utc hour", given.get("--timestop", "23:59:59"))
    hours = [(start, stop)] if start < stop else [(0, stop), (start, 86400)]
    return [made.among("utc time", dates), made.among("utc hour", hours)]


def _statistic(part: Part, _: Where) -> Iterable[Statement]:
    """statistic_mt: every first one is each; to be below a probability of 0 is nobody. All else is chance."""
    given = {one.name: one for one in part.options}
    mode = given["--mode"].value
    if mode == "nth" and made.number(given["--every"].value) == 1:
        return [made.constant(true=not given["--every"].negate)]
    if mode == "random" and float(given["--probability"].value) == 0:
        return [made.constant(true=given["--probability"].negate)]
    return [Opaque(part.text)]


def _group(key: str, one: Option, _: Where) -> Iterable[Statement]:
    value, mask = (0, -1) if one.value == "default" else made.masked(one.value)  # /etc/iproute2/group
    yield made.equal(key, value, negate=one.negate, mask=mask)


def _address_type(part: Part, _: Where) -> Iterable[Statement]:
    """xt_addrtype.c: with --limit-iface-in the type that it has for that link alone; negations are of each side's own."""
    limits = {"--limit-iface-in": " . iif", "--limit-iface-out": " . oif"}
    limit = "".join(limits[one.name] for one in part.options if one.name in limits)
    for one in part.options:
        if one.name in limits:
            continue
        side = {"--src-type": "saddr", "--dst-type": "daddr"}[one.name]
        numbers = [IP_TYPES[word] for word in one.value.lower().split(",")]
        yield made.among(f"fib {side}{limit} type", [(n, n) for n in numbers], negate=one.negate)


def _bridged(key: str, one: Option, _: Where) -> Iterable[Statement]:
    yield made.equal(key, 1, negate=one.negate)


def _out_port(one: Option, where: Where) -> Iterable[Statement]:
    """--physdev-out: neither it nor its negation is true of what came in by a port and leaves by none (seen; physdev_mt)."""
    if one.negate:
        keys = (Key("physdev in"), Key("physdev out"))
        yield Test(keys, (((1, 1), (0, 0)),), negate=True)
    yield from link_of("physout")(one, where)


def _policy(part: Part, _: Where) -> Iterable[Statement]:
    """xt_policy.c: `--pol none` is true of what came (goes) without IPsec, and whatever else is asked is true of what has it."""
    given = {one.name: one for one in part.options}
    key = {"in": "ipsec", "out": "rt ipsec"}[given["--dir"].value]
    if given["--pol"].value == "none":
        yield made.equal(key, 0)
        return
    yield made.equal(key, 1)
    if len(given) > 2:
        yield Opaque(part.text)


def _reverse_path(part: Part, _: Where) -> Iterable[Statement]:
    """ipt_rpfilter.c, ip6t_rpfilter.c: whether an answer would go out where the packet came in."""
    given = {one.name.removeprefix("--") for one in part.options}
    key = " ".join(("rpfilter", *(one for one in ("loose", "validmark", "accept-local") if one in given)))
    yield made.equal(key, 1, negate="invert" in given)


def _helper(one: Option, _: Where) -> Iterable[Statement]:
    """helper_mt: no connection that somebody opens by himself is one that a helper expected."""
    yield made.constant(true=one.negate)


def _owner(part: Part, _: Where) -> Iterable[Statement]:
    """owner_mt: what no program's socket sends has no owner, so that whatever is negated is true of it."""
    for one in part.options:
        key = OWNERS.get(one.name)
        if one.name == "--socket-exists":
            yield Test((Key("socket"),), (((1, 1),),), negate=one.negate, lax=True)
        elif key is None:
            yield Opaque(part.text)
        else:
            cell = made.span(one.value, made.U32, colon="-")
            yield Test((Key(key),), ((cell,),), negate=one.negate, lax=True)


def _fragment(one: Option, _: Where) -> Iterable[Statement]:
    """`-f`: a piece of a packet, but not the first."""
    yield made.equal("ip frag-off", 0, negate=not one.negate, mask=0x1FFF)


PORTS = {"--sport": ports_of("th sport"), "--dport": ports_of("th dport")}
PLURAL = {
    "--sports": ports_of("th sport"), "--source-ports": ports_of("th sport"), "--dports": ports_of("th dport"),
    "--destination-ports": ports_of("th dport"), "--ports": _either_port,
}  # fmt: skip
BASE = extension(
    {
        "-s": address_of("{ip} saddr"),
        "-d": address_of("{ip} daddr"),
        "-i": link_of("iifname"),
        "-o": link_of("oifname"),
        "-p": lambda one, _: (
            () if one.value in ("all", "0") else [made.protocol(one.value, negate=one.negate)]
        ),
        "-f": _fragment,
        "-c": nothing,
    },
    "-c:2",
    flags="-f",
)
MATCHES: dict[str, Extension] = {
    "addrtype": Extension(
        _address_type, spec("--src-type --dst-type --limit-iface-in:0 --limit-iface-out:0")
    ),
    "comment": extension({"--comment": nothing}),
    "devgroup": extension(
        {
            "--src-group": functools.partial(_group, "iifgroup"),
            "--dst-group": functools.partial(_group, "oifgroup"),
        }
    ),
    "dccp": extension({**PORTS, "--dccp-types": opaque, "--dccp-option": opaque}),
    "dscp": extension({"--dscp": number_of("{ip} dscp")}),
    "ecn": extension(
        {
            "--ecn-ip-ect": _ecn_bits,
            "--ecn-tcp-cwr": functools.partial(_flag, 128),
            "--ecn-tcp-ece": functools.partial(_flag, 64),
        },
        flags="--ecn-tcp-cwr --ecn-tcp-ece",
    ),
    "helper": extension({"--helper": _helper}, tracks=True),
    "hl": extension(
        {
            "--hl-eq": number_of("ip6 hoplimit"),
            "--hl-lt": below("ip6 hoplimit"),
            "--hl-gt": above("ip6 hoplimit"),
        }
    ),
    "icmp": extension({"--icmp-type": functools.partial(_icmp, "icmp type")}),
    "icmp6": extension({"--icmpv6-type": functools.partial(_icmp, "icmpv6 type")}),
    "iprange": extension(
        {
            "--src-range": functools.partial(_range, "saddr"),
            "--dst-range": functools.partial(_range, "daddr"),
        }
    ),
    "length": extension({"--length": number_of("length", largest=0xFFFF)}),
    "mac": extension({"--mac-source": _mac}),
    "mark": extension({"--mark": mask_of("mark")}),
    "multiport": extension(PLURAL),
    "owner": Extension(_owner, spec("--uid-owner --gid-owner --socket-exists:0 --suppl-groups:0")),
    "physdev": extension(
        {
            "--physdev-in": link_of("physin"),
            "--physdev-out": _out_port,
            "--physdev-is-in": functools.partial(_bridged, "physdev in"),
            "--physdev-is-out": functools.partial(_bridged, "physdev out"),
            "--physdev-is-bridged": functools.partial(_bridged, "physdev out"),
        },
        flags="--physdev-is-in --physdev-is-out --physdev-is-bridged",
    ),
    "pkttype": extension({"--pkt-type": word_of("pkttype")}),
    "policy": Extension(
        _policy,
        spec("--dir --pol --strict:0 --next:0 --reqid --spi --proto --mode --tunnel-src --tunnel-dst"),
    ),
    "realm": extension({"--realm": _realm}),
    "rpfilter": Extension(_reverse_path, spec("--loose:0 --validmark:0 --accept-local:0 --invert:0")),
    "sctp": extension({**PORTS, "--chunk-types": opaque}, "--chunk-types:2"),
    "tcp": extension(
        {**PORTS, "--tcp-flags": _tcp_flags, "--syn": _syn, "--tcp-option": _tcp_option},
        "--tcp-flags:2",
        flags="--syn",
    ),
    "statistic": Extension(_statistic, spec("--mode --probability --every --packet")),
    "tcpmss": extension({"--mss": _segment}),
    "time": Extension(
        _time,
        spec(
            "--datestart --datestop --timestart --timestop --monthdays --weekdays --kerneltz:0 --contiguous:0 --utc:0"
        ),
    ),
    "tos": extension({"--tos": mask_of("{ip} tos")}),
    "ttl": extension(
        {"--ttl-eq": number_of("ip ttl"), "--ttl-lt": below("ip ttl"), "--ttl-gt": above("ip ttl")}
    ),
    "udp": extension(PORTS),
    "udplite": extension(PORTS),
}
