"""What a family of handles is: how its words are written, and which words each link or namespace answers to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nswire.handles.index import Found
    from nswire.model.topology import Link, Topology
    from nswire.model.values import Namespace, Owner


class LinkFamily(NamedTuple):
    """Handles that name links.

    `key` turns what was typed into the form in which `keys` gives a link's words, or None if it is no such handle.
    `prefix` makes a handle typed, see the room. `scoped` ones may stand behind `NETNS/`. Lower `rank` is shown first.
    """

    name: str
    rank: int
    key: Callable[[str], str | None]
    keys: Callable[[Link], Iterable[str]]
    prefix: str = ""
    scoped: bool = False


class NamespaceFamily(NamedTuple):
    """Handles that name namespaces; they stand for all links in them. `keys` may look at the whole topology."""

    name: str
    rank: int
    key: Callable[[str], str | None]
    keys: Callable[[Topology, Namespace], Iterable[str]]
    prefix: str = ""


class OwnerFamily(NamedTuple):
    """Handles that name an owner: `fits` tells whether the word (without its prefix) means that one.

    A `last` one counts only where nothing else is called so.
    """

    name: str
    rank: int
    fits: Callable[[Owner, str], bool]
    prefix: str = ""
    last: bool = False


class SearchFamily(NamedTuple):
    """Handles for which something has to be looked up: `search` gives what the whole word means.

    `other`: what it finds does not count where an owner in that place was found by the same word already.
    """

    name: str
    rank: int
    search: Callable[[Topology, str], Iterable[Found]]
    prefix: str = ""
    other: bool = False


def as_it_is(text: str) -> str | None:
    """The key of handles that are plain names."""
    return text or None


def number(text: str) -> str | None:
    """The key of handles that are numbers: no sign, no leading zeros, ASCII digits."""
    return str(int(text)) if text.isascii() and text.isdigit() and len(text) <= DIGITS else None


DIGITS = 20  # of a 64-bit number; int() of a megabyte of digits takes seconds
