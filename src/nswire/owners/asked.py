"""What owner sources share: processes, and files that daemons keep."""

from __future__ import annotations

from os import strerror
from typing import TYPE_CHECKING, Any

import msgspec

from nswire.codec import process as codec
from nswire.host.system import Refusal
from nswire.model.values import Gap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.codec.process import Process
    from nswire.model.values import NsKey
    from nswire.owners.owner import Asking

HINT = "it takes root"
AWKWARD = frozenset(
    "*?[|&"
)  # in a path of somebody else's configuration: they would mean something in a question
UNREADABLE = (1, 13)  # EPERM, EACCES


def process(asking: Asking, pid: int) -> Process | None:
    """Who a process is; None if it is gone."""
    answer = asking.host(f"process/{pid}")
    return codec.decode(answer) if isinstance(answer, bytes) else None


def away(asking: Asking) -> list[tuple[int, str]]:
    """(pid, control group) of every process that is not at home, the oldest pid first."""
    answer = asking.host("cgroups")
    return sorted(codec.cgroups(answer)) if isinstance(answer, bytes) else []


def at_home(asking: Asking) -> list[tuple[int, str]]:
    """The same of the processes at home: costly on a busy host."""
    answer = asking.host("cgroups/home")
    return sorted(codec.cgroups(answer)) if isinstance(answer, bytes) else []


def namespace_of(asking: Asking, pid: int) -> NsKey | None:
    """The namespace that a process is in, if it was seen there."""
    return namespaces(asking).get(pid)


def namespaces(asking: Asking) -> dict[int, NsKey]:
    """The namespace of every process that was seen."""
    return {
        holder.pid: ns
        for ns, holders in asking.facts.holders.items()
        for holder in holders
        if holder.type == "process"
    }


def namespace_at(asking: Asking, path: str) -> NsKey | None:
    """The namespace that has that name or is mounted at that path, in our own mount namespace."""
    path = path.replace("/var/run/", "/run/", 1) if path.startswith("/var/run/") else path
    for ns, holders in asking.facts.holders.items():
        if any(holder.type in ("name", "mount") and holder.own and holder.path == path for holder in holders):
            return ns
    return None


def files(asking: Asking, how: str, pattern: str, *keys: str) -> Iterator[tuple[str, Any]]:
    """(path, what it says) of the files that match; what makes no sense is left out. See `host.files`."""
    answer = asking.host(f"{how}/{pattern}|{'&'.join(keys)}")
    if isinstance(answer, Refusal):
        return
    try:
        found = msgspec.json.decode(answer, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return
    yield from found.items()


def readable(said: Any) -> bool:
    """False for a file that could not be read, or was half-written."""
    return not (isinstance(said, dict) and "!" in said)


def unreadable(found: list[tuple[str, Any]], what: str) -> Iterator[Gap]:
    """One gap for files that could not be read: how many, and why."""
    errors = [said["!"] for _, said in found if not readable(said)]
    for errno in sorted(set(errors)):
        why = strerror(errno) if isinstance(errno, int) and errno > 0 else "it makes no sense"
        where = f"{errors.count(errno)} files"
        yield Gap(where, what, why, HINT if errno in UNREADABLE else "half-written? ask again")


def text(value: object) -> str:
    """A value of a foreign document as text; empty if it is none."""
    return value if isinstance(value, str) else ""


def number(value: object) -> int:
    """A value of a foreign document as a number; 0 if it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
