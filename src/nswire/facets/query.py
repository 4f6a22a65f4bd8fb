"""What facets share: client about many links at once, and telling of what was refused."""

from __future__ import annotations

from errno import ENODEV, ENOENT, EOPNOTSUPP, ESRCH
from typing import TYPE_CHECKING, TypeVar

from nswire.codec.checked import UNREADABLE
from nswire.codec.checked import errno as checked_errno
from nswire.errors import NetlinkError
from nswire.host.failures import refusal
from nswire.host.system import Refusal
from nswire.model.gaps import netns

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from nswire.host.client import Client
    from nswire.host.system import Answer, Question
    from nswire.model.gaps import Gap, Unseen
    from nswire.model.values import End, LinkFact, NsKey

T = TypeVar("T")


def of_each(
    client: Client, ends: Collection[End], questions: Callable[[LinkFact], tuple[Question, ...]]
) -> Iterator[tuple[End, list[Answer]]]:
    """The answers about each link, one visit for each namespace. What is gone is left out."""
    links = client.facts.links
    by_ns: dict[NsKey, list[tuple[End, tuple[Question, ...]]]] = {}
    for end in sorted(ends, key=lambda end: (end.ns, end.ifindex)):
        link = links.get(end.ns, {}).get(end.ifindex)
        if link is not None:
            by_ns.setdefault(end.ns, []).append((end, questions(link)))
    answers = client.query({ns: tuple(q for _, asked in rows for q in asked) for ns, rows in by_ns.items()})
    for ns, said in answers.items():
        at = 0
        for end, asked in by_ns[ns]:
            yield end, said[at : at + len(asked)]
            at += len(asked)


def decoded(answer: Answer, decode: Callable[[bytes], T]) -> T | int:
    """What an answer says, or the errno of what was refused (-1: it makes no sense)."""
    if isinstance(answer, Refusal):
        return checked_errno(answer.errno)
    try:
        return decode(answer)
    except NetlinkError as error:
        return checked_errno(error.errno or 0)
    except UNREADABLE:
        return -1


def refused(client: Client, refusals: Iterable[tuple[NsKey, int]], row: Unseen) -> Iterator[Gap]:
    """One gap for each namespace and reason; what is simply not there is none."""
    for ns, errno in sorted(set(refusals)):
        if errno not in NOT_THERE:
            yield row(netns(client.facts, ns), *refusal(errno))


NOT_THERE = (ENOENT, ESRCH, ENODEV, EOPNOTSUPP)  # it has none of that, or is gone
