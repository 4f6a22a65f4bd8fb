"""Words that choose links out of many: `kind:veth`, `state:down`, `owner:web`, `netns:qdhcp-*`, and globs of names (`tap*`, `*/eth0`).

Those with different keys have to agree, of those with one key one has to; a glob is one more name.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from nswire.model.values import IFF_UP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from nswire.model.topology import Link

GLOB = frozenset("*?[")


class Filter(NamedTuple):
    """A key, and the words of a link that a value is held against, as a glob. `exact`: case counts."""

    key: str
    words: Callable[[Link], Iterable[str]]
    exact: bool = True

    def fits(self, link: Link, value: str) -> bool:
        """Whether a link has such a word."""
        wanted = value if self.exact else value.casefold()
        found = self.words(link) if self.exact else (word.casefold() for word in self.words(link))
        return any(word == wanted or fnmatchcase(word, wanted) for word in found)


def _kind(link: Link) -> Iterator[str]:
    yield link.kind or ("loopback" if link.loopback else "nic")


def _state(link: Link) -> Iterator[str]:
    """The operational state, or admin state where a link has none; `no-carrier` as `ip` has it."""
    up = bool(link.fact.flags & IFF_UP)
    yield link.operstate if link.operstate != "UNKNOWN" or up else "DOWN"
    yield from (flag for flag in link.flags if flag == "NO-CARRIER")


def _netns(link: Link) -> Iterator[str]:
    ns = link.netns
    yield from (ns.label, link.topology.title(ns), *ns.names)
    if ns.home:
        yield from ("self", ".")


def _owner(link: Link) -> Iterator[str]:
    for owner in link.owners:
        yield from (owner.name, owner.id, owner.type, f"{owner.type}:{owner.name}")


TABLE = (
    Filter("kind", _kind, exact=False),
    Filter("state", _state, exact=False),
    Filter("netns", _netns),
    Filter("owner", _owner),
)
_BY_KEY = {row.key: row for row in TABLE}


class Chosen(NamedTuple):
    """Words, divided: handles that stand for something by themselves, globs of names, values of filters by their keys."""

    handles: tuple[str, ...]
    globs: tuple[str, ...]
    filters: dict[str, list[str]]


def divide(words: Iterable[str], known: Callable[[str], bool]) -> Chosen:
    """Divide words. `known`: it is a handle as it stands, whatever characters are in it."""
    handles, globs = [], []
    filters: dict[str, list[str]] = {}
    for word in words:
        key, colon, value = word.partition(":")
        if colon and value and key in _BY_KEY:
            filters.setdefault(key, []).append(value)
        elif GLOB & set(word) and not known(word):
            globs.append(word)
        else:
            handles.append(word)
    return Chosen(tuple(handles), tuple(globs), filters)


def named(links: Iterable[Link], glob: str) -> list[Link]:
    """The links whose name, altname or `NETNS/IFNAME` is like a glob."""
    where, slash, ifname = glob.rpartition("/")
    netns = _BY_KEY["netns"]
    return [
        link
        for link in links
        if (not slash or netns.fits(link, where))
        and any(fnmatchcase(name, ifname) for name in (link.ifname, *link.fact.altnames))
    ]


def agreeing(links: Iterable[Link], filters: dict[str, list[str]]) -> list[Link]:
    """The links that one value of each key fits."""
    rows: Sequence[tuple[Filter, list[str]]] = [
        (row, filters[row.key]) for row in TABLE if row.key in filters
    ]
    return [
        link for link in links if all(any(row.fits(link, value) for value in values) for row, values in rows)
    ]
