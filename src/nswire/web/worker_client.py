"""The front's side of the socketpair: questions to the worker, and what it says unasked."""

from __future__ import annotations

import asyncio
import contextlib
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from starlette.responses import Response

from nswire.web import ipc
from nswire.web.middleware import problem

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable

PATIENCE = 60.0  # seconds for an answer
KEPT = 8  # events that wait for a page; the last ones count
WAITING = 256  # questions at a time
SENSELESS = ipc.Reply(HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain")
GONE = "the reading part of nswire has ended"
AGAIN = "start nswire serve again"


class Ended(Exception):
    """The worker has ended."""


class Event(NamedTuple):
    """What a page is told: `state`, `changed` or `ended`, and the name of the picture or the reason."""

    name: str
    data: str


class WorkerClient:
    """Asks the worker on behalf of many at a time. `lost` says why it can be asked no more, if that was not wanted."""

    def __init__(self) -> None:
        self.lost = ""
        self.listeners = 0
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[tuple[ipc.Reply, bytes]]] = {}
        self._queues: set[asyncio.Queue[Event]] = set()
        self._number = 0
        self._ending = False

    async def begin(self, sock: socket.socket, lost: Callable[[], None]) -> None:
        """Talk to the worker behind a socket; `lost` is called when that ends by itself."""
        reader, self._writer = await asyncio.open_connection(sock=sock)
        self._reading = asyncio.create_task(self._read(reader, lost))

    async def _read(self, reader: asyncio.StreamReader, lost: Callable[[], None]) -> None:
        try:
            while True:
                number, reply, body = await ipc.reply(reader)
                reply = reply or SENSELESS
                if number:
                    waiting = self._waiting.pop(number, None)
                    if waiting is not None and not waiting.done():
                        waiting.set_result((reply, body))
                elif reply is not SENSELESS:
                    self._tell(Event(reply.type, body.decode("utf-8", "replace")))
        except (OSError, EOFError, ValueError):
            self.lost = f"{GONE}; {AGAIN}"
            self.end(self.lost)
            lost()

    async def ask(self, what: str, given: list[tuple[str, str]]) -> tuple[ipc.Reply, bytes]:
        """An answer of the worker. Raises Ended, TimeoutError; frames.TooLong before anything is asked."""
        if self._writer is None or self.lost:
            raise Ended
        if len(self._waiting) >= WAITING:
            raise TimeoutError
        self._number += 1
        number = self._number
        said = ipc.frame(number, ipc.Request(what, given))
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self._writer.write(said)
            return await asyncio.wait_for(waiting, PATIENCE)
        except OSError as error:
            raise Ended from error
        finally:
            self._waiting.pop(number, None)

    def tell(self, what: str, value: str) -> None:
        """Let the worker do something; nobody waits for what it answers."""
        if self._writer is not None and not self.lost:
            self._number += 1
            with contextlib.suppress(OSError):
                self._writer.write(ipc.frame(self._number, ipc.Request(what, [("", value)])))

    async def answer(self, what: str, given: list[tuple[str, str]]) -> Response:
        """An answer of the worker as one over HTTP."""
        try:
            reply, body = await self.ask(what, given)
        except ipc.TooLong:
            return problem(
                414, "this address", "it is too long", "the parameters are described in /api/v1/openapi.json"
            )
        except Ended:
            return problem(503, "this machine", GONE, AGAIN)
        except TimeoutError:
            return problem(503, "this machine", f"no answer within {PATIENCE:.0f} s", "try again")
        return Response(body, reply.status, media_type=reply.type)

    # -- events ------------------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[asyncio.Queue[Event]]:
        """A queue with the state of now, and with what comes. The worker watches as long as there is one."""
        queue: asyncio.Queue[Event] = asyncio.Queue(KEPT)
        self._queues.add(queue)
        self.listeners += 1
        try:
            await self._begin_listening(queue)
            yield queue
        finally:
            self._queues.discard(queue)
            self.listeners -= 1
            if not self._queues and not self._ending:
                self.tell("unwatch", "")

    async def _begin_listening(self, queue: asyncio.Queue[Event]) -> None:
        try:
            reply, body = await self.ask("watch", [])
            if reply.status == HTTPStatus.OK:
                _put(queue, Event(reply.type, body.decode()))
            else:
                _put(queue, Event("ended", msgspec.json.decode(body)["reason"]))
        except (Ended, TimeoutError):
            _put(queue, Event("ended", f"{GONE}; {AGAIN}"))

    def _tell(self, event: Event) -> None:
        for queue in self._queues:
            _put(queue, event)

    def end(self, why: str) -> None:
        """Tell all pages that there will be no more, and whoever waits for an answer."""
        self._ending = True
        self._tell(Event("ended", why))
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(Ended())

    async def close(self) -> None:
        """Hang up."""
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()


def _put(queue: asyncio.Queue[Event], event: Event) -> None:
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(event)
