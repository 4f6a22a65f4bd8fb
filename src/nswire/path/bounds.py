"""How far a walk may go: a network without an end, such as bridges in a ring, must not take one. Its time is in `choices`.

Links passed stand for steps and memory alike, since each leaves a step behind.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from typing import TYPE_CHECKING

from nswire.model.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSED = 100_000  # links, of one ctx: a flood to a bridge of 10 000 ports passes some 30 000

TOO_MANY_LINKS = Reason(
    "path.too_many_links",
    "it was followed through {count} links, and no further: is there a loop of switches?",
    unknown=True,
)
TOO_DEEP = Reason("path.too_deep", "it goes on through more links than can be followed", unknown=True)


DEPTH = 4000  # calls in calls: some 25 for each namespace on the way
_entering = threading.Lock()
_inside: list[int] = []  # the limit that was found by each of those that are inside


@contextlib.contextmanager
def deep() -> Iterator[None]:
    """Room for a walk through as many namespaces as a TTL lasts for."""
    with _entering:
        _inside.append(_inside[0] if _inside else sys.getrecursionlimit())
        sys.setrecursionlimit(max(DEPTH, _inside[0]))
    try:
        yield
    finally:
        with _entering:
            before = _inside.pop()
            if not _inside:
                sys.setrecursionlimit(before)
