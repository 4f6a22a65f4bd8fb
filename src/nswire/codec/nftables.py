"""`nft -j list ruleset` -> chains and rules (libnftables-json(5)). What is not understood becomes an `Opaque`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from nswire.codec import packets
from nswire.model.firewall import (
    Assign,
    Cell,
    Chain,
    FirewallRule,
    Key,
    Nat,
    Opaque,
    Statement,
    Test,
    Untracked,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Json = Any
HARMLESS = {"counter", "log", "comment", "last", "ct helper", "ct timeout", "ct expectation", "flow", "dup", "set", "secmark"}  # fmt: skip
ELSEWHERE = {"queue", "tproxy", "fwd", "synproxy"}  # somebody else decides what becomes of the packet
ALIASES = {"iif": "iifname", "oif": "oifname", "ip protocol": "l4proto", "ip6 nexthdr": "l4proto"}
VERDICTS = ("accept", "drop", "continue", "return", "jump", "goto")
OPAQUE_KEYS = ("numgen", "jhash", "symhash", "exthdr", "tcp option", "sctp chunk", "osf", "socket", "rt", "ipsec", "dccp option")  # fmt: skip
LARGEST = (1 << 128) - 1


class Foreign(NamedTuple):
    """A table that has iptables extensions in it: its rules are told in full by iptables alone."""

    family: str
    table: str


def decode(answer: bytes) -> tuple[tuple[Chain, ...], frozenset[Foreign]]:
    """The chains, with the rules of each, in the order in which nft lists them. ValueError if that is no such JSON."""
    try:
        things = msgspec.json.decode(answer)["nftables"]
        kinds = [(kind, thing) for one in things for kind, thing in one.items()]
        sets = {(t["family"], t["table"], t["name"]): t for kind, t in kinds if kind in ("set", "map")}
        chains = {
            (t["family"], t["table"], t["name"]): (t, list[FirewallRule]())
            for kind, t in kinds
            if kind == "chain"
        }
        foreign = set()
        for kind, rule in kinds:
            if kind == "rule":
                family, table = rule["family"], rule["table"]
                named = {name: one for (f, t, name), one in sets.items() if (f, t) == (family, table)}
                chains[family, table, rule["chain"]][1].append(_rule(rule["expr"], named))
                if any("xt" in statement for statement in rule["expr"]):
                    foreign.add(Foreign(family, table))
    except (KeyError, TypeError, AttributeError, RecursionError, msgspec.DecodeError) as error:
        raise ValueError(f"that is not what nft -j lists ({error!r})") from None
    return tuple(_chain(chain, tuple(rules)) for chain, rules in chains.values()), frozenset(foreign)


def _chain(chain: Mapping[str, Json], rules: tuple[FirewallRule, ...]) -> Chain:
    devices = chain.get("dev", ())
    return Chain(
        tool="nft",
        family=str(chain["family"]),
        table=str(chain["table"]),
        name=str(chain["name"]),
        rules=rules,
        hook=str(chain.get("hook", "")),
        type=str(chain.get("type", "filter")),
        priority=int(chain.get("prio", 0)),
        policy=str(chain.get("policy", "accept")),
        devices=(devices,) if isinstance(devices, str) else tuple(map(str, devices)),
    )


def _rule(statements: list[Json], sets: Mapping[str, Json]) -> FirewallRule:
    made: list[Statement] = []
    for statement in statements:
        try:
            made += _statement(statement, sets)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            made.append(Opaque(said(statement)))
    return FirewallRule(" ".join(filter(None, map(said, statements))), tuple(made))


def _statement(statement: Json, sets: Mapping[str, Json]) -> list[Statement]:
    if not isinstance(statement, dict):
        # a bare word, as libnftables writes `notrack`
        return [Untracked()] if statement == "notrack" else [Opaque(str(statement))]
    (name, value), *_ = statement.items()
    if name in VERDICTS:
        return [_verdict(statement)]
    if name in HARMLESS:
        limited = name == "set" and isinstance(value, dict) and value.get("stmt")
        return [Opaque(said(statement))] if limited else []
    if name in ELSEWHERE:
        return [Verdict("queue", name)]
    maker = MAKERS.get(name)
    return [Opaque(said(statement))] if maker is None else [maker(name, value, sets)]


def _verdict(value: Json) -> Verdict:
    if isinstance(value, str):
        value = {value: None}
    (kind, inside), *_ = value.items()
    if kind not in VERDICTS:
        raise ValueError(kind)
    return Verdict(kind, str(inside["target"]) if isinstance(inside, dict) else "")


def _match(_: str, value: Json, sets: Mapping[str, Json]) -> Statement:
    keys, op, right = _keys(value["left"]), value["op"], value["right"]
    if op in ("<", ">", "<=", ">="):
        number = _number(keys[0], right)
        spans = {"<": (0, number - 1), "<=": (0, number), ">": (number + 1, LARGEST), ">=": (number, LARGEST)}
        return Test(keys, ((spans[op],),))
    if op in (
        "in",
        "!",
    ):  # any of these bits, none of them; as `nft --debug=netlink` shows, all else is exact
        bits = _number(keys[0], right)
        return Test(keys, (((bits, bits),),), negate=op == "!", bits=True)
    if op not in ("==", "!="):
        raise ValueError(op)
    return Test(keys, _rows(keys, right, sets), negate=op == "!=")


def _vmap(_: str, value: Json, sets: Mapping[str, Json]) -> Statement:
    keys = _keys(value["key"])
    pairs = _elements(value["data"], sets)
    rows = tuple(row for key, _ in pairs for row in _rows(keys, key, sets))
    verdicts = tuple(_verdict(data) for key, data in pairs for _ in _rows(keys, key, sets))
    return Test(keys, rows, verdicts=verdicts)


def _elements(data: Json, sets: Mapping[str, Json]) -> list[tuple[Json, Json]]:
    """Keys and data of a map, named or not."""
    elements = sets[data.removeprefix("@")].get("elem", []) if isinstance(data, str) else data["set"]
    return [(key, inside) for key, inside in elements]


def _keys(left: Json) -> tuple[Key, ...]:
    if "concat" in left:
        return tuple(key for part in left["concat"] for key in _keys(part))
    if "&" in left:
        inner, mask = left["&"]
        (key,) = _keys(inner)
        return (Key(key.name, _number(key, mask)),)
    (kind, value), *_ = left.items()
    if kind == "payload" and "protocol" in value:
        name = f"{value['protocol']} {value['field']}"
    elif kind == "meta":
        name = str(value["key"])
    elif kind == "ct" and "dir" not in value:
        name = f"ct {value['key']}"
    elif kind == "fib":
        flags = value["flags"] if isinstance(value["flags"], list) else [value["flags"]]
        name = f"fib {' . '.join(flags)} {value['result']}"
    elif kind in OPAQUE_KEYS:
        name = f"? {said(left)}"
    else:
        raise ValueError(kind)
    return (Key(ALIASES.get(name, name)),)


def _rows(keys: tuple[Key, ...], right: Json, sets: Mapping[str, Json]) -> tuple[tuple[Cell, ...], ...]:
    """What the keys are compared with, one row for each possibility."""
    if isinstance(right, str) and right.startswith("@"):
        return tuple(row for one in sets[right[1:]].get("elem", []) for row in _rows(keys, one, sets))
    if isinstance(right, list):  # an anonymous set, in the right of older versions
        return tuple(row for one in right for row in _rows(keys, one, sets))
    if isinstance(right, dict):
        if "set" in right:
            inside = right["set"] if isinstance(right["set"], list) else [right["set"]]
            return tuple(row for one in inside for row in _rows(keys, one, sets))
        if "elem" in right:
            return _rows(keys, right["elem"]["val"], sets)
        if "concat" in right:
            return (tuple(_cell(key, one) for key, one in zip(keys, right["concat"], strict=True)),)
    (key,) = keys
    return ((_cell(key, right),),)


def _cell(key: Key, value: Json) -> Cell:
    if isinstance(value, dict):
        if "prefix" in value:
            address = packets.number(value["prefix"]["addr"])
            size = 128 if ":" in value["prefix"]["addr"] else 32
            return address, address | ((1 << (size - value["prefix"]["len"])) - 1)
        if "range" in value:
            return _number(key, value["range"][0]), _number(key, value["range"][1])
        number = _number(key, value)
        return number, number
    if key.name in packets.NAMES:
        if not isinstance(value, str):
            raise ValueError("an index without a link")
        return value
    if value == "*":
        return 0, LARGEST
    number = _number(key, value)
    return number, number


def _number(key: Key, value: Json) -> int:
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, list):
        return _any_of(_number(key, one) for one in value)
    if isinstance(value, dict):
        if "|" in value:
            return _any_of(_number(key, one) for one in value["|"])
        raise ValueError(str(value))
    return packets.symbol(key.name, str(value))


def _any_of(numbers: Any) -> int:
    bits = 0
    for one in numbers:
        bits |= one
    return bits


def _mangle(_: str, value: Json, __: Mapping[str, Json]) -> Statement:
    (key,) = _keys(value["key"])
    new = value["value"]
    if key.name not in ("mark", "ct mark"):
        if key.name.endswith(("saddr", "daddr", "sport", "dport")):
            return Verdict("queue", "rewrites the packet")
        return Assign(key.name, None)
    if isinstance(new, int):
        return Assign(key.name, new)
    if isinstance(new, dict) and ("meta" in new or "ct" in new):
        return Assign(key.name, None, source=_keys(new)[0].name)
    for sign, keep in (("|", True), ("&", False), ("^", False)):
        if isinstance(new, dict) and sign in new:
            (old,), number = _keys(new[sign][0]), new[sign][1]
            if old.name != key.name or not isinstance(number, int):
                break
            if sign == "&":
                return Assign(key.name, 0, mask=~number & 0xFFFFFFFF)
            return Assign(key.name, number, mask=number if keep else 0)
    return Assign(key.name, None)


def _nat(name: str, value: Json, sets: Mapping[str, Json]) -> Statement:
    value = value or {}
    address, port = value.get("addr"), value.get("port")
    if isinstance(address, dict) and "map" in address:
        chooser = address["map"]
        keys = _keys(chooser["key"])
        rows: list[tuple[Cell, ...]] = []
        targets: list[tuple[str, int]] = []
        for key, data in _elements(chooser["data"], sets):
            one = data["concat"] if isinstance(data, dict) else [data]
            for row in _rows(keys, key, sets):
                rows.append(row)
                targets.append((str(one[0]), int(one[1]) if len(one) > 1 else 0))
        kind: Any = name  # one of those that have this maker
        return Nat(kind, chosen_by=keys, rows=tuple(rows), targets=tuple(targets), ports=_ends(port, int))
    return Nat(name, addresses=_ends(address, str), ports=_ends(port, int))  # type: ignore[arg-type]


def _ends(value: Json, kind: Callable[[Json], Any]) -> tuple[Any, ...]:
    if value is None:
        return ()
    if isinstance(value, dict):
        if "prefix" in value:
            return (f"{value['prefix']['addr']}/{value['prefix']['len']}",)
        return tuple(kind(one) for one in value["range"])
    return (kind(value),)


MAKERS: dict[str, Callable[[str, Json, Mapping[str, Json]], Statement]] = {
    "match": _match,
    "vmap": _vmap,
    "mangle": _mangle,
    "snat": _nat,
    "dnat": _nat,
    "masquerade": _nat,
    "redirect": _nat,
    "reject": lambda *_: Verdict("reject"),
    "notrack": lambda *_: Untracked(),
}


def said(thing: Json) -> str:
    """Something of a rule in nft's own way of writing, near enough to be found again with `nft list ruleset`."""
    if isinstance(thing, list):
        return ", ".join(map(said, thing))
    if not isinstance(thing, dict):
        return "" if thing is None else str(thing)
    (name, value), *_ = thing.items()
    speaker = SPEAKERS.get(name)
    if speaker is not None:
        return speaker(value)
    if name in HARMLESS and name not in ("log", "set"):
        return ""
    return f"{name} {_inside(value)}".strip()


