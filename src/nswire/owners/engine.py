"""What a container engine is: how its containers' control groups are called, and where it keeps their names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nswire.model.values import Gap, Pairs
    from nswire.owners.owner import Asking

ID = r"([0-9a-f]{64})"


class Pod(NamedTuple):
    """The Kubernetes pod that a container belongs to."""

    namespace: str
    name: str
    uid: str


class Named(NamedTuple):
    """A container as an engine knows it: `pid` 0 if that is not told, `path` of its namespace (empty: not told).

    `names` False: it was seen, but its name is not told there.
    """

    id: str
    name: str
    pid: int = 0
    path: str = ""
    pod: Pod | None = None
    sandbox: bool = False
    data: Pairs = ()


class Engine(NamedTuple):
    """An engine: `cgroup` finds a container's id in the path of its control group, the innermost one last."""

    name: str
    cgroup: re.Pattern[str]
    find: Callable[[Asking], Iterator[Named | Gap]]


def cgroup(*forms: str) -> re.Pattern[str]:
    """A pattern for these forms of names of control groups, in which ID stands for the container's id."""
    return re.compile("|".join(f"(?:^|/){form.replace('ID', ID)}(?=/|$)" for form in forms))
