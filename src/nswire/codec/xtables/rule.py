"""One rule of iptables or ip6tables: its words to statements."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from nswire.codec.xtables.bytes import BYTES
from nswire.codec.xtables.headers6 import HEADERS6
from nswire.codec.xtables.ipsets import SETS
from nswire.codec.xtables.matches import BASE, MATCHES
from nswire.codec.xtables.recents import RECENT
from nswire.codec.xtables.targets import TARGETS
from nswire.codec.xtables.tracking import TRACKING
from nswire.codec.xtables.undecided import UNDECIDED
from nswire.codec.xtables.words import Part, options, words
from nswire.model.firewall import FirewallRule, Opaque, Unfollowed, Untracked, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nswire.codec.xtables.rows import Extension, Where
    from nswire.codec.xtables.words import Word
    from nswire.model.firewall import Statement

ALL = {**MATCHES, **BYTES, **TRACKING, **SETS, **RECENT, **UNDECIDED}
V4 = {**ALL, "ah": UNDECIDED["esp"]}
"""By the family of the table: `ah` is a protocol here, and may be a header before one there."""
V6 = {**ALL, **HEADERS6}
TRACKERS = re.compile(
    r"-[mj] (?:conn|CONN|ct|CT|state|helper|cluster|CLUSTER|DNAT|SNAT|MASQUERADE|REDIRECT|NETMAP|SYNPROXY)"
)
"""What a rule has that makes the kernel track connections, at least."""
JUMPS = {"-j": "jump", "-g": "goto", "--jump": "jump", "--goto": "goto"}


class Reading(NamedTuple):
    """What a rule says: the conditions that all rules may have, its matches in their order, its target."""

    base: list[Statement]
    matches: list[tuple[str, list[Statement]]]
    target: str
    does: list[Statement]
    tracks: bool

    @property
    def statements(self) -> tuple[Statement, ...]:
        """All of it."""
        return (*self.base, *(one for _, made in self.matches for one in made), *self.does)


def rule(line: str, where: Where) -> FirewallRule:
    """A line of iptables-save: `-A CHAIN ...`."""
    found = reading(line, where)
    return FirewallRule(line, found.statements, found.tracks)


def reading(line: str, where: Where) -> Reading:
    """The parts of such a line. What is not understood is a condition if it stands before the target."""
    known = V6 if where.family == "ip6" else V4
    base: list[Statement] = []
    matches: list[tuple[str, list[Statement]]] = []
    tracks = False
    given = words(line)[2:]  # without `-A CHAIN`
    spans, at = _spans(given, known)
    for name, part in _parts(spans):
        row = BASE if not name else known.get(name)
        made = _condition(row, part, where)
        tracks |= row is not None and row.tracks
        if name:
            matches.append((name, made))
        else:
            base += made
    if at is None:
        return Reading(base, matches, "", [], tracks)
    kind, name, rest = JUMPS[given[at]], str(given[at + 1]) if at + 1 < len(given) else "", given[at + 2 :]
    target = TARGETS.get(name) if kind == "jump" else None
    does = _does(kind, name, rest, target, where)
    tracks |= target is not None and target.tracks and Untracked() not in does
    return Reading(base, matches, name, does, tracks)


def _condition(row: Extension | None, part: Part, where: Where) -> list[Statement]:
    if row is None:
        return [Opaque(part.text)]
    try:
        return list(row.read(part, where))
    except (ValueError, KeyError, TypeError, IndexError):
        return [Opaque(part.text)]


def _does(kind: str, name: str, rest: list[Word], target: Extension | None, where: Where) -> list[Statement]:
    if target is None:
        return [Verdict(kind, name)]  # type: ignore[arg-type]
    part = Part(name, tuple(options(rest, target.arity)))
    unknown = [one for one in part.options if one.name not in target.arity and target.arity]
    try:
        return [Unfollowed(f"-j {name} {unknown[0].text}")] if unknown else list(target.read(part, where))
    except (ValueError, KeyError, TypeError, IndexError):
        return [Unfollowed(" ".join(("-j", name, *rest)))]


def _parts(spans: list[_Span]) -> Iterator[tuple[str, Part]]:
    """The base and each match, with its own options; those that the base has are its own wherever they stand."""
    for name, arity, span in spans:
        found = list(options(span, arity))
        own = [one for one in found if one.name not in BASE.arity]
        if len(own) != len(found):
            yield "", Part("", tuple(one for one in found if one.name in BASE.arity))
        if name or own:
            yield name, Part(name, tuple(own))


def _spans(given: list[Word], known: Mapping[str, Extension]) -> tuple[list[_Span], int | None]:
    """The words of each match, up to the next `-m`, and where the target begins: at a `-j` that is not the word of an option."""
    arity = BASE.arity
    span: list[Word] = []
    found: list[_Span] = [("", arity, span)]
    at, end = 0, len(given)
    while at < end:
        word = given[at]
        taken = 1
        if not word.quoted and word[:1] == "-":
            if word in JUMPS:
                return found, at
            if word == "-m" and at + 1 < end:
                name = str(given[at + 1])
                row = known.get(name)
                arity = BASE.arity if row is None else _with_base(name, row)
                span = []
                found.append((name, arity, span))
                at += 2
                continue
            taken += arity.get(word, 0)
        span += given[at : at + taken]
        at += taken
    return found, None


def _with_base(name: str, row: Extension) -> Mapping[str, int]:
    """How many words its options take, and those that the base has."""
    merged = _ARITIES.get((name, id(row)))
    if merged is None:
        merged = _ARITIES[name, id(row)] = {**BASE.arity, **row.arity}
    return merged


_Span = tuple[str, "Mapping[str, int]", "list[Word]"]
_ARITIES: dict[tuple[str, int], Mapping[str, int]] = {}