def _inside(value: Json) -> str:
    if not isinstance(value, dict):
        return said(value)
    return " ".join(f"{key} {said(one)}" for key, one in value.items())


def _said_match(value: Json) -> str:
    op = "" if value["op"] in ("==", "in") else f" {value['op']}"
    return f"{said(value['left'])}{op} {said(value['right'])}"


def _said_set(value: Json) -> str:
    if isinstance(value, dict):
        return f"{value.get('op', 'add')} {said(value.get('set'))} {{ {said(value.get('elem'))} }}"
    elements = value if isinstance(value, list) else [value]
    pairs = (
        f"{said(one[0])} : {said(one[1])}" if isinstance(one, list) and len(one) == 2 else said(one)
        for one in elements
    )
    return f"{{ {', '.join(pairs)} }}"


def _said_nat(name: str, value: Json) -> str:
    value = value or {}
    address, port = said(value.get("addr")), said(value.get("port"))
    return f"{name} to {address}{f':{port}' if port else ''}" if address or port else name


SPEAKERS: dict[str, Callable[[Json], str]] = {
    "match": _said_match,
    "payload": lambda value: f"{value.get('protocol', '@')} {value.get('field', '')}".strip(),
    "meta": lambda value: str(value["key"]),
    "ct": lambda value: f"ct {value['key']}",
    "fib": lambda value: f"fib {_said_flags(value)} {value['result']}",
    "concat": lambda value: " . ".join(map(said, value)),
    "prefix": lambda value: f"{value['addr']}/{value['len']}",
    "range": lambda value: "-".join(map(said, value)),
    "set": _said_set,
    "elem": lambda value: said(value.get("val")) if isinstance(value, dict) else said(value),
    "vmap": lambda value: f"{said(value['key'])} vmap {said(value['data'])}",
    "map": lambda value: f"{said(value['key'])} map {said(value['data'])}",
    "mangle": lambda value: f"{said(value['key'])} set {said(value['value'])}",
    "limit": lambda value: f"limit rate {value.get('rate')}/{value.get('per')}",
    "jump": lambda value: f"jump {value['target']}",
    "goto": lambda value: f"goto {value['target']}",
    "snat": lambda value: _said_nat("snat", value),
    "dnat": lambda value: _said_nat("dnat", value),
    "masquerade": lambda value: _said_nat("masquerade", value),
    "redirect": lambda value: _said_nat("redirect", value),
    "reject": lambda value: f"reject with {_inside(value)}" if value else "reject",
    "log": lambda value: (
        f'log prefix "{value["prefix"]}"' if isinstance(value, dict) and "prefix" in value else ""
    ),
    "&": lambda value: f"{said(value[0])} & {said(value[1])}",
    "|": lambda value: " | ".join(map(said, value)),
    "^": lambda value: " ^ ".join(map(said, value)),
}


def _said_flags(value: Json) -> str:
    flags = value["flags"]
    return " . ".join(flags) if isinstance(flags, list) else str(flags)
