"""`netns:qdhcp-...`: a namespace by its name, its label or the path where it is mounted. The bare name does, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.handles.matcher import NamespaceFamily, as_it_is
from nswire.handles.special import WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.model.topology import Topology
    from nswire.model.values import Namespace

PREFIX = "netns:"


def _keys(_: Topology, ns: Namespace) -> Iterable[str]:
    paths = (holder.path for holder in ns.holders if holder.path)
    label = set() if ns.label in WORDS else {ns.label}
    return {*label, *ns.names, *paths}


def _typed(text: str) -> str | None:
    return (text.removeprefix(PREFIX) or None) if text.startswith(PREFIX) else None


FAMILY = NamespaceFamily("netns", 0, as_it_is, _keys)
TYPED = NamespaceFamily("netns", 0, _typed, _keys, prefix=PREFIX)
