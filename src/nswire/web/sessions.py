"""Who may see the page: a token in the URL, which is exchanged for a session. Everything is compared in constant time."""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

SESSIONS = 32  # browsers at a time; one more, and the oldest has to come again
IDLE, ABSOLUTE = 3600.0, 86400.0  # seconds after which a session ends: since it was last used, since it began
# A wrong token costs whoever brought it half a second, the next one twice as much, until MOST; forgotten after FORGOTTEN.
FIRST, MOST, FORGOTTEN = 0.5, 8.0, 300.0
USERS = 1024  # whose wrong tokens are remembered


class Wrong(NamedTuple):
    """The wrong tokens of a user: how many, and until when the next one is not looked at."""

    times: int
    until: float


class Session:
    """A browser that brought a token. Times are those of `Keys`' clock."""

    def __init__(self, now: float) -> None:
        self.name = secrets.token_urlsafe(32)
        self.began = self.used = now

    def lasts(self, now: float) -> bool:
        """False if it is over."""
        return now - self.used < IDLE and now - self.began < ABSOLUTE


class Keys:
    """The token that opens the page, and the sessions that it opened.

    A token of our own opens it once, and then there is another. One that was given (`lasting`) stays, and opens the API to
    programs as well.
    """

    def __init__(self, lasting: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self.lasting = lasting
        self._clock = clock
        self._sessions: list[Session] = []
        self._wrong: dict[str, Wrong] = {}
        # Cookies know no ports: two pages on one address are not to overwrite each other's.
        self.cookie = f"nswire_{secrets.token_hex(4)}"
        self.token = lasting or secrets.token_urlsafe(32)

    def open(self, token: str) -> str:
        """A new session for the right token; empty for a wrong one."""
        if not _same(token, self.token):
            return ""
        self.token = self.lasting or secrets.token_urlsafe(32)
        session = Session(self._clock())
        self._sessions = [*self._sessions, session][-SESSIONS:]
        return session.name

    def knows(self, name: str) -> bool:
        """True for a session that a token opened, and that lasts. All are compared, so nothing is told by how long it takes."""
        now = self._clock()
        self._sessions = [one for one in self._sessions if one.lasts(now)]
        found = [one for one in self._sessions if _same(name, one.name)]
        for one in found:
            one.used = now
        return bool(found)

    def bears(self, authorization: str) -> bool:
        """True if the header Authorization has the lasting token. A token of our own is for one browser, once."""
        scheme, _, token = authorization.partition(" ")
        return bool(self.lasting) and scheme.lower() == "bearer" and _same(token, self.lasting)

    async def turn(self, user: str) -> bool:
        """Wait until a token of that user may be looked at; False if that would take too long.

        Who brings several at a time waits for each: none is looked at before its turn, so hanging up saves nothing.
        """
        now = self._clock()
        wrong = self._wrong.get(user, Wrong(0, 0.0))
        wait = wrong.until - now
        if wait <= 0:
            return True
        if wait > MOST:
            return False
        self._wrong[user] = wrong._replace(until=wrong.until + self.delay(wrong.times))
        await asyncio.sleep(wait)
        return True

    def wrong(self, user: str) -> None:
        """A token of that user was wrong."""
        now = self._clock()
        known = self._wrong.pop(user, Wrong(0, now))
        count = 1 if now - known.until > FORGOTTEN else known.times + 1
        self._wrong[user] = Wrong(count, max(now + self.delay(count), known.until))
        if len(self._wrong) > USERS:
            del self._wrong[next(iter(self._wrong))]

    def right(self, user: str) -> None:
        """A token of that user was right: the wrong ones are forgotten."""
        self._wrong.pop(user, None)

    @staticmethod
    def delay(count: int) -> float:
        """Seconds that so many wrong tokens cost."""
        return min(MOST, FIRST * 2.0 ** (min(count, 16) - 1)) if count else 0.0


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())
