"""What a facet is: one more thing to know about links, which takes questions that nobody asks of every link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from nswire.host.system import Answer, Question
    from nswire.model.facts import Facts
    from nswire.model.gaps import Gap
    from nswire.model.values import End, LinkFact, Loose, NsKey, Value, Wire


LOOPBACK = 772  # ARPHRD_LOOPBACK, include/uapi/linux/if_arp.h


class Detail(NamedTuple):
    """Something about a link that is no wire, by names as the classic tools have them."""

    end: End
    values: dict[str, Value]


class Asking(Protocol):
    """The machine, as far as a facet needs it: what is known of its links already, and more questions to it."""

    @property
    def facts(self) -> Facts:
        """What the scan was told."""
        ...

    def host(self, name: str) -> Answer:
        """The answer to a question about the whole host, asked once."""
        ...

    def visit(self, asks: Mapping[NsKey, tuple[Question, ...]]) -> dict[NsKey, list[Answer]]:
        """The answers of these namespaces; one that cannot be entered (any more) is left out, and a gap says so."""
        ...

    def called(self, ns: NsKey, nsid: int) -> NsKey | None:
        """The namespace that `ns` calls so; None if none that is known is."""
        ...


class Facet(NamedTuple):
    """One more thing to know about links.

    `about` tells of which links it may know something. `ask` gets ends of such links and yields what is said of them.
    `wires` are the relations of the wires that it makes; without any it only adds details. `scope` is what one asking
    covers best: it gets all ends of the whole host, or of the link's namespace, or that of the link alone.
    """

    name: str
    about: Callable[[LinkFact], bool]
    ask: Callable[[Asking, Collection[End]], Iterator[Wire | Loose | Detail | Gap]]
    wires: tuple[str, ...] = ()
    scope: Literal["link", "namespace", "host"] = "link"
