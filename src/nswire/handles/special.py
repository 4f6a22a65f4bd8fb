"""`host`, `self`, `.`: the initial namespace, and the one nswire runs in. These words mean nothing else, whoever is called so.

A namespace that is called so is `netns:host`, a link that is called so `NETNS/host`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.handles.matcher import NamespaceFamily

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.model.topology import Topology
    from nswire.model.values import Namespace

WORDS = frozenset(("host", "self", "."))


def _key(text: str) -> str | None:
    return text if text in WORDS else None


def _keys(_: Topology, ns: Namespace) -> Iterable[str]:
    return ("self", ".", ns.label) if ns.home else ()


FAMILY = NamespaceFamily("netns", 0, _key, _keys)
