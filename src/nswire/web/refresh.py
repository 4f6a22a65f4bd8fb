"""When to look again: the kernel said something, the namespaces are others, or it has been a while.

    at once (a quarter of a second)   links and addresses of our own namespace and of all that a link of it leads to
    within seconds                    namespaces that come and go
    within half a minute              everything else: nobody tells of it, so everything is read anew

A look costs something, so what follows from it is bound to what it cost: a host on which something changes all the time is
looked at again only after four times as long as a look takes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nswire.discover.scan_state import Once
from nswire.host.monitor import Notices
from nswire.sources import TABLE
from nswire.sources.source import Found, Unanswered

if TYPE_CHECKING:
    from nswire.host.system import System

QUIET = 0.25  # seconds without a word, until what was said is believed to be all
LATEST = 2.0  # but no longer than that after the first word
REST = 4  # times what a look cost
SPACES, SPACES_REST = 2.0, 50  # seconds between two looks at the set of namespaces, and times what one costs
WHOLE, WHOLE_REST = 30.0, 50


class Watching:
    """Watches a machine while it is `on`. `due` is asked after `patience` seconds, or when the notices are readable.

    Raises OSError if the kernel gives no socket to listen with.
    """

    def __init__(self, system: System) -> None:
        self._system = system
        self.notices: Notices | None = None
        self.on = False
        self._first = self._last = 0.0  # of what was said since the last look; 0: nothing
        self._rest = 0.0  # not to look again before
        self._whole = self._spaces_at = 0.0  # when to do that next
        self._spaces: frozenset[int] = frozenset()

    def begin(self) -> None:
        """Somebody wants to know."""
        if not self.on:
            self.notices = Notices()
            self.on = True
            self._first = self._last = time.monotonic()  # nobody listened until now
            self._spaces, self._spaces_at = self._found(), time.monotonic() + SPACES

    def end(self) -> None:
        """Nobody wants to know any more."""
        if self.notices is not None:
            self.notices.close()
        self.notices, self.on = None, False

    def patience(self) -> float | None:
        """How many seconds may pass until `due` has to be asked; None: nothing will be."""
        if not self.on:
            return None
        return max(0.0, min(self._spaces_at, self._whole, self._settled()) - time.monotonic())

    def changed(self) -> bool:
        """True if anything was said that is not looked at yet."""
        self._listen()
        return self._first > 0

    def due(self) -> bool:
        """True if it is time to look again."""
        self._listen()
        now = time.monotonic()
        if now >= self._spaces_at:
            found = self._found()
            cost = time.monotonic() - now
            self._spaces_at = now + max(SPACES, SPACES_REST * cost)
            if found != self._spaces:
                self._spaces = found
                self._first = self._first or now
        return now >= min(self._settled(), self._whole)

    def looking(self) -> None:
        """What was said until now will be seen by the look that begins."""
        self._listen()
        self._first = self._last = 0.0

    def looked(self, cost: float) -> None:
        """A look ended, and took so many seconds."""
        now = time.monotonic()
        self._rest = now + REST * cost
        self._whole = now + max(WHOLE, WHOLE_REST * cost)

    def _listen(self) -> None:
        if self.notices is not None and self.notices.drain():
            self._last = time.monotonic()
            self._first = self._first or self._last

    def _settled(self) -> float:
        """When to look at what was said."""
        if not self._first:
            return float("inf")
        return max(min(self._last + QUIET, self._first + LATEST), self._rest)

    def _found(self) -> frozenset[int]:
        """The namespaces that the cheap sources find."""
        found: set[int] = set()
        system = Once(self._system)
        for source in TABLE:
            if not source.eager:
                continue
            try:
                found.update(one.inode for one in source.find(system) if isinstance(one, Found))
            except (Unanswered, OSError, ValueError):
                continue  # the next look tells why
        return frozenset(found)
