"""What a facet is: one more thing to know about links, which takes questions that nobody asks of every link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from nswire.host.client import Client
    from nswire.model.gaps import Gap
    from nswire.model.values import End, LinkFact, Loose, Value, Wire


LOOPBACK = 772  # ARPHRD_LOOPBACK, include/uapi/linux/if_arp.h


class Detail(NamedTuple):
    """Something about a link that is no wire, by names as the classic tools have them."""

    end: End
    values: dict[str, Value]


class Facet(NamedTuple):
    """One more thing to know about links.

    `about` tells of which links it may know something. `ask` gets ends of such links and yields what is said of them.
    `wires` are the relations of the wires that it makes; without any it only adds details. `scope` is what one client
    covers best: it gets all ends of the whole host, or of the link's namespace, or that of the link alone.
    """

    name: str
    about: Callable[[LinkFact], bool]
    ask: Callable[[Client, Collection[End]], Iterator[Wire | Loose | Detail | Gap]]
    wires: tuple[str, ...] = ()
    scope: Literal["link", "namespace", "host"] = "link"
