"""What every request has to pass, and what every answer carries, whatever it is about.

GET only                    405   there is nothing that could be changed
Host is one of ours         403   DNS rebinding: a name of somebody else's that leads here
Origin, Sec-Fetch-Site      403   no other page asks in the name of whoever is logged in here
session, or token           401   see `keys`
after wrong tokens          429   the next one has to wait
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, Response

from nswire.web.connections import CONNECTION
from nswire.web.hostnames import ANY_ADDRESS

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from nswire.web.connections import Connections
    from nswire.web.sessions import Keys

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Refusal(NamedTuple):
    """Why a request is not answered."""

    status: int
    subject: str
    reason: str
    hint: str = ""


LATER = Refusal(429, "this token", "there were wrong ones", "wait a quarter of a minute, then try again")


def problem(
    status: int, subject: str, reason: str, hint: str = "", *, headers: Headers | None = None
) -> Response:
    """A refusal as an answer, in the form of nswire/error (`show.documents_error.ErrorDocument`).

    With the `headers` of a browser that wants a page: in words.
    """
    if headers is not None and "text/html" in headers.get("accept", ""):
        return PlainTextResponse(f"nswire: {subject}: {reason}\n  {hint}\n", status)
    said = {
        "schema": "nswire/error",
        "version": 1,
        "subject": subject,
        "reason": reason,
        "hint": hint,
        "matches": [],
    }
    return Response(msgspec.json.encode(said) + b"\n", status, media_type="application/json")


class Guard:
    """Stands before the application. `hosts` are the names under which we are reached, without ports."""

    def __init__(
        self, app: ASGIApp, keys: Keys, hosts: frozenset[str], connections: Connections | None = None
    ) -> None:
        self._app = app
        self._keys = keys
        self._hosts = hosts
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        headers = Headers(scope=scope)
        enters = scope["path"] == "/" and "token" in QueryParams(scope["query_string"])
        refusal = self._refusal(scope, headers, enters=enters) or await self._unknown(
            scope, headers, enters=enters
        )
        if refusal is None:
            await self._app(scope, receive, with_headers)
            return
        answer = problem(*refusal, headers=headers)
        if refusal.status == 405:
            answer.headers["allow"] = "GET"
        await answer(scope, receive, with_headers)

    def _refusal(self, scope: Scope, headers: Headers, *, enters: bool) -> Refusal | None:
        if scope["method"] != "GET":
            return Refusal(405, scope["method"], "nswire only reads", "GET is all that there is")
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            return Refusal(
                403, ", ".join(hosts), "that is no name of this page", "use the address that was printed"
            )
        origins = headers.getlist("origin")
        if any(origin != f"http://{hosts[0]}" for origin in origins):
            return Refusal(403, ", ".join(origins), "pages from elsewhere are not answered")
        if not _is_same_site(headers) and not (enters and headers.get("sec-fetch-mode") == "navigate"):
            return Refusal(403, headers["sec-fetch-site"], "pages from elsewhere are not answered")
        return None

    async def _unknown(self, scope: Scope, headers: Headers, *, enters: bool) -> Refusal | None:
        """What to say to somebody who has no session and no token."""
        session = cookie_parser(headers.get("cookie", "")).get(self._keys.cookie, "")
        authorization = headers.get("authorization", "")
        known = self._keys.knows(session)
        state = scope.setdefault("state", {})
        state["session"] = session if known else ""
        if not known and authorization and self._keys.lasting:
            user = await user_of()
            if not await self._keys.turn(user):
                return LATER
            known = self._keys.bears(authorization)
            (self._keys.right if known else self._keys.wrong)(user)
        state["known"] = known
        if known:
            if self._connections is not None:
                self._connections.met(CONNECTION.get())
        elif not enters:
            hint = "open the URL that nswire serve printed; each is good for one browser"
            return Refusal(401, scope["path"], "this browser has no session", hint)
        return None

    def _is_ours(self, host: str) -> bool:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if name.lower() in self._hosts:
            return True
        return ANY_ADDRESS in self._hosts and _is_address(name)


async def user_of() -> str:
    """Who is at the other end of the connection on which the present request came."""
    connection = CONNECTION.get()
    return "" if connection is None else await connection.who()


def _is_same_site(headers: Headers) -> bool:
    """What the browser says of who asks. Another port of this machine is the same site, and still somebody else."""
    return headers.get("sec-fetch-site", "none") in ("none", "same-origin")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
