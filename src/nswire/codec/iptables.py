"""`iptables-save` -> chains and rules. What is not understood becomes an `Opaque` or `Unfollowed`; see `xtables`."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from nswire.codec.xtables.rows import UNKNOWN, Where
from nswire.codec.xtables.rule import TRACKERS, rule
from nswire.codec.xtables.words import saved
from nswire.model.firewall import Chain, FirewallRule

if TYPE_CHECKING:
    from nswire.codec.xtables.words import Saved

HOOKS = {"PREROUTING": "prerouting", "INPUT": "input", "FORWARD": "forward", "OUTPUT": "output", "POSTROUTING": "postrouting"}  # fmt: skip
PRIORITIES = {
    "raw": -300,
    "mangle": -150,
    "nat": 100,
    "filter": 0,
    "security": 50,
}  # enum nf_ip_hook_priorities
DNAT_PRIORITY = -100
BEFORE_ROUTING = ("PREROUTING", "OUTPUT")


def decode(answer: bytes, family: str, tool: str, known: Where = UNKNOWN) -> tuple[Chain, ...]:
    """The chains of all tables in an answer; `family` is `ip` or `ip6`, `known` has what lists are known. ValueError if that is no such text."""
    chains = saved(answer)
    ways = directions(chains)
    return tuple(
        _chain(one, known._replace(family=family, nat=ways.get((one.table, one.name), "")), tool)
        for one in chains
    )


def _chain(one: Saved, where: Where, tool: str) -> Chain:
    rules = Lines(one.rules, where)
    return Chain(
        tool=tool,
        family=where.family,
        table=one.table,
        name=one.name,
        rules=rules,
        hook=HOOKS.get(one.name, "") if one.policy != "-" else "",
        type="nat"
        if one.table == "nat"
        else "route"
        if (one.table, one.name) == ("mangle", "OUTPUT")
        else "filter",
        priority=_priority(one.table, one.name),
        policy="drop" if one.policy == "DROP" else "accept",
        tracks=any(map(TRACKERS.search, one.rules)) and any(rule.tracks for rule in rules),
    )


def _priority(table: str, name: str) -> int:
    if table == "nat" and name in BEFORE_ROUTING:
        return DNAT_PRIORITY
    return PRIORITIES.get(table, 0)


def directions(chains: list[Saved]) -> dict[tuple[str, str], str]:
    """Which address NAT changes in the chains of the table nat: `dnat` before routing, `snat` after it; not in both."""
    jumps = {
        (one.table, one.name): {name for line in one.rules for name in _targets(line)}
        for one in chains
        if one.table == "nat"
    }
    found: dict[tuple[str, str], set[str]] = {place: set() for place in jumps}
    for table, name in jumps:
        if name not in HOOKS:
            continue
        way = "dnat" if name in BEFORE_ROUTING else "snat"
        waiting = [(table, name)]
        while waiting:
            place = waiting.pop()
            if place in found and way not in found[place]:
                found[place].add(way)
                waiting += [(place[0], target) for target in jumps[place]]
    return {place: ways.pop() for place, ways in found.items() if len(ways) == 1}


def _targets(line: str) -> list[str]:
    words = line.split()
    return [after for word, after in itertools.pairwise(words) if word in ("-j", "-g")]


class Lines(Sequence[FirewallRule]):
    """The rules of a chain, each read when it is first looked at: a host may have 50 000, of which a packet meets few."""

    def __init__(self, lines: list[str], where: Where) -> None:
        self._lines = lines
        self._where = where
        self._read: dict[int, FirewallRule] = {}

    def __len__(self) -> int:
        return len(self._lines)

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
            self._read[at] = rule(self._lines[at], self._where)
        return self._read[at]
