"""What was said, before anything is concluded from it. Filled in any order; the order never matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nswire.model.gaps import Gap
    from nswire.model.values import Address, End, Holder, LinkFact, NsKey


class View(NamedTuple):
    """How a hidden namespace is seen: through the namespace `through`, which calls it `nsid`."""

    through: NsKey
    nsid: int


class Behind(NamedTuple):
    """A link by how another namespace sees it: `ifindex` in the namespace that `through` calls `nsid`."""

    through: NsKey
    nsid: int
    ifindex: int


class Facts:
    """The facts of one scan.

    `asked[A, B]` is A's answer to "what do you call B" (-1: nothing). `refused[A]` is the errno of entering A.
    `restless`: things changed while they were read, so that one side's word may be older than the other's.
    `behind` has links that were shown through an nsid, before it was known whose that is (None: not shown).
    `peer_index[end]` is ethtool's peer_ifindex, asked only where the kernel says nothing better.
    """

    def __init__(self, home: NsKey) -> None:
        self.home = home
        self.holders: dict[NsKey, list[Holder]] = {}
        self.cookies: dict[NsKey, int] = {}
        self.links: dict[NsKey, dict[int, LinkFact]] = {}
        self.addresses: dict[NsKey, tuple[Address, ...]] = {}
        self.all_nsids: dict[NsKey, tuple[int, ...]] = {}
        self.asked: dict[tuple[NsKey, NsKey], int] = {}
        self.refused: dict[NsKey, int] = {}
        self.hidden: dict[NsKey, View] = {}
        self.unread_hidden: dict[View, int] = {}
        self.restless = False
        self.behind: dict[Behind, LinkFact | None] = {}
        self.aliases: dict[View, NsKey] = {}
        self.peer_index: dict[End, int] = {}
        self.gaps: list[Gap] = []

    def numbering(self, ns: NsKey) -> NsKey:
        """The namespace whose nsids the links of `ns` are written in: itself, unless it was read through another."""
        view = self.hidden.get(ns)
        return ns if view is None else view.through
