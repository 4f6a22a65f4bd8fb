"""What a source yields, and the gaps that several of them share."""

from __future__ import annotations

from collections import Counter
from errno import EACCES, ENOENT, EPERM, ESRCH
from os import strerror
from typing import TYPE_CHECKING

import msgspec

from nswire.host.system import Refusal
from nswire.model.values import Gap, Holder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nswire.codec.procfs import TableRow
    from nswire.host.system import System, Way


SINGULAR = {
    "processes": "process",
    "threads": "thread",
    "sockets": "socket",
    "mount namespaces": "mount namespace",
}


class Found(msgspec.Struct, frozen=True, gc=False):
    """A namespace, by its inode, what holds it, and the way there."""

    inode: int
    holder: Holder
    way: Way


class Unanswered(Exception):
    """A host-wide question was refused; `gap` says what that hides."""

    def __init__(self, gap: Gap) -> None:
        super().__init__(gap)
        self.gap = gap


def ask(system: System, name: str, what: str) -> bytes:
    """The answer to a host-wide question. Unanswered if it is refused."""
    answer = system.host(name)
    if isinstance(answer, Refusal):
        raise Unanswered(Gap("the whole host", what, strerror(answer.errno)))
    return answer


def unreadable(errors: Counter[int], what: str, hides: str) -> Iterator[Gap]:
    """One gap per errno: how many of `what` (in the plural) could not be looked at, and what that hides."""
    for errno, count in sorted(errors.items()):
        if errno in (ENOENT, ESRCH):
            continue
        hint = (
            "it takes root (CAP_SYS_PTRACE), and no security module against it"
            if errno in (EACCES, EPERM)
            else ""
        )
        yield Gap(f"{count} {what if count > 1 else SINGULAR[what]}", hides, strerror(errno), hint)


def from_table(rows: Iterable[TableRow], kind: str, way: str) -> Iterator[Found | Gap]:
    """Rows of (pid, number, namespace or -errno) as findings; `way` is the path template to the namespace."""
    errors: Counter[int] = Counter()
    for pid, number, net in rows:
        if net < 0:
            errors[-net] += 1
        else:
            holder = Holder(kind, pid, number=number)  # type: ignore[arg-type]
            path = way.format(pid=pid, number=number)
            yield Found(net, holder, ("socket", pid, str(number)) if kind == "socket" else ("path", 0, path))
    what = {"thread": "threads", "fd": "processes", "socket": "sockets"}[kind]
    yield from unreadable(errors, what, f"namespaces held only by their {kind}s")
