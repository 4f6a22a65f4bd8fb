"""What an owner source is, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from nswire.host.system import Answer
    from nswire.model.facts import Facts
    from nswire.model.gaps import Gap
    from nswire.model.values import End, NsKey, Owner, Value, Wire


class Claim(NamedTuple):
    """Somebody owns a namespace (`ns`) or single links (`ends`).

    Home for `ns`: he uses the host's network, and owns none of it. Neither of the two: where he is cannot be seen.
    """

    owner: Owner
    ns: NsKey | None = None
    ends: tuple[End, ...] = ()


class Asking(Protocol):
    """The machine, as far as an owner source needs it."""

    @property
    def facts(self) -> Facts:
        """What the scan was told."""
        ...

    def host(self, name: str) -> Answer:
        """The answer to a question about the whole host, asked once."""
        ...

    def wires(self, end: End, relations: Collection[str]) -> tuple[Wire, ...]:
        """The wires of a link that take questions of their own."""
        ...

    def details(self, end: End, *only: str) -> Mapping[str, Mapping[str, Value]]:
        """What else is known of a link, by subject; only these are asked for."""
        ...


class Source(NamedTuple):
    """Somebody who knows owners: `find` says whose what is among these namespaces.

    `last`: it is asked only about namespaces that nobody before it has claimed; `each`: about one of them at a time, when
    somebody wants to know.
    """

    name: str
    find: Callable[[Asking, Collection[NsKey]], Iterator[Claim | Gap]]
    last: bool = False
    each: bool = False
