"""`nsid:5@host`: a hidden namespace, by the namespace that betrays it and what that one calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.handles.matcher import NamespaceFamily

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.model.topology import Topology
    from nswire.model.values import Namespace

PREFIX = "nsid:"


def _keys(_: Topology, ns: Namespace) -> Iterable[str]:
    return (ns.label,) if ns.hidden else ()


FAMILY = NamespaceFamily(
    "nsid", 0, lambda text: text if text.startswith(PREFIX) else None, _keys, prefix=PREFIX
)
