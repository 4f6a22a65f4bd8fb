"""Which links and namespaces answer to which words: one table a family, made when that family is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from nswire.handles.matcher import LinkFamily, NamespaceFamily
    from nswire.model.topology import Topology
    from nswire.model.values import End, NsKey


class Found(NamedTuple):
    """What a handle names: a namespace, a link or an owner (by its number among all), and as what it was understood."""

    rank: int
    kind: str
    ns: NsKey | None = None
    end: End | None = None
    owner: int | None = None


class Index:
    """The words of one topology. It holds ends and keys only, no link, so that it does not keep its topology alive."""

    def __init__(self) -> None:
        self._links: dict[int, dict[str, list[End]]] = {}
        self._scoped: dict[int, dict[tuple[NsKey, str], list[End]]] = {}
        self._namespaces: dict[int, dict[str, list[NsKey]]] = {}
        self.found: dict[str, tuple[Found, ...]] = {}

    def links(self, topology: Topology, family: LinkFamily, key: str) -> list[End]:
        """The links that this family calls so."""
        table = self._links.get(id(family))
        if table is None:
            table = self._links[id(family)] = {}
            for link in topology.links():
                for word in family.keys(link):
                    table.setdefault(word, []).append(link.end)
        return table.get(key, [])

    def links_in(self, topology: Topology, family: LinkFamily, ns: NsKey, key: str) -> list[End]:
        """The links of one namespace that this family calls so."""
        table = self._scoped.get(id(family))
        if table is None:
            table = self._scoped[id(family)] = {}
            for link in topology.links():
                for word in family.keys(link):
                    table.setdefault((link.end.ns, word), []).append(link.end)
        return table.get((ns, key), [])

    def namespaces(self, topology: Topology, family: NamespaceFamily, key: str) -> list[NsKey]:
        """The namespaces that this family calls so."""
        table = self._namespaces.get(id(family))
        if table is None:
            table = self._namespaces[id(family)] = {}
            for ns in topology.namespaces.values():
                for word in set(family.keys(topology, ns)):
                    table.setdefault(word, []).append(ns.key)
        return table.get(key, [])


_indexes: WeakKeyDictionary[Topology, Index] = WeakKeyDictionary()


def index_of(topology: Topology) -> Index:
    """The index of a topology, made once."""
    index = _indexes.get(topology)
    if index is None:
        index = _indexes[topology] = Index()
    return index
