"""Who is connected, and who has to go: no user shuts out another, nobody waits for a head for ever.

A connection is *known* once a request of it had a session or the lasting token. Those that are not are strangers:

    a head                 HEAD seconds, from the first byte or none to the last; a stranger's answer included
    strangers of one user  EACH; the oldest go first
    strangers in all       STRANGERS; those of whoever has most go first
    known ones             KNOWN; further ones are closed

A user is a uid where somebody can say it: SO_PEERCRED of a unix socket; on loopback the privileged side asks the kernel
(`whose`), as this one may not. Anybody else is the address that he comes from.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import defaultdict
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from nswire.web import whose

if TYPE_CHECKING:
    from collections.abc import Iterable

HEAD = 10.0  # seconds
EACH, STRANGERS, KNOWN = 32, 256, 256
ASKING = 1.0  # seconds that the kernel may take to say whose a connection is
PUSH = 1024  # strangers, between two looks at them
UCRED = struct.Struct("=iII")  # struct ucred: pid, uid, gid

# The connection on which the present request came.
CONNECTION: ContextVar[Connection | None] = ContextVar("CONNECTION", default=None)


class Connection(H11Protocol):
    """A connection, with what is known of whoever is at its other end. `door` is set by `Connections.protocol`."""

    door: Connections

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.user = ""
        self.known = False
        self.since = 0.0  # when it was last our turn to wait
        self.identified = asyncio.Event()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Asyncio's."""
        super().connection_made(transport)
        self.since = self.loop.time()
        self.door.came(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio's."""
        self.door.went(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Asyncio's. What follows from the data is done in a context that knows this connection."""
        CONNECTION.set(self)
        super().data_received(data)

    def on_response_complete(self) -> None:
        """Uvicorn's."""
        self.since = self.loop.time()
        CONNECTION.set(self)
        super().on_response_complete()

    @property
    def answering(self) -> bool:
        """True while a request is being answered."""
        cycle: Any = self.cycle  # None before the first one
        return cycle is not None and not cycle.response_complete

    @property
    def overdue(self) -> bool:
        """True if it let us wait for too long: for a head, or, a stranger, for taking its answer."""
        return not (self.known and self.answering) and self.loop.time() - self.since > HEAD

    async def who(self) -> str:
        """The user at its other end, as soon as that is known."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.identified.wait(), ASKING)
        return self.user

    def abort(self) -> None:
        """Away with it."""
        self.transport.abort()


class Connections:
    """All connections of a page."""

    def __init__(self) -> None:
        self._strangers: dict[Connection, None] = {}  # by age
        self._known: set[Connection] = set()
        self._asked: dict[int, Connection] = {}
        self._number = 0
        self._privileged: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None

    async def begin(self, sock: socket.socket) -> None:
        """Ask whoever is behind that socket whose connections are."""
        reader, self._privileged = await asyncio.open_connection(sock=sock)
        self._reading = asyncio.create_task(self._read(reader))

    async def close(self) -> None:
        """Ask no more."""
        if self._reading is not None and self._privileged is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
            self._privileged.close()
            with contextlib.suppress(OSError):
                await self._privileged.wait_closed()

    def protocol(self) -> type[Connection]:
        """The protocol of these connections, for uvicorn."""
        return type("Connection", (Connection,), {"door": self})

    def came(self, one: Connection) -> None:
        """A connection was made."""
        self._strangers[one] = None
        if len(self._strangers) > PUSH:
            next(iter(self._strangers)).abort()
        sock = one.transport.get_extra_info("socket")
        if sock.family == socket.AF_UNIX:
            credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, UCRED.size)
            one.user = str(UCRED.unpack(credentials)[1])
        elif one.client is not None and one.server is not None:
            one.user = one.client[0]
            if self._privileged is not None and whose.is_loopback(one.client[0]):
                self._number += 1
                self._asked[self._number] = one
                here, there = (one.client[0], one.client[1]), (one.server[0], one.server[1] or 0)
                self._privileged.write(whose.question(self._number, here, there))
                return
        one.identified.set()

    def went(self, one: Connection) -> None:
        """A connection is no more."""
        self._strangers.pop(one, None)
        self._known.discard(one)

    def met(self, one: Connection | None) -> None:
        """A request of that connection showed that we know who asks."""
        if one is None or one.known or one not in self._strangers:
            return
        del self._strangers[one]
        one.known = True
        self._known.add(one)
        if len(self._known) > KNOWN:
            idle = [other for other in self._known if not other.answering]
            (min(idle, key=lambda other: other.since) if idle else one).abort()

    def sweep(self) -> None:
        """Close those that are too many, or too slow."""
        for one in [one for one in (*self._strangers, *self._known) if one.overdue]:
            one.abort()
        for one in list(surplus((one.user, one) for one in self._strangers)):
            one.abort()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                number, user = whose.ANSWER.unpack(await reader.readexactly(whose.ANSWER.size))
                one = self._asked.pop(number, None)
                if one is not None:
                    one.user = str(user) if user >= 0 else one.user
                    one.identified.set()


def surplus(strangers: Iterable[tuple[str, Connection]]) -> Iterable[Connection]:
    """Those that are too many, of (user, connection) by age: of each user the oldest, then of whoever has most."""
    by_user: dict[str, list[Connection]] = defaultdict(list)
    for user, one in strangers:
        by_user[user].append(one)
    for all_of_one in by_user.values():
        over = len(all_of_one) - EACH
        if over > 0:
            yield from all_of_one[:over]
            del all_of_one[:over]
    left = sum(map(len, by_user.values()))
    while left > STRANGERS:
        yield max(by_user.values(), key=len).pop(0)
        left -= 1
