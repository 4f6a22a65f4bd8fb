"""What a container engine is: how its containers' control groups are called, and where it keeps their names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nswire.host.client import Client
    from nswire.model.gaps import Gap
    from nswire.model.values import Pairs, Published

# A part of a control group's path that is a container's: the id, maybe after its engine's name: docker-ID.scope, ID,
# kubepods-besteffort-podUID.slice:cri-containerd:ID.
PART = re.compile(r"(?:(.{1,255})[-:])?([0-9a-f]{64})(?:\.scope)?")


class Pod(NamedTuple):
    """The pod that a container belongs to: Kubernetes', or Podman's, which has no namespace."""

    namespace: str
    name: str
    uid: str
    by: str = "kubernetes"


class Named(NamedTuple):
    """A container as an engine knows it: `pid` 0 if that is not told, `path` of its namespace (empty: not told).

    A `sandbox` is no container for people: it holds the namespace of a pod.
    """

    id: str
    name: str
    pid: int = 0
    path: str = ""
    pod: Pod | None = None
    sandbox: bool = False
    data: Pairs = ()
    published: tuple[Published, ...] = ()


class Engine(NamedTuple):
    """An engine: what it puts before an id in a control group's name, the folders in which its ids stand alone, its names."""

    name: str
    prefixes: tuple[str, ...]
    folders: tuple[str, ...]
    find: Callable[[Client], Iterator[Named | Gap]]


class Place(NamedTuple):
    """A container's control group: its id, what stands before the id, its path, and the ids of those around it."""

    id: str
    prefix: str
    folder: str
    path: str
    around: tuple[str, ...]


def place(cgroup: str) -> Place | None:
    """The innermost container of a path: an engine may run inside of another one's container."""
    parts = cgroup.split("/")
    found = [(at, match) for at, part in enumerate(parts) if (match := PART.fullmatch(part))]
    if not found:
        return None
    at, match = found[-1]
    around = tuple(outer[2] for _, outer in found[:-1])
    prefix = (match[1] or "").rpartition(":")[2]
    return Place(match[2], prefix, parts[at - 1] if at else "", "/".join(parts[: at + 1]), around)


def is_in(cgroup: str, number: str) -> bool:
    """True if a path is that of a container with this id, which is no hexadecimal number with every engine."""
    return any(
        part == number or part.removesuffix(".scope").endswith((f"-{number}", f":{number}"))
        for part in cgroup.split("/")
    )
