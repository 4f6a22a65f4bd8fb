"""The statements of a rule, as libnftables-json(5) writes them, to those of `model.firewall`.

Each is in `MAKERS`, in `HARMLESS` with the reason why it changes no packet's fate, or it is read as `Unfollowed`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from nswire.codec.nftables import implicit
from nswire.codec.nftables.operands import keys, number, pairs, rows
from nswire.codec.nftables.said import rule as told
from nswire.model.firewall import (
    ANYTHING,
    Assign,
    Change,
    FirewallRule,
    Inline,
    Key,
    Mapped,
    Nat,
    Opaque,
    Operation,
    Target,
    Test,
    Tproxy,
    Unfollowed,
    Untracked,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.codec.nftables.operands import Scope
    from nswire.model.firewall import Expression, Statement

Json = Any
Errors = (KeyError, TypeError, ValueError, AttributeError, IndexError)
HARMLESS = {
    "counter": "it counts",
    "log": "it is written down",
    "last": "the time is noted",
    "comment": "nobody reads it",
    "ct helper": "a helper looks at the packets of the connection, and changes what belongs to others",
    "ct timeout": "when the connection is forgotten",
    "flow": "a flowtable takes packets of connections that were answered, to where they would go anyway",
    "secmark": "for the security module of the receiver",
}
HARMLESS_KEYS = {
    "nftrace": "it is traced",
    "secmark": "for the security module of the receiver",
    "ct secmark": "for the security module of the receiver",
    "ct event": "who is told of the connection",
    "ct helper": "a helper looks at the packets of the connection, and changes what belongs to others",
    "rtclassid": "for accounting",
}
"""What may be set to anything."""
ASSIGNED = {
    "mark", "priority", "pkttype", "ct mark", "ct zone", "ct original zone", "ct reply zone", "ct label", "ip ttl", "ip6 hoplimit", "ip dscp",
    "ip6 dscp", "ip ecn", "ip6 ecn", "ip saddr", "ip daddr", "ip6 saddr", "ip6 daddr", "tcp sport", "tcp dport",
    "udp sport", "udp dport", "th sport", "th dport", "ether saddr", "ether daddr",
}  # fmt: skip
VERDICTS = ("accept", "drop", "continue", "return", "jump", "goto")
CONDITIONS = ("limit", "ct count")
TRACKING = re.compile(rb'"(?:ct|ct [a-z]+|snat|dnat|masquerade|redirect|synproxy|flow)":')
"""What makes the kernel track connections, as nft -j writes it (callers of nf_ct_netns_get)."""
UNITS = {"bytes": 1, "kbytes": 1 << 10, "mbytes": 1 << 20}
RANDOM_FLAGS = ("random", "fully-random")
TCP = (6, 6)
ENOUGH = 4  # packets: as often as one comes by a rule
SMALLEST = 20  # bytes: an IP header
ALWAYS = (Key("always"),)
FAR = 1 << 16  # bytes: larger than any packet


class _Text:
    """What a rule looks like, put together only for those that are told of."""

    def __init__(self, statements: list[Json]) -> None:
        self._statements = statements

    def __str__(self) -> str:
        return told(self._statements)


def rule(statements: list[Json], scope: Scope, *, tracks: bool = False) -> FirewallRule:
    """A rule."""
    made: list[Statement] = []
    foreign = False
    for at, statement in enumerate(statements):
        if _fresh(statements, at):
            over = bool(statement["limit"].get("inv"))
            made.append(Test((Key("always"),), ((ANYTHING,),), negate=over))
        elif isinstance(statement, dict) and "xt" in statement:
            foreign = True
            last = at == len(statements) - 1
            made.append(_extension(statement, last=last))
        else:
            made += read(statement, scope)
    return FirewallRule(_Text(statements), tuple(made), tracks, foreign)


def _fresh(statements: list[Json], at: int) -> bool:
    """Whether a limit (of packets) was not asked once, so that the next packets are the first, and within it.

    A counter before it that is 0 says so; as does one just behind it, which counts what was within it.
    """
    statement = statements[at]
    limit = statement.get("limit") if isinstance(statement, dict) else None
    if not isinstance(limit, dict) or "rate_unit" in limit or not isinstance(limit.get("burst"), int):
        return False
    unused = [index for index, one in enumerate(statements) if _counted_none(one)]
    asked_never = any(index < at for index in unused) or (at + 1 in unused and not limit.get("inv"))
    return asked_never and limit["burst"] >= ENOUGH


def _counted_none(statement: Json) -> bool:
    counter = statement.get("counter") if isinstance(statement, dict) else None
    return isinstance(counter, dict) and counter.get("packets") == 0


def _extension(statement: Json, *, last: bool) -> Statement:
    """An extension of iptables: a match, or a target, which is always the last of a rule; nft 1.0.6 does not say which."""
    value = statement["xt"]
    kind = value.get("type") if isinstance(value, dict) else None
    name = str(value.get("name", "")) if isinstance(value, dict) else ""
    text = f"xt {kind or 'extension'} {name}".strip()
    made = Opaque if kind == "match" or (kind is None and not last) else Unfollowed
    return made(text, name or "*")


def read(statement: Json, scope: Scope) -> list[Statement]:
    """One statement. What is not understood is a condition only where it is known to be one."""
    try:
        return _read(statement, scope)
    except Errors:
        if isinstance(statement, dict) and next(iter(statement), "") == "match":
            return [Opaque(_text(statement), keys=_looked_at(statement["match"]))]
        return [Unfollowed(_text(statement))]


def _looked_at(match: Json) -> tuple[Key, ...]:
    """The keys of a comparison with something that is not understood."""
    try:
        return keys(match["left"])
    except Errors:
        return ()


def _text(statement: Json) -> str:
    return told([statement])


def _read(statement: Json, scope: Scope) -> list[Statement]:
    if not isinstance(statement, dict):
        if statement == "notrack":  # a bare word, as libnftables writes it
            return [Untracked()]
        return [_inline(str(statement), scope)]
    (name, value), *_ = statement.items()
    if name in VERDICTS:
        return [_verdict(statement)]
    if isinstance(value, dict) and "map" in value:
        return [_object_of(name, value["map"], statement)]
    if name in HARMLESS:
        return []
    if name in CONDITIONS:
        told = _first(name, value) if name == "limit" and isinstance(value, dict) and _small(value) else None
        return [Opaque(_text(statement)) if told is None else Test(ALWAYS, ((ANYTHING,),), negate=not told)]
    if name == "ct expectation":  # with the first packet of a connection (nft_ct_expect_obj_eval)
        return [Test((Key("ct unconfirmed"),), (((1, 1),),))]
    if name == "reject" and isinstance(value, dict) and value.get("type") == "tcp reset":
        # the dependency that nft adds (meta l4proto tcp) it leaves out again when it lists the rule
        return [Test((Key("l4proto"),), ((TCP,),)), Verdict("reject")]
    if name == "reset":  # an option is overwritten (nft_exthdr_tcp_strip_eval)
        return [Test((Key("l4proto"),), ((TCP,),)), Assign("tcp option", None)]
    if name == "synproxy":  # of TCP alone (nft_synproxy_do_eval)
        return [Test((Key("l4proto"),), ((TCP,),)), Unfollowed(_text(statement))]
    maker = MAKERS.get(name)
    return [Unfollowed(_text(statement))] if maker is None else [maker(name, value, scope)]


def _object_of(name: str, value: Json, statement: Json) -> Statement:
    """A named object that a map has for the packet: without one the rule ends (nft_objref_map_eval: NFT_BREAK)."""
    of, data = keys(value["key"]), value["data"]
    if name not in HARMLESS or isinstance(data, str):
        return Opaque(_text(statement), keys=of)
    return Test(of, tuple(pairs(of, data["set"])[0]))


def _inline(text: str, scope: Scope) -> Statement:
    kind, inside = implicit.rules(text)
    return Inline(kind, tuple(rule(one, scope) for one in inside))  # type: ignore[arg-type]


def _verdict(value: Json) -> Verdict:
    if isinstance(value, str):
        value = {value: None}
    (kind, inside), *_ = value.items()
    if kind not in VERDICTS:
        raise ValueError(kind)
    return Verdict(kind, str(inside["target"]) if isinstance(inside, dict) else "")


# -- conditions --------------------------------------------------------------------------------------------------


def _match(_: str, value: Json, scope: Scope) -> Statement:
    of, op, right = keys(value["left"]), value["op"], value["right"]
    if op in ("<", ">", "<=", ">="):
        one = number(of[0], right)
        largest = ANYTHING[1]
        spans = {"<": (0, one - 1), "<=": (0, one), ">": (one + 1, largest), ">=": (one, largest)}
        return Test(of, ((spans[op],),))
    if op in (
        "in",
        "!",
    ):  # any of these bits, none of them; as `nft --debug=netlink` shows, all else is exact
        bits = number(of[0], right)
        return Test(of, (((bits, bits),),), negate=op == "!", bits=True)
    if op not in ("==", "!="):
        raise ValueError(op)
    if isinstance(right, str) and right.startswith("@"):
        return Test(of, negate=op == "!=", set=scope.set_name(right))
    return Test(of, tuple(rows(of, right)), negate=op == "!=")


def _vmap(_: str, value: Json, scope: Scope) -> Statement:
    of, data = keys(value["key"]), value["data"]
    if isinstance(data, str):
        return Test(of, set=scope.set_name(data), map=True)
    found, verdicts = pairs(of, data["set"])
    return Test(of, tuple(found), verdicts=tuple(map(_verdict, verdicts)), map=True)


def _quota(_: str, value: Json, scope: Scope) -> Statement:
    """True of every packet, or of none, unless it is about to be used up."""
    text = _text({"quota": value})
    if isinstance(value, str):
        found = scope.object("quota", value)
        size, inverted = int(found["bytes"]), bool(found.get("inv"))
    else:
        found = value
        size, inverted = int(value["val"]) * UNITS[value["val_unit"]], bool(value.get("inv"))
    used = int(found.get("used", 0)) * UNITS[found.get("used_unit", "bytes")]
    if used >= size:
        return Test((Key("always"),), ((ANYTHING,),), negate=not inverted)
    if size - used > FAR:
        return Test((Key("always"),), ((ANYTHING,),), negate=inverted)
    return Opaque(text)


def _small(value: Json) -> bool:
    """Whether a limit of bytes is below any packet, so that all are over it, always (nft_limit_init: rate and burst)."""
    return "rate_unit" in value and _bytes_of(value) < SMALLEST


def _bytes_of(value: Json) -> int:
    return sum(int(value[one]) * UNITS[value[f"{one}_unit"]] for one in ("rate", "burst"))


def _first(name: str, value: Json) -> bool | None:
    """What a limit, quota or count is to the first packet that it sees; None: that depends."""
    if not isinstance(value, dict):
        return None
    inverted = bool(value.get("inv"))
    if name == "ct count":
        return (int(value["val"]) >= 1) != inverted
    if name == "limit" and "rate_unit" not in value:
        return not inverted
    if name not in ("limit", "quota"):
        return None
    size = _bytes_of(value) if name == "limit" else int(value["val"]) * UNITS[value["val_unit"]]
    return inverted if size < SMALLEST else not inverted if size > FAR else None


# -- what changes something --------------------------------------------------------------------------------------


def _mangle(_: str, value: Json, scope: Scope) -> Statement:
    (key,) = keys(value["key"])
    if key.name in HARMLESS_KEYS:
        return Test((Key("always"),), ((ANYTHING,),))
    if key.name == "tcp option maxseg size":  # of later packets, but other rules may look at it
        return Assign("tcp option", None)
    if key.name not in ASSIGNED:
        return Unfollowed(_text({"mangle": value}))
    try:
        return Assign(key.name, _expression(key, value["value"], scope))
    except Errors:
        return Assign(key.name, None)


def _expression(key: Key, value: Json, scope: Scope) -> Expression:
    """A number, as values of that key are written, or how to get at one."""
    if isinstance(value, dict):
        for sign in ("&", "|", "^", "<<", ">>"):
            if sign in value:
                left, *others = (_expression(key, one, scope) for one in value[sign])
                for other in others:
                    left = Operation(sign, left, other)
                return left
        if "map" in value:
            return _mapped(value["map"], scope, lambda data: number(key, data))
        (one,) = keys(value)
        return one
    return number(key, value)


def _mapped(value: Json, scope: Scope, datum: Callable[[Json], Any]) -> Mapped:
    of, data = keys(value["key"]), value["data"]
    if isinstance(data, str):
        return Mapped(of, set=scope.set_name(data))
    found, inside = pairs(of, data["set"])
    return Mapped(of, tuple(found), tuple(map(datum, inside)))


def _nat(name: str, value: Json, scope: Scope) -> Statement:
    value = value or {}
    address, port, flags = value.get("addr"), value.get("port"), value.get("flags", ())
    listed = [flags] if isinstance(flags, str) else flags
    chosen = ports = None
    addresses: tuple[str, ...] = ()
    prefix = ""
    if isinstance(address, dict) and "map" in address:
        chosen = _mapped(address["map"], scope, target)
    elif address is not None:
        addresses, prefix = _addresses(address)
    numbers: tuple[int, ...] = ()
    if isinstance(port, dict) and "map" in port:
        ports = _mapped(port["map"], scope, lambda data: number(Key("th dport"), data))
    elif port is not None:
        numbers = _ports(port)
    return Nat(
        name,  # type: ignore[arg-type]
        Target(addresses, numbers, prefix),
        family=str(value.get("family", "")),
        chosen=chosen,
        port=ports,
        random=any(flag in RANDOM_FLAGS for flag in listed),
    )


def target(data: Json) -> Target:
    """What a map of addresses, ports, or both has for a key."""
    parts = data["concat"] if isinstance(data, dict) and "concat" in data else [data]
    if len(parts) == 1 and isinstance(parts[0], int):
        return Target((), (parts[0],))
    addresses, prefix = _addresses(parts[0])
    return Target(addresses, _ports(parts[1]) if len(parts) > 1 else (), prefix)


def _addresses(value: Json) -> tuple[tuple[str, ...], str]:
    if isinstance(value, str):
        return (value,), ""
    if "prefix" in value:
        return (), f"{value['prefix']['addr']}/{int(value['prefix']['len'])}"
    first, last = value["range"]
    return (str(first), str(last)), ""


def _ports(value: Json) -> tuple[int, ...]:
    if isinstance(value, dict):
        first, last = value["range"]
        return int(first), int(last)
    return (int(value),)


def _change(_: str, value: Json, scope: Scope) -> Statement:
    element = value["elem"]
    if isinstance(element, dict) and "elem" in element:
        element = element["elem"]["val"]
    conditions = tuple(
        Opaque(_text(one), fresh=_first(*next(iter(one.items()))))
        for one in value.get("stmt", ())
        if next(iter(one)) not in HARMLESS
    )
    return Change(value["op"], scope.set_name(value["set"]), keys(element), conditions)


MAKERS: dict[str, Callable[[str, Json, Scope], Statement]] = {
    "match": _match,
    "vmap": _vmap,
    "quota": _quota,
    "mangle": _mangle,
    "snat": _nat,
    "dnat": _nat,
    "masquerade": _nat,
    "redirect": _nat,
    "set": _change,
    "tproxy": lambda _, value, __: Tproxy(int(value.get("port", 0))),
    "reject": lambda *_: Verdict("reject"),
    "queue": lambda _, value, __: Verdict("queue", _text({"queue": value})),
    "notrack": lambda *_: Untracked(),
}
