"""The front: what speaks HTTP. It has given up all privileges before it hears of anybody, and knows nothing by itself.

It lets in whoever has a session (`guard`), asks the worker, and passes on what that says. A program of its own, started by
`serve` with an empty environment, no terminal and three sockets: `main`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import traceback
from typing import TYPE_CHECKING

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from nswire.web import ipc, privileges
from nswire.web.connections import Connections
from nswire.web.middleware import LATER, Guard, problem, user_of
from nswire.web.sessions import Keys
from nswire.web.worker_client import Event, WorkerClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from starlette.requests import Request

FILES = ("page.js", "page.css", "icon.svg")
LISTENERS = 64  # pages that are kept up to date at a time
ALIVE = 15.0  # seconds of silence after which something is said, to notice who has gone
BACKLOG = 1024  # connections that wait to be accepted
FAILED = 2
SAID = 4096  # characters
FAREWELL = 1  # seconds that answers on their way may take in the end
# A refresh by meta leaves the fragment behind (`#link=...`), and that is where a link leads that somebody was sent.
ENTER = (
    '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><script src="enter.js"></script>'
    '<noscript><meta http-equiv="refresh" content="0; url=./"></noscript>'
    '<link rel="icon" href="icon.svg"><title>nswire</title><p>Come in.</html>'
)
ENTERING = (
    'const query = new URLSearchParams(location.search); query.delete("token");\n'
    'location.replace(`./${query.size ? `?${query}` : ""}${location.hash}`);\n'
)


def application(client: WorkerClient, keys: Keys, opened: Callable[[], None]) -> Starlette:
    """The page and the API. `opened` is called when a token has been used, so that there is another one now."""

    async def page(request: Request) -> Response:
        if "token" not in request.query_params:
            return await client.answer("page", request.query_params.multi_items())
        user = await user_of()
        if not await keys.turn(user):
            return problem(*LATER, headers=request.headers)
        session = keys.open(request.query_params["token"])
        if session:
            keys.right(user)
        elif not request.state.known:
            keys.wrong(user)
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
        return await client.answer(request.url.path.rpartition("/")[2], [])

    async def api(request: Request) -> Response:
        return await client.answer(f"api/{request.path_params['name']}", request.query_params.multi_items())

    async def events(request: Request) -> Response:
        session = request.state.session
        if client.listeners >= LISTENERS:
            return problem(503, "events", f"{LISTENERS} pages are listening already", "close one of them")
        lasts = (lambda: keys.knows(session)) if session else (lambda: True)
        return StreamingResponse(stream(client, lasts), media_type="text/event-stream")

    routes = [
        Route("/", page),
        Route("/enter.js", _enter),
        *(Route(f"/{name}", file) for name in FILES),
        Route("/api/v1/events", events),
        Route("/api/v1/{name}", api),
    ]
    return Starlette(routes=routes, exception_handlers={404: _nowhere})


async def _enter(_: Request) -> Response:
    return Response(ENTERING, media_type="text/javascript")


async def _nowhere(request: Request, _: Exception) -> Response:
    return problem(404, request.url.path, "there is nothing", "the API is described in /api/v1/openapi.json")


async def stream(client: WorkerClient, lasts: Callable[[], bool]) -> AsyncIterator[bytes]:
    """The events for one page, until it goes or there will be no more. `lasts`: False once its session has ended."""
    yield b"retry: 1000\n\n"
    async with client.listening() as queue:
        while True:
            try:
                event = await asyncio.wait_for(queue.get(), ALIVE)
            except TimeoutError:
                event = None
            if not lasts():
                event = Event(
                    "ended", "the session has ended; the terminal in which nswire serve runs shows a new URL"
                )
            if event is None:
                yield b": still here\n\n"
                continue
            yield f"event: {event.name}\ndata: {json.dumps(event.data)}\n\n".encode()
            if event.name == "ended":
                return


class Server(uvicorn.Server):
    """Tells the pages that it ends before it waits for them to go, and is confined before it hears of anybody."""

    client: WorkerClient
    connections: Connections
    keys: Keys

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """At SIGINT and SIGTERM it ends; uvicorn's own way would raise them once more."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end)
        # Now, since a handler of signals looks at a descriptor, which will not be allowed any more.
        kept = privileges.confine()
        if kept:
            self.client.tell("say", kept)
        self.client.tell("invite", self.keys.token)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def on_tick(self, counter: int) -> bool:
        """Uvicorn's, ten times a second."""
        self.connections.sweep()
        return await super().on_tick(counter)

    def _end(self) -> None:
        self.client.end("nswire serve was ended")
        self.should_exit = True


def serve(
    listening: socket.socket, worker: socket.socket, whose: socket.socket, keys: Keys, hosts: frozenset[str]
) -> int:
    """Serve until told to end, or until the worker ends. Returns the exit status. Raises OSError if privileges cannot be dropped."""

    async def run() -> int:
        client, connections = WorkerClient(), Connections()
        app = application(client, keys, lambda: client.tell("invite", keys.token))
        server = Server(_settings(Guard(app, keys, hosts, connections), connections))
        server.client, server.connections, server.keys = client, connections, keys
        server.config.load()  # imports what it needs; afterwards nothing can be opened
        async with anyio.create_task_group():  # imports what it needs for asyncio when it is first used
            pass
        said = [privileges.leave_network(), privileges.drop()]
        await client.begin(worker, lambda: setattr(server, "should_exit", True))
        await connections.begin(whose)
        for text in filter(None, said):
            client.tell("say", text)
        await server.serve(sockets=[listening])
        lost = client.lost
        await connections.close()
        await client.close()
        return FAILED if lost else 0

    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        return asyncio.run(run())
    return 0


def main() -> None:
    """The program: its arguments are the descriptors of the three sockets. Never returns."""
    listening, worker, whose = (socket.socket(fileno=int(word)) for word in sys.argv[1:])
    status = FAILED
    begin = ipc.Begin("", frozenset())
    try:
        begin = ipc.begin(worker)
        status = serve(listening, worker, whose, Keys(begin.token), begin.hosts)
    except BaseException as error:  # noqa: BLE001 (it has no place to say it but one)
        text = traceback.format_exc() if begin.debug else f"the HTTP part failed: {error}"
        with contextlib.suppress(OSError, ValueError):
            worker.sendall(ipc.frame(1, ipc.Request("say", [("", text[:SAID])])))
    finally:
        os._exit(status)


def _settings(app: Guard, connections: Connections) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        http=connections.protocol(),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=FAREWELL,
    )
