"""`nft -j list ruleset` -> chains and rules (libnftables-json(5)).

Rules are read when they are first walked, sets when they are first looked into: a host may have 50 000 of the one and
100 000 elements in the other, of which a packet meets few.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import msgspec

from nswire.codec.nftables import operands, statements
from nswire.codec.nftables.operands import Scope
from nswire.model.firewall import Chain, FirewallRule, Set, Unfollowed, Unread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nswire.codec.nftables.listed import Listed
    from nswire.model.firewall import Key, Row, SetName

Json = Any
Errors = (KeyError, TypeError, AttributeError, ValueError, RecursionError, IndexError, msgspec.DecodeError)
DEVICE_HOOKS = ("ingress", "egress")


class Ruleset(NamedTuple):
    """All that nft lists: chains, the newest first; sets by their names; what could not be read.

    `tracked`: the families with rules or objects that make the kernel track connections, dormant or not.
    `foreign`: the tables (family, name) with rules that have extensions of iptables in them. `doubtful`: the text form of
    the list is needed as well, since this nft leaves out in JSON what is in it.
    """

    chains: tuple[Chain, ...]
    sets: Mapping[SetName, Set]
    unread: tuple[Unread, ...] = ()
    foreign: frozenset[tuple[str, str]] = frozenset()
    doubtful: bool = False
    tracked: frozenset[str] = frozenset()


class _Rule(msgspec.Struct, gc=False):
    family: str
    table: str
    chain: str
    expr: msgspec.Raw
    handle: int = 0


class _Set(msgspec.Struct, gc=False):
    family: str
    table: str
    name: str
    elem: msgspec.Raw = msgspec.Raw(b"[]")
    size: int = 0
    map: Any = None
    flags: Any = ()
    timeout: Any = None


class _Thing(msgspec.Struct, gc=False):
    table: Any = None
    chain: Any = None
    rule: _Rule | None = None
    set: _Set | None = None
    map: _Set | None = None
    limit: Any = None
    quota: Any = None
    helper: Any = msgspec.field(default=None, name="ct helper")
    timeout: Any = msgspec.field(default=None, name="ct timeout")
    expectation: Any = msgspec.field(default=None, name="ct expectation")


class _List(msgspec.Struct):
    nftables: list[_Thing]


_list = msgspec.json.Decoder(_List)


def decode(answer: bytes, listed: Listed | None = None) -> Ruleset:
    """What is in an answer. `listed`: what the text form says besides. ValueError: that is no such JSON."""
    try:
        return _decode(_list.decode(answer).nftables, listed)
    except Errors as error:
        raise ValueError(f"that is not what nft -j lists ({error!r})") from None


def together(lists: list[bytes]) -> bytes:
    """Several lists as one. ValueError: one of them is none."""
    try:
        return msgspec.json.encode(
            {"nftables": [thing for one in lists for thing in msgspec.json.decode(one)["nftables"]]}
        )
    except Errors as error:
        raise ValueError(f"that is not what nft -j lists ({error!r})") from None


def _decode(things: list[_Thing], listed: Listed | None) -> Ruleset:
    known: dict[tuple[str, str, str], Json] = {}
    sets: dict[SetName, Set] = {}
    chains: list[dict[str, Json]] = []
    rules: dict[tuple[str, str, str], list[_Rule]] = {}
    scopes: dict[tuple[str, str], Scope] = {}
    tables: list[dict[str, Json]] = []
    tracked: set[str] = set()
    for thing in things:
        if thing.rule is not None:
            one = thing.rule
            rules[one.family, one.table, one.chain].append(one)
        elif thing.chain is not None:
            chains.append(thing.chain)
            rules.setdefault((thing.chain["family"], thing.chain["table"], thing.chain["name"]), [])
        elif thing.table is not None:
            tables.append(thing.table)
        elif (held := thing.set or thing.map) is not None:
            name = (held.family, held.table, held.name)
            known[name] = held
            sets[name] = _NftSet(name, held)
        else:
            tracked |= _objects(thing, known)
    for family, table, _ in rules:
        scopes.setdefault((family, table), Scope(family, table, known))
    asleep, unsure = _dormant(tables, listed)
    if listed is not None:
        tracked |= {family for family, _ in listed.dormant & listed.tracking}
    made, foreign = [], set()
    for chain in chains:
        place = (str(chain["family"]), str(chain["table"]))
        read = _Rules(rules[(*place, chain["name"])], scopes[place])
        if read.foreign:
            foreign.add(place)
        tracked |= read.tracked
        if place not in asleep:
            made.append(_chain(chain, read, listed))
    doubtful = unsure or any(chain.devices is None for chain in made)
    return Ruleset(tuple(reversed(made)), sets, (), frozenset(foreign), doubtful, frozenset(tracked))


def _objects(thing: _Thing, known: dict[tuple[str, str, str], Json]) -> set[str]:
    """Named limits and quotas; the families in which others make the kernel track connections."""
    for kind in ("limit", "quota"):
        found = getattr(thing, kind)
        if found is not None:
            known[kind, found["table"], f"{found['family']} {found['name']}"] = found
    return {str(one["family"]) for one in (thing.helper, thing.timeout, thing.expectation) if one is not None}


def _dormant(tables: list[dict[str, Json]], listed: Listed | None) -> tuple[set[tuple[str, str]], bool]:
    """The tables that are switched off, and whether their flags leave that open: nft 1.0.6 has any word for them."""
    asleep, unsure = set(), False
    for table in tables:
        if not table.get("flags"):
            continue
        place = (str(table["family"]), str(table["name"]))
        if listed is not None:
            if place in listed.dormant:
                asleep.add(place)
        elif isinstance(table["flags"], list):
            if "dormant" in table["flags"]:
                asleep.add(place)
        else:
            unsure = True
    return asleep, unsure


def _chain(chain: Mapping[str, Json], rules: _Rules, listed: Listed | None) -> Chain:
    family, table, name, hook = (str(chain.get(key, "")) for key in ("family", "table", "name", "hook"))
    given = chain.get("dev", ())
    devices: tuple[str, ...] | None = (given,) if isinstance(given, str) else tuple(map(str, given))
    if hook in DEVICE_HOOKS and not devices:
        devices = listed.devices.get((family, table, name)) if listed is not None else None
    return Chain(
        tool="nft",
        family=family,
        table=table,
        name=name,
        rules=rules,
        hook=hook,
        type=str(chain.get("type", "filter")),
        priority=int(chain.get("prio", 0)),
        policy=str(chain.get("policy", "accept")),
        devices=devices,
        tracks=bool(rules.tracked),
        foreign=rules.foreign,
    )


class _Rules(Sequence[FirewallRule]):
    """The rules of a chain, each read when it is first looked at."""

    def __init__(self, listed: list[_Rule], scope: Scope) -> None:
        self._raw = raw = [one.expr for one in listed]
        self._handles = [one.handle for one in listed]
        self._scope = scope
        self._read: dict[int, FirewallRule] = {}
        joined = b"\n".join(map(bytes, raw))
        self.foreign = b'"xt":' in joined
        self.tracked: set[str] = set()
        if statements.TRACKING.search(joined):
            for one in raw:
                if statements.TRACKING.search(bytes(one)):
                    self.tracked |= _tracks(msgspec.json.decode(one), scope.family)

    def __len__(self) -> int:
        return len(self._raw)

    @overload
    def __getitem__(self, at: int) -> FirewallRule: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[FirewallRule]: ...
    def __getitem__(self, at: int | slice) -> FirewallRule | Sequence[FirewallRule]:
        if isinstance(at, slice):
            return tuple(self[one] for one in range(*at.indices(len(self))))
        if at not in self._read:
            if not -len(self) <= at < len(self):
                raise IndexError(at)
            self._read[at] = msgspec.structs.replace(self._rule(self._raw[at]), handle=self._handles[at])
        return self._read[at]

    def _rule(self, raw: msgspec.Raw) -> FirewallRule:
        expressions = msgspec.json.decode(raw)
        if not isinstance(expressions, list):
            return FirewallRule("a rule without statements", (Unfollowed("a rule without statements"),))
        return statements.rule(
            expressions, self._scope, tracks=statements.TRACKING.search(bytes(raw)) is not None
        )


def _tracks(expressions: Json, family: str) -> set[str]:
    """The families in which a rule makes the kernel track connections (callers of nf_ct_netns_get in net/netfilter/nft_*.c)."""
    if isinstance(expressions, list):
        return {found for one in expressions for found in _tracks(one, family)}
    if not isinstance(expressions, dict):
        return set()
    found = set()
    for name, inside in expressions.items():
        if name in ("snat", "dnat") and isinstance(inside, dict) and "family" in inside:
            found.add(str(inside["family"]))
        elif name in TRACKERS or name.startswith("ct "):
            found.add(family)
        found |= _tracks(inside, family)
    return found


TRACKERS = {"ct", "snat", "dnat", "masquerade", "redirect", "synproxy", "flow"}


class _NftSet(Set):
    """A named set or map, whose elements are read as values of the keys that are looked up in it."""

    def __init__(self, name: SetName, held: _Set) -> None:
        super().__init__(name, size=held.size, timeout="timeout" in (held.flags or ()) or bool(held.timeout))
        self._held = held
        self._contents: dict[tuple[str, ...], tuple[tuple[Row, ...], tuple[Any, ...]]] = {}

    def content(self, keys: tuple[Key, ...]) -> tuple[tuple[Row, ...], tuple[Any, ...]]:
        """See `model.firewall.Set`. What a map has is a verdict, a number, or where NAT sends to."""
        names = tuple(key.name for key in keys)
        if names not in self._contents:
            try:
                self._contents[names] = self._read(keys)
            except Errors as error:
                raise ValueError(f"a set whose elements are not understood ({error!r})") from None
        return self._contents[names]

    def _read(self, keys: tuple[Key, ...]) -> tuple[tuple[Row, ...], tuple[Any, ...]]:
        elements = msgspec.json.decode(self._held.elem)
        if self._held.map is None:
            return tuple(operands.rows(keys, elements)), ()
        rows, data = operands.pairs(keys, elements)
        if self._held.map == "verdict":
            return tuple(rows), tuple(map(statements._verdict, data))  # noqa: SLF001
        if self._held.map == "mark":
            return tuple(rows), tuple(map(int, data))
        return tuple(rows), tuple(map(statements.target, data))
