"""An expectation, what came of it, and what both are made of."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from nswire.check.run import Report
    from nswire.handles import Match
    from nswire.model.topology import Link, Topology

    Again = Callable[[float], Topology]
    """Waits so many seconds and looks at the machine once more."""

Status = Literal["holds", "fails", "error"]
"""`error`: it could not be judged, since a handle means nothing or several things, or the answer is not known."""


class Unjudged(Exception):
    """An expectation cannot be judged: why not."""


class Expectation(NamedTuple):
    """One table of the file: its kind, its place among those of its kind (1, 2 ...), and what it says."""

    kind: str
    number: int
    given: Mapping[str, object]


class Look:
    """What expectations are held against: the network, and what rules of `nswire check` say of it, asked once for all of them."""

    def __init__(self, topology: Topology, expectations: Sequence[Expectation], again: Again | None) -> None:
        self.topology = topology
        self._expectations = expectations
        self._again = again

    @cached_property
    def report(self) -> Report:
        """What the rules find that these expectations name. What may be half-built is looked at twice, unless it is a recording."""
        from nswire.check.rules import named
        from nswire.check.run import run

        rules = (named(str(one.given["rule"])) for one in self._expectations if "rule" in one.given)
        return run(self.topology, [*dict.fromkeys(rule for rule in rules if rule is not None)], self._again)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an expectation.

    `text`: the expectation in one line; `problems`: what is not as expected, a line each, empty if it holds;
    `values`: the same for programs, a row for each thing that was compared.
    """

    kind: str
    number: int
    text: str
    status: Status
    problems: tuple[str, ...] = ()
    values: tuple[Compared, ...] = ()


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was compared: its key in the file, what was expected and what is so (null: nothing, or not known), and why."""

    key: str
    expected: str | int
    found: str | int | None
    holds: bool
    reason: str = ""


class Kind(NamedTuple):
    """A kind of expectation.

    `keys`: what its table may say, and of which type; `required`: what it must say. `text` tells it in a line; `compare`
    gives what was compared, or raises Unjudged. `write` gives the tables that are true of a network now, for these
    handles (none: all that is worth it). `wrong` says what a value of the right type is to be instead; empty: it is right.
    """

    name: str
    keys: Mapping[str, type | tuple[type, ...]]
    required: tuple[str, ...]
    text: Callable[[Mapping[str, object]], str]
    compare: Callable[[Look, Mapping[str, object]], list[Compared]]
    write: Callable[[Topology, tuple[str, ...]], Iterator[dict[str, object]]]
    wrong: Callable[[str, object], str] = lambda _, __: ""


def only(topology: Topology, word: str) -> Match:
    """What a handle means, if that is one thing. Unjudged."""
    from nswire.handles import find, nearest

    found = find(topology, word)
    if not found:
        near = nearest(topology, word)
        raise Unjudged(f"{word}: nothing is called so" + (f"; nearest: {', '.join(near)}" if near else ""))
    if len(found) > 1:
        few = ", ".join(match.unique for match in found[:5])
        raise Unjudged(
            f"{word}: {len(found)} things are called so: {few}" + (" ..." if len(found) > 5 else "")
        )
    return found[0]


def only_link(topology: Topology, word: str) -> Link:
    """The link that a handle means, if it is one; of a namespace or an owner, its only one that is no loopback. Unjudged."""
    links = [link for link in only(topology, word).links if not link.loopback]
    if len(links) != 1:
        raise Unjudged(f"{word}: it has {len(links)} links; give one of them")
    return links[0]


def nearest_key(word: str, known: Mapping[str, object]) -> str:
    """The key that was meant, perhaps; empty: none looks like it."""
    return next(iter(get_close_matches(word, known, 1)), "")
