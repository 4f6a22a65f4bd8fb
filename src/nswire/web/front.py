"""The front: what speaks HTTP. It has given up all privileges before it hears of anybody, and knows nothing by itself.

It lets in whoever has a session (`guard`), asks the worker, and passes on what that says.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from nswire.web import privileges
from nswire.web.asking import Asking
from nswire.web.guard import Guard, problem
from nswire.web.keys import Keys

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable, Iterator

    from starlette.requests import Request

FILES = ("page.js", "page.css", "icon.svg")
LISTENERS = 64  # pages that are kept up to date at a time
ALIVE = 15.0  # seconds of silence after which something is said, to notice who has gone
FAREWELL = 1  # seconds that answers on their way may take in the end
ENTER = (
    '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=./">'
    '<link rel="icon" href="icon.svg"><title>nswire</title><p>Come in.</html>'
)


def application(asking: Asking, keys: Keys, opened: Callable[[], None]) -> Starlette:
    """The page and the API. `opened` is called when a token has been used, so that there is another one now."""

    async def page(request: Request) -> Response:
        if "token" not in request.query_params:
            return await asking.answer("page", request.query_params.multi_items())
        session = keys.open(request.query_params["token"])
        if not session and not request.state.known:
            return problem(
                401,
                "this token",
                "it is not right, or was used before",
                "the terminal in which nswire serve runs shows the next one",
                headers=request.headers,
            )
        if session and not keys.lasting:
            opened()
        # Not a redirect: the page that led here may be somebody else's, and a redirected request would still be theirs,
        # without the cookie (SameSite=Strict). What this page goes on to is its own.
        answer = HTMLResponse(ENTER)
        if session:
            answer.set_cookie(keys.cookie, session, httponly=True, samesite="strict", path="/")
        return answer

    async def file(request: Request) -> Response:
        return await asking.answer(request.url.path.rpartition("/")[2], [])

    async def api(request: Request) -> Response:
        return await asking.answer(f"api/{request.path_params['name']}", request.query_params.multi_items())

    async def events(_: Request) -> Response:
        if asking.listeners >= LISTENERS:
            return problem(503, "events", f"{LISTENERS} pages are listening already", "close one of them")
        return StreamingResponse(stream(asking), media_type="text/event-stream")

    routes = [
        Route("/", page),
        *(Route(f"/{name}", file) for name in FILES),
        Route("/api/v1/events", events),
        Route("/api/v1/{name}", api),
    ]
    return Starlette(routes=routes, exception_handlers={404: _nowhere})


async def _nowhere(request: Request, _: Exception) -> Response:
    return problem(404, request.url.path, "there is nothing", "the API is described in /api/v1/openapi.json")


async def stream(asking: Asking) -> AsyncIterator[bytes]:
    """The events for one page, until it goes or there will be no more."""
    yield b"retry: 1000\n\n"
    async with asking.listening() as queue:
        while True:
            try:
                event = await asyncio.wait_for(queue.get(), ALIVE)
            except TimeoutError:
                yield b": still here\n\n"
                continue
            yield f"event: {event.name}\ndata: {json.dumps(event.data)}\n\n".encode()
            if event.name == "ended":
                return


class Server(uvicorn.Server):
    """Tells the pages that it ends before it waits for them to go."""

    asking: Asking

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """At SIGINT and SIGTERM it ends; uvicorn's own way would raise them once more."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _end(self) -> None:
        self.asking.end("nswire serve was ended")
        self.should_exit = True


def serve(
    listening: socket.socket, worker: socket.socket, keys: Keys, hosts: frozenset[str], url: str
) -> int:
    """Serve until told to end, or until the worker ends. Returns the exit status. Raises OSError if privileges cannot be dropped."""

    def invite() -> None:
        # A lasting token is known to whoever chose it, and is not for the journal of a service.
        sys.stdout.write(f"{url}\n" if keys.lasting else f"{url}?token={keys.token}\n")
        sys.stdout.flush()

    async def run() -> int:
        asking = Asking()
        guarded = Guard(application(asking, keys, invite), keys, hosts)
        server = Server(_settings(guarded))
        server.asking = asking
        server.config.load()  # imports what it needs; afterwards that may lie where nobody may go
        kept = privileges.drop()
        if kept:
            _say(kept)
        await asking.begin(worker, lambda: setattr(server, "should_exit", True))
        invite()
        await server.serve(sockets=[listening])
        lost = asking.lost
        await asking.close()
        if lost:
            _say(lost)
        return 2 if lost else 0

    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        return asyncio.run(run())
    return 0


def _settings(app: Guard) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=256,
        timeout_graceful_shutdown=FAREWELL,
    )


def _say(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"nswire serve: {text}\n")
        sys.stderr.flush()
