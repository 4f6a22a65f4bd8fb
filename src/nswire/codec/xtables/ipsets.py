"""Sets of ipset(8) in rules: `-m set`, `-j SET`. net/netfilter/xt_set.c, ip_set_core.c (ip_set_test), ip_set_getport.c.

The keys of a test are what its flags say (`src,dst`), its rows are the members.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec.xtables import made
from nswire.codec.xtables.rows import Extension, spec
from nswire.model.firewall import Assign, Change, Key, Opaque, Set, Test, Unfollowed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from nswire.codec.netlink.ipset import Element, IpSet
    from nswire.codec.xtables.rows import Where
    from nswire.codec.xtables.words import Part
    from nswire.model.firewall import Cell, Row, SetName, Statement

SIDES = {"src": 0, "dst": 1}
TCP_UDP = ((6, 6), (17, 17))
BITS = {"ip": 32, "ip6": 128}
FAMILIES = {"ip": (2, 0), "ip6": (10, 0)}


class Members(Set):
    """The members of one of ipset's sets, as rows of a test."""

    def __init__(self, of: IpSet) -> None:
        super().__init__(name_of(of.name), size=of.size)
        self._of = of
        self._found: tuple[Row, ...] | None = None

    def content(self, keys: tuple[Key, ...]) -> tuple[tuple[Row, ...], tuple[Any, ...]]:  # noqa: ARG002 (they are the same for both sides)
        """Its rows; no data. ValueError: they cannot be told."""
        if self._found is None:
            self._found = tuple(_rows(self._of, nomatch=False))
        return self._found, ()


def name_of(name: str) -> SetName:
    """A set of ipset as the firewall calls it."""
    return ("ipset", "", name)


def sets(found: Mapping[str, IpSet]) -> dict[SetName, Set]:
    """All of them, for a firewall."""
    return {name_of(name): Members(one) for name, one in found.items() if one.kind != "list:set"}


def match(part: Part, where: Where) -> Iterable[Statement]:
    """`--match-set NAME src,dst`. What is asked about the counters of a member is `Opaque`."""
    given = {one.name: one for one in part.options}
    (name, flags), negate = given["--match-set"].values, given["--match-set"].negate
    counted = set(given) - {"--match-set", "--return-nomatch", "--update-counters", "--update-subcounters"}
    if where.sets is None or (counted and negate):
        yield Opaque(part.text)
        return
    yield _test(where.sets[name], flags, where, negate=negate, nomatch="--return-nomatch" in given)
    if counted:
        yield Opaque(part.text)


def _test(one: IpSet, flags: str, where: Where, *, negate: bool, nomatch: bool) -> Test:
    sides = flags.split(",")
    if one.kind == "list:set":
        return _list(one, flags, where, negate=negate, nomatch=nomatch)
    if len(sides) < len(one.dimensions) or one.family not in FAMILIES[where.ip]:
        return made.constant(true=negate)
    keys = _keys(one, sides, where)
    if nomatch:
        return Test(keys, tuple(_rows(one, nomatch=True)), negate=negate, lax=True)
    return Test(keys, set=name_of(one.name), negate=negate, lax=True)


def _list(one: IpSet, flags: str, where: Where, *, negate: bool, nomatch: bool) -> Test:
    """In any of its sets, where these are looked into with the same keys. ValueError, KeyError."""
    sides = flags.split(",")
    tests: dict[tuple[Key, ...], list[Row]] = {}
    for element in one.elements:
        member = (where.sets or {})[element.name]
        if len(sides) < len(member.dimensions) or member.family not in FAMILIES[where.ip]:
            continue
        rows = tests.setdefault(_keys(member, sides, where), [])
        rows += _rows(member, nomatch=nomatch)
    if not tests:
        return made.constant(true=negate)
    ((keys, rows),) = tests.items()
    return Test(keys, tuple(rows), negate=negate, lax=True)


def change(part: Part, where: Where) -> Iterable[Statement]:
    """`-j SET --add-set NAME src`. A list, or what has a range of its own, is not followed."""
    given = {one.name: one for one in part.options}
    if "--map-set" in given:
        if "--map-mark" in given:
            yield Assign("mark", None)
        return
    for option, op in (("--add-set", "add"), ("--del-set", "delete")):
        if option not in given:
            continue
        name, flags = given[option].values
        one = None if where.sets is None else where.sets[name]
        if one is None or not one.kind.startswith("hash:"):
            yield Unfollowed(part.text.replace("-m ", "-j ", 1))
            continue
        sides = flags.split(",")
        if len(sides) >= len(one.dimensions) and one.family in FAMILIES[where.ip]:
            yield Change(op, name_of(name), _keys(one, sides, where), ends=False)  # type: ignore[arg-type]


