"""`net:[4026532177]`: a namespace as /proc/PID/ns/net shows it, or the bare number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.handles.matcher import NamespaceFamily, number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.model.topology import Topology
    from nswire.model.values import Namespace

PREFIX = "net:["


def _keys(_: Topology, ns: Namespace) -> Iterable[str]:
    return () if ns.inode is None else (str(ns.inode),)


def _typed(text: str) -> str | None:
    return number(text[len(PREFIX) : -1]) if text.startswith(PREFIX) and text.endswith("]") else None


FAMILY = NamespaceFamily("inode", 1, number, _keys)
TYPED = NamespaceFamily("inode", 0, _typed, _keys, prefix=PREFIX)
