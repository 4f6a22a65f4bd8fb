"""What ebtables prints, its old variant (`ebtables-legacy -t TABLE -L`) and its new one (`ebtables-nft-save`) -> chains and rules.

A chain that somebody made has a policy, too: what comes to its end is accepted there, if it isn't told otherwise.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nswire.codec.netlink import hook
from nswire.codec.xtables.frames import ARITY, FRAME_TARGETS, READERS, module
from nswire.codec.xtables.rows import Where
from nswire.codec.xtables.rule import Reading
from nswire.codec.xtables.words import Option, Saved, options, words
from nswire.model.firewall import Chain, FirewallRule, Opaque, Unfollowed, Verdict

if TYPE_CHECKING:
    from nswire.codec.xtables.words import Word
    from nswire.model.firewall import Statement

TABLE = re.compile(r"^Bridge table: (\S+)")
CHAIN = re.compile(r"^Bridge chain: (\S+), entries: \d+, policy: (\S+)")
FAMILY = "bridge"
FIRST = -(1 << 31)
BASE = {
    ("broute", "BROUTING"): ("prerouting", FIRST),
    ("filter", "INPUT"): ("input", -200),
    ("filter", "FORWARD"): ("forward", -200),
    ("filter", "OUTPUT"): ("output", 200),
    ("nat", "PREROUTING"): ("prerouting", -300),
    ("nat", "OUTPUT"): ("output", 100),
    ("nat", "POSTROUTING"): ("postrouting", 300),
}
"""Hooks and priorities: ebtable_broute.c, ebtable_filter.c, ebtable_nat.c, enum nf_br_hook_priorities."""
POLICIES = {"ACCEPT": "accept", "DROP": "drop", "RETURN": "return", "CONTINUE": "return"}


def used(hooks: bytes | None) -> list[str]:
    """The tables that a namespace has in use, by what netfilter calls there (`hooks/bridge`); None: it may be any."""
    try:
        found = None if hooks is None else hook.decode(hooks)
    except (ValueError, OSError):
        found = None
    if found is None:
        return sorted({table for table, _ in BASE})
    called = {(one.hook, one.priority) for one in found if one.function.startswith("ebt")}
    return sorted({table for (table, _), place in BASE.items() if place in called})


def listed(answer: bytes) -> list[Saved]:
    """The chains that `ebtables-legacy -L` lists. ValueError if that is no such list."""
    found: list[Saved] = []
    table = ""
    for line in answer.decode("utf-8", "surrogateescape").split("\n"):
        if match := TABLE.match(line):
            table = match[1]
        elif match := CHAIN.match(line):
            found.append(Saved(table, match[1], match[2], []))
        elif line.strip():
            if not found:
                raise ValueError("a rule without a chain")
            found[-1].rules.append(f"-A {found[-1].name} {line.strip()}")
    if not table:
        raise ValueError("no table")
    return found


def decode(answer: bytes, tool: str) -> tuple[Chain, ...]:
    """The chains of a list of `ebtables-legacy`. ValueError."""
    return tuple(_chain(one, tool) for one in listed(answer))


def _chain(one: Saved, tool: str) -> Chain:
    hook, priority = BASE.get((one.table, one.name), ("", 0))
    rules = [rule(line, one.table) for line in one.rules]
    if not hook:  # at its end
        verdict: Statement = Verdict(POLICIES[one.policy])  # type: ignore[arg-type]
        rules.append(FirewallRule(f":{one.name} {one.policy}", (_routed(verdict, one.table),)))
    return Chain(
        tool=tool,
        family=FAMILY,
        table=one.table,
        name=one.name,
        rules=tuple(rules),
        hook=hook,
        priority=priority,
        policy="drop" if one.policy == "DROP" and hook else "accept",
    )


def rule(line: str, table: str) -> FirewallRule:
    """A line `-A CHAIN ...`."""
    made = tuple(_routed(one, table) for one in reading(line).statements)
    return FirewallRule(line, made)


def _routed(statement: Statement, table: str) -> Statement:
    """In the table broute a frame that is dropped is not: the port's own stack gets it (ebt_broute)."""
    if table == "broute" and statement == Verdict("drop"):
        return Unfollowed("the frame goes to the stack, not to the bridge (broute)")
    return statement


def reading(line: str) -> Reading:
    """The parts of such a line: conditions by the match that they are of."""
    given = words(line)[2:]
    at = _jump(given)
    base: list[Statement] = []
    matches: dict[str, list[Statement]] = {}
    for one in options(given[:at], ARITY):
        name = module(one.name)
        made = matches.setdefault(name, []) if name else base
        made += _condition(one)
    if at is None:
        return Reading(base, list(matches.items()), "", [], tracks=False)
    name = str(given[at + 1]) if at + 1 < len(given) else ""
    return Reading(base, list(matches.items()), name, _does(name, given[at + 2 :]), tracks=False)


def _condition(one: Option) -> list[Statement]:
    try:
        return list(READERS[one.name](one, Where(FAMILY)))
    except (ValueError, KeyError, TypeError, IndexError):
        return [Opaque(one.text)]


def _does(name: str, rest: list[Word]) -> list[Statement]:
    row = FRAME_TARGETS.get(name)
    if row is None:
        return [Verdict("jump", name)]
    from nswire.codec.xtables.words import Part

    try:
        return list(row.read(Part(name, tuple(options(rest, row.arity))), Where(FAMILY)))
    except (ValueError, KeyError, TypeError, IndexError):
        return [Unfollowed(" ".join(("-j", name, *rest)))]


def _jump(given: list[Word]) -> int | None:
    at = 0
    while at < len(given):
        word = given[at]
        if word == "-j" and not word.quoted:
            return at
        at += 1 + (0 if word.quoted else ARITY.get(word, 0))
        # `--ip-dport ! 80` has one word more than its arity
        if at < len(given) and word in ARITY and ARITY[word] and given[at - ARITY[word]] == "!":
            at += 1
    return None
