"""`:8080`, `tcp:8080`, `udp:53`: the namespaces in which something listens on that port. See also `owner`: who published it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.handles.family import NamespaceFamily, number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nswire.model.topology import Topology
    from nswire.model.values import Namespace


def _key(prefix: str) -> Callable[[str], str | None]:
    return lambda text: number(text.removeprefix(prefix)) if text.startswith(prefix) else None


def _keys(*protocols: str) -> Callable[[Topology, Namespace], Iterator[str]]:
    def keys(topology: Topology, ns: Namespace) -> Iterator[str]:
        return (str(port) for protocol, port in topology.listeners(ns.key) if protocol in protocols)

    return keys


ANY = NamespaceFamily("port", 2, _key(":"), _keys("tcp", "udp"))
TCP = NamespaceFamily("port", 0, _key("tcp:"), _keys("tcp"), prefix="tcp:")
UDP = NamespaceFamily("port", 0, _key("udp:"), _keys("udp"), prefix="udp:")
