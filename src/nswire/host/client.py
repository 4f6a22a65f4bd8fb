"""What facets and owner sources ask through: the scanned machine, or its recording, with what is known of it already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from nswire.host.system import Answer, Question
    from nswire.model.facts import Facts
    from nswire.model.values import End, NsKey, Value, Wire


class Client(Protocol):
    """A client of the scanned machine. A test gives one that answers from facts made by hand."""

    @property
    def facts(self) -> Facts:
        """What the scan was told."""
        ...

    def host(self, name: str) -> Answer:
        """The answer to a question about the whole host, asked once."""
        ...

    def query(self, asks: Mapping[NsKey, tuple[Question, ...]]) -> dict[NsKey, list[Answer]]:
        """The answers of these namespaces; one that cannot be entered (any more) is left out, and a gap says so."""
        ...

    def netns_by_nsid(self, ns: NsKey, nsid: int) -> NsKey | None:
        """The namespace that `ns` knows by this nsid; None if that is none that was found."""
        ...

    def wires(self, end: End, relations: Collection[str]) -> tuple[Wire, ...]:
        """The wires of a link that take questions of their own, of these relations; none: of all."""
        ...

    def details(self, end: End, *only: str) -> Mapping[str, Mapping[str, Value]]:
        """What else is known of a link, by facet; only these are asked for, or all."""
        ...
