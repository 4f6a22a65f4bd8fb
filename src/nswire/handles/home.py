"""`home`: the namespace nswire was started in. It is called `host`, too, if it is the initial one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.handles.family import NamespaceFamily, as_it_is

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.model.topology import Topology
    from nswire.model.values import Namespace


def _keys(_: Topology, ns: Namespace) -> Iterable[str]:
    return ("home", ns.label) if ns.home else ()


FAMILY = NamespaceFamily("home", 0, as_it_is, _keys)
