"""What a row of the tables of extensions is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nswire.codec.netlink.ipset import IpSet
    from nswire.codec.xtables.recents import Recent
    from nswire.codec.xtables.words import Option, Part
    from nswire.model.firewall import Statement

    Reader = Callable[[Part, "Where"], Iterable[Statement]]
    """An extension with its options -> what it does. ValueError, KeyError: it is not understood after all."""
    OptionReader = Callable[[Option, "Where"], Iterable[Statement]]


class Where(NamedTuple):
    """Where a rule stands: the family of its table (`ip`, `ip6`, `bridge`, `arp`), which way its chain translates, the sets.

    `nat`: `dnat` before routing, `snat` after it, empty if the chain is used by both (or is none of nat's).
    `sets`: those of ipset by name, `recent`: the lists of that match; None: they could not be had.
    """

    family: str
    nat: str = ""
    sets: Mapping[str, IpSet] | None = None
    recent: Mapping[str, Recent] | None = None

    @property
    def ip(self) -> str:
        """The family of addresses."""
        return "ip6" if self.family == "ip6" else "ip"


UNKNOWN = Where("")
"""Where no list is known."""


class Extension(NamedTuple):
    """A match or a target. `arity`: how many words its options take. `tracks`: it makes the kernel track connections."""

    read: Reader
    arity: Mapping[str, int]
    tracks: bool = False


def each(readers: Mapping[str, OptionReader]) -> Reader:
    """An extension whose options are conditions of their own, all of which have to hold."""

    def read(part: Part, where: Where) -> Iterable[Statement]:
        return [statement for one in part.options for statement in readers[one.name](one, where)]

    return read


def extension(
    readers: Mapping[str, OptionReader], arity: str = "", *, tracks: bool = False, flags: str = ""
) -> Extension:
    """One whose options each take one word; those in `flags` take none, and those in `arity` (`--tcp-flags:2`) so many."""
    counted = dict.fromkeys(readers, 1)
    counted.update(dict.fromkeys(flags.split(), 0))
    counted.update((name, int(count)) for name, _, count in (one.partition(":") for one in arity.split()))
    return Extension(each(readers), counted, tracks)


def spec(words: str) -> dict[str, int]:
    """`--name --tcp-flags:2 --syn:0`: how many words each option takes, one if it is not said."""
    return {name: int(count or 1) for name, _, count in (one.partition(":") for one in words.split())}


def nothing(_: Option, __: Where) -> Iterable[Statement]:
    """An option that changes nothing about what the extension does to this packet."""
    return ()
