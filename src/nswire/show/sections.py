"""What the documents are made of, for whoever gives them: the command line and the API ask the same here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nswire.model.topology import Link, Topology
    from nswire.model.values import Namespace, Owner
    from nswire.show.to_documents import Builder

    Parts = list[tuple[str, Iterable[object]]]


class Asked(NamedTuple):
    """One handle that was understood: the links it stands for, and the namespace or owner, if it names one."""

    query: str
    links: tuple[Link, ...]
    namespace: Namespace | None
    owner: Owner | None = None

    @property
    def homeless(self) -> bool:
        """True for an owner who uses the host's network, or is where it cannot be seen."""
        return self.owner is not None and not self.links and (self.namespace is None or self.namespace.home)


def every_pair(build: Builder, topology: Topology) -> Parts:
    """`peer` without a handle."""
    from nswire.show.to_documents import loose_ends, pairs

    return [("results", (build.peer(None, link) for link in (*pairs(topology), *loose_ends(topology))))]


def peers(build: Builder, asked: Sequence[Asked]) -> Parts:
    """`peer`."""
    return [("results", (build.peer(one.query, link) for one in asked for link in one.links))]


def shown(build: Builder, asked: Sequence[Asked]) -> Parts:
    """`show`."""
    owned = ((one.query, one.owner, one.namespace) for one in asked if one.owner)
    return [
        ("owners", (build.owned(*one) for one in owned)),
        ("namespaces", (build.namespace(ns) for ns in housing(asked))),
        ("links", (build.shown(one.query, link) for one in asked for link in one.links)),
    ]


def listed(build: Builder, namespaces: Iterable[Namespace]) -> Parts:
    """`netns`."""
    return [("namespaces", (build.namespace(ns) for ns in namespaces))]


def housing(asked: Iterable[Asked]) -> list[Namespace]:
    """The namespaces that are meant themselves, each once; not that of the host, for those who merely use it."""
    found = {
        one.namespace.key: one.namespace for one in asked if one.namespace is not None and not one.homeless
    }
    return list(found.values())


def spaces(asked: Iterable[Asked]) -> list[Namespace]:
    """The namespaces that handles stand for, each once: who uses the host's network is at home."""
    found: dict[int, Namespace] = {}
    for one in asked:
        inside = [link.netns for link in one.links] if one.namespace is None else [one.namespace]
        found.update((ns.key, ns) for ns in inside)
    return list(found.values())
