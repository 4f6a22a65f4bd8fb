"""What a source yields, and the gaps that several of them share."""

from __future__ import annotations

from collections import Counter
from errno import E2BIG, EACCES, ENOENT, EPERM, ESRCH, ETIMEDOUT, EXDEV
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


TOO_MANY = "more descriptors than are looked at: 65 536 of a process, ten seconds in all"


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
        raise Unanswered(Gap("the whole host", what, *refusal(answer.errno)))
    return answer


def refusal(errno: int) -> tuple[str, str]:
    """Why a host-wide question was refused, and what would help."""
    if errno == EXDEV:  # see host.live
        return (
            "/proc is that of another pid namespace, whose pids mean nothing here",
            "mount -t proc proc /proc",
        )
    return strerror(errno), ""


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
        why = TOO_MANY if errno == E2BIG else strerror(errno)
        yield Gap(f"{count} {what if count > 1 else SINGULAR[what]}", hides, why, hint)


def silent(pid: int, hides: str) -> Gap:
    """The gap of a process that did not answer; 0: of all that were not asked any more since too many did not."""
    where = f"pid {pid}" if pid else "the processes that come after it"
    why = "it did not answer" if pid else "too many did not answer"
    return Gap(where, hides, why, "what it has open, or its memory, may be on a file system that hangs")


def from_table(rows: Iterable[TableRow], kind: str, way: str) -> Iterator[Found | Gap]:
    """Rows of (pid, number, namespace or -errno) as findings; `way` is the path template to the namespace."""
    errors: Counter[int] = Counter()
    what = {"thread": "threads", "fd": "processes", "socket": "sockets"}[kind]
    hides = f"namespaces held only by their {kind}s"
    for pid, number, net in rows:
        if net == -ETIMEDOUT:
            yield silent(pid, hides)
        elif net < 0:
            errors[-net] += 1
        else:
            holder = Holder(kind, pid, number=number)  # type: ignore[arg-type]
            path = way.format(pid=pid, number=number)
            yield Found(net, holder, ("socket", pid, str(number)) if kind == "socket" else ("path", 0, path))
    yield from unreadable(errors, what, hides)
