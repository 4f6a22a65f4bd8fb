"""The match `recent`: lists of addresses that packets themselves make (net/netfilter/xt_recent.c, /proc/net/xt_recent).

A list holds the addresses that were seen, and when. Which are in it is known, and what this very packet has put there; how long
ago the others came is not: that is `Opaque`, where it is asked for.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from nswire.codec import protocol_numbers
from nswire.codec.xtables import made
from nswire.codec.xtables.rows import Extension, spec
from nswire.codec.xtables.words import words
from nswire.model.firewall import Change, Key, Opaque, Set, Test

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nswire.codec.xtables.rows import Where
    from nswire.codec.xtables.words import Part, Saved
    from nswire.model.firewall import Row, SetName, Statement

ENTRY = re.compile(r"^src=(\S+) ttl: ")
MATCH = "-m recent"
DEFAULT = "DEFAULT"
PASSES = 2  # of a packet through one hook: bridged, and routed


class Recent(NamedTuple):
    """A list: the addresses in it, and how often one packet at most can put its own there."""

    addresses: tuple[str, ...] = ()
    most: int = 0


class Members(Set):
    """The addresses of a list, as rows of a test."""

    def __init__(self, name: str, addresses: Sequence[str]) -> None:
        super().__init__(name_of(name))
        self._addresses = addresses

    def content(self, keys: tuple[Key, ...]) -> tuple[tuple[Row, ...], tuple[Any, ...]]:
        """Those of the family of the key; no data."""
        six = keys[0].name.startswith("ip6")
        numbers = [protocol_numbers.number(one) for one in self._addresses if (":" in one) == six]
        return tuple(((one, one),) for one in numbers), ()


def name_of(name: str) -> SetName:
    """A list as the firewall calls it."""
    return ("recent", "", name)


def sets(found: Mapping[str, Recent]) -> dict[SetName, Set]:
    """All of them, for a firewall."""
    return {name_of(name): Members(name, one.addresses) for name, one in found.items()}


def decode(answer: bytes, chains: Sequence[Sequence[Saved]]) -> dict[str, Recent]:
    """The lists in an answer (`*NAME`, then the lines of its file); `chains`: those of each firewall that may change them. ValueError."""
    found: dict[str, list[str]] = {}
    for line in answer.decode("utf-8", "surrogateescape").split("\n"):
        if line.startswith("*"):
            found[line[1:]] = entries = []
        elif entry := ENTRY.match(line):
            entries.append(str(ipaddress.ip_address(entry[1])))
    most = dict.fromkeys(found, 0)
    for ones in chains:
        for name, count in _changes(ones):
            most[name] = most.get(name, 0) + count * PASSES
    masks: dict[str, set[str]] = {}
    for name, said in (
        _named(line) for ones in chains for one in ones for line in one.rules if MATCH in line
    ):
        masks.setdefault(name, set()).add(_after(said, "--mask"))
    return {
        name: Recent(tuple(entries), most[name])
        for name, entries in found.items()
        if len(masks.get(name, ())) < 2  # the mask is that of whoever made the list (recent_mt_check)
    }


def _changes(chains: Sequence[Saved]) -> Iterable[tuple[str, int]]:
    """The rules that put an address into a list whatever is in it, by its name, and how often a packet may meet each."""
    jumps: dict[tuple[str, str], list[str]] = {}
    for one in chains:
        for line in one.rules:
            said = line.split()
            for word, target in itertools.pairwise(said):
                if word in ("-j", "-g"):
                    jumps.setdefault((one.table, target), []).append(one.name)
    for one in chains:
        for line in one.rules:
            if MATCH not in line:
                continue
            name, said = _named(line)
            if "--set" in said or ("--update" in said and "--hitcount" not in said):
                yield name, _times(jumps, (one.table, one.name), 0)


def _named(line: str) -> tuple[str, list[str]]:
    """The list that a rule is about, and its words."""
    said = [str(word) for word in words(line)]
    return _after(said, "--name") or DEFAULT, said


def _after(said: list[str], option: str) -> str:
    return said[said.index(option) + 1] if option in said[:-1] else ""


def _times(jumps: Mapping[tuple[str, str], Sequence[str]], chain: tuple[str, str], depth: int) -> int:
    """In how many ways a chain is come to, at most."""
    if depth > 16:
        return 1
    return max(1, sum(_times(jumps, (chain[0], name), depth + 1) for name in jumps.get(chain, ())))


def _read(part: Part, where: Where) -> Iterable[Statement]:
    """recent_mt."""
    given = {one.name: one for one in part.options}
    name = given["--name"].value if "--name" in given else DEFAULT
    ops = [op for op in ("--set", "--rcheck", "--update", "--remove") if op in given]
    ((op),) = ops
    negate = given[op].negate
    known = None if where.recent is None else where.recent.get(name)
    keys = (_key(given["--mask"].value if "--mask" in given else "", where, destination="--rdest" in given),)
    if op == "--set":
        if known is not None:
            yield Change("add", name_of(name), keys, ends=False)
        yield made.constant(true=not negate)
        return
    hits = made.number(given["--hitcount"].value) if "--hitcount" in given else 0
    aged = "--seconds" in given and known is not None and bool(known.addresses)
    if known is None or ("--rttl" in given and negate) or (negate and (aged or hits > 1)):
        yield Opaque(part.text)
        return
    if hits > known.most and not known.addresses:
        yield made.constant(true=negate)
        return
    yield Test(keys, set=name_of(name), negate=negate, lax=True)
    if aged or hits > 1 or "--rttl" in given:
        yield Opaque(part.text)
    if op == "--remove" and not negate:
        yield Change("delete", name_of(name), keys, ends=False)


def _key(mask: str, where: Where, *, destination: bool) -> Key:
    name = f"{where.ip} {'daddr' if destination else 'saddr'}"
    full = (1 << (128 if where.ip == "ip6" else 32)) - 1
    bits = protocol_numbers.number(mask) if mask else full
    return Key(name, -1 if bits == full else bits)


RECENT: dict[str, Extension] = {
    "recent": Extension(
        _read,
        spec(
            "--set:0 --rcheck:0 --update:0 --remove:0 --seconds --reap:0 --hitcount --rttl:0 --name --mask --rsource:0 --rdest:0"
        ),
    )
}
