"""`nswire serve` as it is started, spoken to over HTTP by the standard library."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SLOW = 30.0  # seconds that anything may take on a busy machine
SERVE = [sys.executable, "-m", "nswire", "serve"]


class Got(NamedTuple):
    """An answer."""

    status: int
    headers: http.client.HTTPMessage
    text: str


class Served:
    """A running `nswire serve`."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self.log = log
        self.url = self.next_url()
        self.cookie = ""

    def next_url(self) -> str:
        """The next URL that it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port is not None
        return port

    @property
    def front(self) -> int:
        """The process that speaks HTTP."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        (front,) = (pid for pid in children if "web.http_server" in Path(f"/proc/{pid}/cmdline").read_text())
        return int(front)

    @contextmanager
    def asked(
        self, path: str, method: str = "GET", **headers: str
    ) -> Iterator[tuple[http.client.HTTPResponse, http.client.HTTPConnection]]:
        """An answer that may go on."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SLOW)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            given.setdefault("Cookie", self.cookie)
        try:
            connection.request(method, path, headers=given)
            yield connection.getresponse(), connection
        finally:
            connection.close()

    def get(self, path: str, method: str = "GET", **headers: str) -> Got:
        with self.asked(path, method, **headers) as (answer, _):
            return Got(answer.status, answer.msg, answer.read().decode())

    def enter(self) -> Served:
        """Exchange the token for a session."""
        parts = urlsplit(self.url)
        got = self.get(f"/?{parts.query}")
        assert got.status == 200
        found = re.match(r"nswire_\w+=[\w-]+", got.headers["set-cookie"])
        assert found is not None
        self.cookie = found[0]
        return self

    @contextmanager
    def events(self) -> Iterator[Callable[[], tuple[str, str]]]:
        """Listen; each call waits for the next event."""
        with self.asked("/api/v1/events") as (answer, _):
            assert answer.status == 200
            yield lambda: _event(answer.fp)

    def said(self) -> str:
        """What it wrote to stderr until now."""
        return self.log.read_text()

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        status = self.process.wait(SLOW)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status


def _event(lines: IO[bytes]) -> tuple[str, str]:
    """One event of a stream; chunked encoding is looked through, since each event is written as one."""
    found: dict[str, str] = {}
    while True:
        line = lines.readline().decode().strip()
        name, colon, value = line.partition(": ")
        if colon and name:
            found[name] = value.strip('"')
        if "event" in found and "data" in found:
            return found["event"], found["data"]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Start `nswire serve` with these arguments; each ends with the test, by Ctrl-C, and has to end well."""
    with ExitStack() as undo:

        def started(*arguments: str, status: int = 0) -> Served:
            log = tmp_path / "stderr"
            with log.open("w") as err:
                process = subprocess.Popen(
                    [*SERVE, *arguments], stdout=subprocess.PIPE, stderr=err, text=True
                )
            made = Served(process, log)

            def ended() -> None:
                assert made.end() == status, made.said()
                assert "Traceback" not in made.said()

            undo.callback(ended)
            assert made.url, made.said()
            return made

        yield started