def _keys(one: IpSet, sides: list[str], where: Where) -> tuple[Key, ...]:
    keys: list[Key] = []
    for dimension, side in zip(one.dimensions, sides, strict=False):
        keys += _dimension(one, dimension, SIDES[side], where)
    return tuple(keys)


def _dimension(one: IpSet, dimension: str, side: int, where: Where) -> list[Key]:
    if dimension in ("ip", "net"):
        return [Key(f"{where.ip} {('saddr', 'daddr')[side]}", _mask(one) if dimension == "ip" else -1)]
    if dimension == "port":
        name = ("sport", "dport")[side]
        return [Key("l4proto"), Key(f"th {name}" if one.kind == "bitmap:port" else f"ipset {name}")]
    if dimension == "mac":
        return [Key(f"ether {('saddr', 'daddr')[side]}")]
    if dimension == "iface":
        return [Key(("iifname", "oifname")[side])]
    if dimension == "mark":
        return [Key("mark", one.markmask)]
    raise ValueError(one.kind)


def _mask(one: IpSet) -> int:
    """The bits of an address that such a set looks at."""
    if one.bitmask >= 0:
        return one.bitmask
    bits = 128 if one.family == 10 else 32
    if one.netmask < 0 or one.netmask >= bits:
        return -1
    full = (1 << bits) - 1
    return full ^ (full >> one.netmask)


def _rows(one: IpSet, *, nomatch: bool) -> Iterable[Row]:
    """The members that match, or with `nomatch` what the exceptions are. ValueError: that cannot be told.

    Of all networks that an address is in the smallest decides, so exceptions are cut out of larger ones.
    """
    elements = one.elements
    if not nomatch and not any(element.nomatch for element in elements):
        for element in elements:
            yield from _row(one, element)
        return
    if one.dimensions.count("net") != 1 or any(element.wildcard for element in elements):
        raise ValueError("exceptions of several networks")
    at = _place(one)
    groups: dict[Row, list[tuple[tuple[int, int], bool]]] = {}
    for element in elements:
        for row in _row(one, element):
            cell = row[at]
            if isinstance(cell, str):
                raise TypeError(cell)
            groups.setdefault(row[:at] + row[at + 1 :], []).append((cell, element.nomatch == nomatch))
    for others, networks in groups.items():
        for kept in _cut(networks):
            yield (*others[:at], kept, *others[at:])


def _place(one: IpSet) -> int:
    """Where in a row its network stands: a port is two cells."""
    before = one.dimensions[: one.dimensions.index("net")]
    return len(before) + before.count("port")


def _cut(networks: list[tuple[tuple[int, int], bool]]) -> list[tuple[int, int]]:
    """What is left of networks that are added or taken away, from the largest to the smallest."""
    kept: list[tuple[int, int]] = []
    for (low, high), adds in sorted(networks, key=lambda one: one[0][0] - one[0][1]):
        rest: list[tuple[int, int]] = []
        for first, last in kept:
            if first < low:
                rest.append((first, min(last, low - 1)))
            if last > high:
                rest.append((max(first, high + 1), last))
        kept = [*rest, (low, high)] if adds else rest
    return kept


def _row(one: IpSet, element: Element) -> Iterable[Row]:
    if element.physdev:
        raise ValueError("a bridge's port in a set")
    if one.kind == "bitmap:port":
        for proto in TCP_UDP:
            yield (proto, (element.port, element.port))
        return
    row: list[Cell] = []
    seen: set[str] = set()
    for dimension in one.dimensions:
        again = dimension in seen or (dimension in ("ip", "net") and bool(seen & {"ip", "net"}))
        row += _cells(one, element, dimension, again=again)
        seen.add(dimension)
    yield tuple(row)


def _cells(one: IpSet, element: Element, dimension: str, *, again: bool) -> list[Cell]:
    """What a member is in one dimension; `again`: it is the second address."""
    if dimension in ("ip", "net"):
        value, cidr = (element.ip2, element.cidr2) if again else (element.ip, element.cidr)
        bits = 128 if one.family == 10 else 32
        rest = (1 << (bits - cidr)) - 1 if 0 <= cidr <= bits and dimension == "net" else 0
        return [(value & ~rest, value | rest)]
    if dimension == "port":
        return [(element.proto, element.proto), (element.port, element.port)]
    if dimension == "mac":  # of bitmap:ip,mac one may have none yet, and takes the first that it sees
        return [(element.mac, element.mac) if element.mac >= 0 else made.ANY]
    if dimension == "iface":
        return [f"{element.iface}*" if element.wildcard else element.iface]
    return [(element.mark, element.mark)]


SETS: dict[str, Extension] = {
    "set": Extension(
        match,
        spec(
            "--match-set:2 --return-nomatch:0 --update-counters:0 --update-subcounters:0 --packets-eq --packets-lt "
            "--packets-gt --bytes-eq --bytes-lt --bytes-gt"
        ),
    )
}
