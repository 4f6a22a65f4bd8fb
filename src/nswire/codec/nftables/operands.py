"""What a rule compares, and with what: keys, cells and numbers of libnftables-json(5)."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from nswire.codec import protocol_numbers
from nswire.codec.nftables.said import said
from nswire.model.firewall import ANYTHING, Key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nswire.model.firewall import Cell, Row, Set, SetName

    Sets = Mapping[SetName, Set]

Json = Any
U32 = 0xFFFFFFFF
UNDECIDABLE = {
    "osf", "socket", "ipsec", "dccp option", "sctp chunk",
}  # fmt: skip
"""Keys whose values `path` may still know to be absent (an osf of UDP, the chunk of no SCTP packet); named as they are written."""
RANDOM = ("numgen", "jhash", "symhash")
WIDTHS = {"th sport": 16, "th dport": 16, "ether saddr": 48, "ether daddr": 48}
ADDRESSES = ("ip saddr", "ip daddr", "ip6 saddr", "ip6 daddr")
PORTS = ("sport", "dport")
FLAGS = ("tcp flags", "ct state", "ct status")
RAW_DSCP = {("nh", 8, 8, 0xFC, 2): "ip dscp", ("nh", 0, 16, 0xFC0, 6): "ip6 dscp"}
"""How nft writes the dscp where it has lost its name: in a map of them."""


class Scope:
    """Where a rule stands: its family and table, and the sets of that table."""

    def __init__(
        self, family: str, table: str, things: Mapping[tuple[str, str, str], Json] | None = None
    ) -> None:
        self.family = family
        self.table = table
        self._things = things or {}

    def set_name(self, reference: str) -> SetName:
        """The name of a set that is written `@name`. KeyError: there is none."""
        name = (self.family, self.table, reference.removeprefix("@"))
        if name not in self._things:
            raise KeyError(name)
        return name

    def object(self, kind: str, name: str) -> Json:
        """A named limit, quota or the like. KeyError."""
        return self._things[kind, self.table, f"{self.family} {name}"]


PARTS = {
    "ip version",
    "ip6 version",
    "ip dscp",
    "ip6 dscp",
    "tcp doff",
    "vlan pcp",
    "vlan dei",
    "vlan cfi",
    "ip6 flowlabel",
}
"""Fields that share a byte with what is behind them: nft 1.0.6 writes `ip version >> 4` for one in a concatenation."""


def keys(left: Json) -> tuple[Key, ...]:
    """What is compared. ValueError, KeyError and the like: it is not understood."""
    if "concat" in left:
        return tuple(key for part in left["concat"] for key in keys(part))
    for sign in ("&", ">>"):
        if sign in left:
            return (_narrowed(left, sign),)
    (kind, value), *_ = left.items()
    return (Key(NAMERS[kind](value)),)


def _narrowed(left: Json, sign: str) -> Key:
    """`ip saddr & 255`, `(@nh,8,8 & 0xfc) >> 2`."""
    inner, operand = left[sign]
    (key,) = keys(inner)
    if sign == ">>":
        shifted = Key(key.name, key.mask, key.shift + int(operand))
        raw = tuple(key.name.removeprefix("@").split(",")) if key.name.startswith("@") else ()
        if len(raw) == 3:
            base, offset, length = raw
            known = RAW_DSCP.get((base, int(offset), int(length), shifted.mask, shifted.shift))
            return Key(known) if known is not None else shifted
        if key.name in PARTS:
            raise ValueError("a shift of a part of a byte, which nft 1.0.6 shows for the plain field, too")
        return shifted
    mask = number(key, operand) << key.shift
    return Key(key.name, mask if key.mask == -1 else key.mask & mask, key.shift)


def _payload(value: Json) -> str:
    if "protocol" in value:
        return f"{value['protocol']} {value['field']}"
    return f"@{value['base']},{int(value['offset'])},{int(value['len'])}"


def _ct(value: Json) -> str:
    direction = f"{value['dir']} " if "dir" in value else ""
    return f"ct {direction}{value['key']}"


def _fib(value: Json) -> str:
    flags = value["flags"] if isinstance(value["flags"], list) else [value["flags"]]
    return f"fib {' . '.join(map(str, flags))} {value['result']}"


def _named(kind: str, value: Json) -> str:
    """`exthdr frag`, `tcp option maxseg size`."""
    if "base" in value:
        raise ValueError("an option by its number")
    return " ".join([kind, str(value["name"]), *([str(value["field"])] if "field" in value else [])])


def _random(value: Json) -> str:
    """A number of which only the range is known."""
    first = int(value.get("offset", 0))
    return f"number {first} {first + int(value['mod']) - 1}"


def _undecidable(kind: str, value: Json) -> str:
    return f"? {said({kind: value})}"


def _hash(value: Json) -> str:
    """With its seed, which is told where somebody has chosen it, and of an address: else any number of its range."""
    what = keys(value["expr"])[0] if "seed" in value and "expr" in value else None
    if what is None or what.name not in ADDRESSES or what.mask != -1:
        return _random(value)
    return f"jhash {int(value['mod'])} {int(value.get('offset', 0))} {int(value['seed'])} {what.name}"


NAMERS: dict[str, Callable[[Json], str]] = {
    "payload": _payload,
    "meta": lambda value: str(value["key"]),
    "ct": _ct,
    "fib": _fib,
    "rt": lambda value: f"rt {value['key']}",
    **{kind: functools.partial(_named, kind) for kind in ("exthdr", "tcp option", "ip option")},
    **dict.fromkeys(RANDOM, _random),
    "jhash": _hash,
    **{kind: functools.partial(_undecidable, kind) for kind in UNDECIDABLE},
}
"""What each expression is called as a key."""


def rows(of: tuple[Key, ...], right: Json) -> list[Row]:
    """What the keys are compared with, one row for each possibility; sets by name are not looked into."""
    if isinstance(right, str) and right.startswith("@"):
        raise ValueError("a set in a set")
    if isinstance(right, list) and len(of) == 1 and (of[0].mask != -1 or of[0].name in FLAGS):
        bits = number(of[0], right)
        return [((bits, bits),)]
    if isinstance(right, list):  # an anonymous set, in the right of older versions
        return [row for one in right for row in rows(of, one)]
    if isinstance(right, dict):
        if "set" in right:
            inside = right["set"] if isinstance(right["set"], list) else [right["set"]]
            return [row for one in inside for row in rows(of, one)]
        if "elem" in right:
            inner = right["elem"]
            if {"limit", "quota", "ct count", "stmt"} & set(inner):
                raise ValueError("an element with a condition")
            return rows(of, inner["val"])
        if "concat" in right:
            return [tuple(cell(key, one) for key, one in zip(of, right["concat"], strict=True))]
    if right == "*":
        return [(ANYTHING,) * len(of)]
    (key,) = of
    return [(cell(key, right),)]


def pairs(of: tuple[Key, ...], elements: Iterable[Json]) -> tuple[list[Row], list[Json]]:
    """Rows and data of the elements of a map."""
    found, data = [], []
    for element in elements:
        key, inside = element
        for row in rows(of, key):
            found.append(row)
            data.append(inside)
    return found, data


def cell(key: Key, value: Json) -> Cell:
    """One value, range or network."""
    if isinstance(value, dict):
        if "prefix" in value:
            return _prefix(key, value["prefix"])
        if "range" in value:
            first, last = (number(key, one) for one in value["range"])
            return first, last
        one = number(key, value)
        return one, one
    if key.name in protocol_numbers.NAMES or (
        key.name.endswith(("oifname", " oif")) and not isinstance(value, bool)
    ):
        if not isinstance(value, str):
            raise ValueError("an index without a link")
        return value
    if value == "*":
        return ANYTHING
    one = number(key, value)
    return one, one


def _prefix(key: Key, value: Json) -> Cell:
    address, length = value["addr"], int(value["len"])
    if isinstance(address, str) and not address.isdigit():
        first = number(key, address)
        size = 128 if ":" in address else 32
        if address.count(":") == 5 and "::" not in address:
            size = 48
    else:
        first, size = int(address), WIDTHS.get(key.name, 16 if key.name.endswith(PORTS) else 32)
    if not 0 <= length <= size:
        raise ValueError(f"a prefix of {length} bits")
    return first, first | ((1 << (size - length)) - 1)


def number(key: Key, value: Json) -> int:
    """A number, whatever way it is written: bits by their names, addresses, words. ValueError."""
    if key.name == "ct label":
        return 1 << int(value)
    if isinstance(value, bool | int):
        if key.name in ("time", "hour"):
            raise ValueError("a time as a number, of which nobody has said the unit")
        return int(value)
    if isinstance(value, list):
        return _any_of(number(key, one) for one in value)
    if isinstance(value, dict):
        if "|" in value:
            return _any_of(number(key, one) for one in value["|"])
        raise ValueError(str(value))
    return protocol_numbers.symbol(key.name, str(value))


def _any_of(numbers: Iterable[int]) -> int:
    bits = 0
    for one in numbers:
        bits |= one
    return bits
