"""The worker: reads the machine for the front, and tells it when something changed. It does nothing else.

One thread, one request at a time: a look at a machine takes milliseconds, and a second one beside it would take the same
locks of the kernel. A look is used again for a moment, so that a page and what is clicked in it do not cost one each.
"""

from __future__ import annotations

import os
import select
import sys
import time
import traceback
from hashlib import sha256
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from nswire.draw import picture
from nswire.draw.html import script, served, style
from nswire.draw.svg import asset
from nswire.sources import EAGER
from nswire.web import api, ipc, openapi
from nswire.web.api import Page, Reach, Refused

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Mapping

    from nswire.model.topology import Topology
    from nswire.web.api import Row
    from nswire.web.refresh import Watching

FRESH = 2.0  # seconds for which a look is good, if nobody says that something changed
JSON, HTML, SCRIPT, STYLE, ICON = (
    "application/json",
    "text/html; charset=utf-8",
    "text/javascript; charset=utf-8",
    "text/css; charset=utf-8",
    "image/svg+xml",
)


class Answer(NamedTuple):
    """An answer: an HTTP status, a media type, and what it is."""

    status: int
    type: str
    body: str


class Look:
    """A look at the machine, and since when it is getting old."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.taken = time.monotonic()
        self._state = ""

    @property
    def state(self) -> str:
        """A name of the picture: the same for the same links, addresses and wires, whenever they were looked at."""
        if not self._state:
            row = next(row for row in api.TABLE if row.name == "map")
            text = api.document(row, self.topology, Reach())
            self._state = sha256(text.partition("\n")[2].encode()).hexdigest()[
                :16
            ]  # the first line is `taken`
        return self._state


class Worker:
    """Answers the requests of the front until it ends.

    `look` looks at the machine, with these sources of namespaces. `watching` tells when to look again; None for a recording.
    `told`: what is done with what the front lets be done, by name.
    """

    def __init__(
        self,
        sock: socket.socket,
        look: Callable[[Iterable[str]], Topology],
        watching: Watching | None,
        told: Mapping[str, Callable[[str], None]] = MappingProxyType({}),
    ) -> None:
        self._socket = sock
        self._look = look
        self._watching = watching
        self._looks: dict[tuple[str, ...], Look] = {}
        self._told = ""  # the state that those who listen know; empty: nobody listens
        self._files: dict[str, Callable[[list[tuple[str, str]]], Answer]] = {
            "page": self._page,
            "page.js": lambda _: Answer(200, SCRIPT, script(own("live.js"))),
            "page.css": lambda _: Answer(200, STYLE, style(own("live.css"))),
            "icon.svg": lambda _: Answer(200, ICON, asset("icon.svg")),
            "watch": self._watch,
            "unwatch": self._unwatch,
            "api/openapi.json": lambda _: Answer(200, JSON, openapi.openapi()),
        }
        self._told_of = told
        self._rows = {f"api/{row.name}": row for row in api.TABLE}

    def work(self) -> None:
        """Until the front ends. Raises OSError."""
        while True:
            watching = self._watching
            waits = None if watching is None else watching.patience()
            sources = [self._socket, *(() if watching is None or not watching.on else (watching.notices,))]
            ready, _, _ = select.select([one for one in sources if one is not None], [], [], waits)
            if self._socket in ready:
                if not self._served():
                    return
            elif watching is not None and watching.due():
                self._look_again(watching)

    def _served(self) -> bool:
        """Answer the next request; False if there will be none."""
        try:
            asked = ipc.request(self._socket)
        except ipc.Broken as error:
            self._send(error.number, _refused(Refused(400, "this request", f"it makes no sense: {error}")))
            return True
        if asked is None:
            return False
        number, request = asked
        self._send(number, self._answer(request))
        return True

    def _send(self, number: int, answer: Answer) -> None:
        body = answer.body.encode("utf-8", "surrogatepass")
        try:
            said = ipc.frame(number, ipc.Reply(answer.status, answer.type), body)
        except ipc.TooLong:
            large = _refused(
                Refused(503, "this answer", f"it is too large ({len(body)} bytes)", "ask for less")
            )
            said = ipc.frame(number, ipc.Reply(large.status, large.type), large.body.encode())
        self._socket.sendall(said)

    def _answer(self, request: ipc.Request) -> Answer:
        try:
            if request.ask in self._told_of:
                self._told_of[request.ask](request.given[0][1])
                return Answer(200, "text/plain", "")
            file = self._files.get(request.ask)
            if file is not None:
                return file(request.given)
            row = self._row(request.ask)
            wanted = api.parameters(row.wants, request.given)
            return Answer(200, JSON, api.document(row, self._latest(row.sources).topology, wanted))
        except Refused as problem:
            return _refused(problem)
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            return _refused(Refused(503, "this machine", reason))
        except Exception as error:  # noqa: BLE001 (one question that cannot be answered is not the end of the page)
            if os.environ.get("NSWIRE_DEBUG"):
                traceback.print_exc(file=sys.stderr)
            fault = Refused(
                500, type(error).__name__, f"{error} (this is a fault of nswire)", "NSWIRE_DEBUG=1 tells more"
            )
            return _refused(fault)

    def _row(self, ask: str) -> Row:
        row = self._rows.get(ask)
        if row is None:
            known = ", ".join(name.removeprefix("api/") for name in self._rows)
            raise Refused(404, ask.removeprefix("api/"), "there is no such answer", f"there are: {known}")
        return row

    # -- looking ---------------------------------------------------------------------------------------------------

    def _latest(self, sources: tuple[str, ...] = EAGER, *, now: bool = False) -> Look:
        kept = self._looks.get(sources)
        watching = self._watching
        if kept is not None and not now:
            if watching is None:  # a recording stays what it is
                return kept
            if not watching.changed() and time.monotonic() - kept.taken < FRESH:
                return kept
        self._looks.pop(sources, None)  # before the next one is made: there need not be two
        if watching is None or sources != EAGER:
            made = self._looks[sources] = Look(self._look(sources))
            return made
        begun = time.monotonic()
        watching.looking()
        made = self._looks[sources] = Look(self._look(sources))
        watching.looked(time.monotonic() - begun)
        self._tell(made)
        return made

    def _tell(self, look: Look) -> None:
        """Whoever made us look: those who listen are told if the picture is another one."""
        if self._told and look.state != self._told:
            self._told = look.state
            self._send(0, Answer(200, "changed", look.state))

    def _look_again(self, watching: Watching) -> None:
        try:
            self._latest(now=True)
        except (OSError, ValueError):
            watching.looked(FRESH)  # the next question is told why

    # -- what is no document ---------------------------------------------------------------------------------------

    def _page(self, given: list[tuple[str, str]]) -> Answer:
        page = api.parameters(Page, given)
        look = self._latest()
        wishes, follow = api.paged(look.topology, page)
        scene = picture(look.topology, wishes, follow=follow)
        more = {"state": look.state, "taken": look.topology.taken.time, "live": self._watching is not None}
        return Answer(200, HTML, served(scene, more))

    def _watch(self, _: list[tuple[str, str]]) -> Answer:
        if self._watching is not None:
            self._watching.begin()
        self._told = self._latest().state
        return Answer(200, "state", self._told)

    def _unwatch(self, _: list[tuple[str, str]]) -> Answer:
        if self._watching is not None:
            self._watching.end()
        self._told = ""
        return Answer(200, "state", "")


def _refused(problem: Refused) -> Answer:
    return Answer(problem.status, JSON, api.refusal(problem))


def own(name: str) -> str:
    """A file of `web/page`: our own text."""
    return resources.files("nswire.web").joinpath("page", name).read_text(encoding="utf-8")
