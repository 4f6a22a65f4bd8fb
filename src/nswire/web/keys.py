"""Who may see the page: a token in the URL, which is exchanged for a session. Everything is compared in constant time."""

from __future__ import annotations

import hmac
import secrets

SESSIONS = 32  # browsers at a time; one more, and the oldest has to come again


class Keys:
    """The token that opens the page, and the sessions that it opened.

    A token of our own opens it once, and then there is another. One that was given (`lasting`) stays, and opens the API to
    programs as well.
    """

    def __init__(self, lasting: str = "") -> None:
        self.lasting = lasting
        self._sessions: list[str] = []
        # Cookies know no ports: two pages on one address are not to overwrite each other's.
        self.cookie = f"nswire_{secrets.token_hex(4)}"
        self.token = lasting or secrets.token_urlsafe(32)

    def open(self, token: str) -> str:
        """A new session for the right token; empty for a wrong one."""
        if not _same(token, self.token):
            return ""
        self.token = self.lasting or secrets.token_urlsafe(32)
        session = secrets.token_urlsafe(32)
        self._sessions = [*self._sessions, session][-SESSIONS:]
        return session

    def knows(self, session: str) -> bool:
        """True for a session that a token opened. All are compared, so nothing is told by how long it takes."""
        return sum(_same(session, one) for one in self._sessions) > 0

    def bears(self, authorization: str) -> bool:
        """True if the header Authorization has the lasting token. A token of our own is for one browser, once."""
        scheme, _, token = authorization.partition(" ")
        return bool(self.lasting) and scheme.lower() == "bearer" and _same(token, self.lasting)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())
