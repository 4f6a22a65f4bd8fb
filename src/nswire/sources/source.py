"""What a source yields, and the gaps that several of them share."""

from __future__ import annotations

from collections import Counter
from errno import ENOENT, ESRCH, ETIMEDOUT
from typing import TYPE_CHECKING

import msgspec

from nswire.host.failures import DESCRIPTORS, OF_THE_HOST, refusal
from nswire.host.system import Refusal
from nswire.model.gaps import HOST, Gap, counted, silent
from nswire.model.values import Holder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nswire.codec.procfs import TableRow
    from nswire.host.system import System, Way
    from nswire.model.gaps import Unseen


PROCESSES = ("process", "processes")
COUNTED = {"thread": ("thread", "threads"), "fd": PROCESSES, "socket": ("socket", "sockets")}


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


def ask(system: System, name: str, row: Unseen) -> bytes:
    """The answer to a host-wide question. Unanswered if it is refused: `row` is what that hides."""
    answer = system.host(name)
    if isinstance(answer, Refusal):
        raise Unanswered(row(HOST, *refusal(answer.errno, OF_THE_HOST)))
    return answer


def unreadable(errors: Counter[int], what: tuple[str, str], row: Unseen) -> Iterator[Gap]:
    """One gap per errno: how many of `what` (one, many) could not be looked at."""
    for errno, count in sorted(errors.items()):
        if errno not in (ENOENT, ESRCH):
            yield row(counted(count, *what), *refusal(errno, DESCRIPTORS))


def from_table(rows: Iterable[TableRow], kind: str, way: str, row: Unseen) -> Iterator[Found | Gap]:
    """Rows of (pid, number, namespace or -errno) as findings; `way` is the path template to the namespace.

    `row`: what is hidden by those that cannot be looked at.
    """
    errors: Counter[int] = Counter()
    for pid, number, net in rows:
        if net == -ETIMEDOUT:
            yield silent(row, pid)
        elif net < 0:
            errors[-net] += 1
        else:
            holder = Holder(kind, pid, number=number)  # type: ignore[arg-type]
            path = way.format(pid=pid, number=number)
            yield Found(net, holder, ("socket", pid, str(number)) if kind == "socket" else ("path", 0, path))
    yield from unreadable(errors, COUNTED[kind], row)
