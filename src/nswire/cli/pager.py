"""A pager, as git has it: on a terminal, one that ends by itself if all fits on a screen; none in a pipe, none if it cannot be started."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import signal
import sys
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

USUAL = "less"
OPTIONS = {
    "LESS": "FRX",
    "LV": "-c",
}  # one screen needs no pager, colours pass, the screen is not cleared; as git


def command() -> list[str]:
    """The pager that is wanted; empty: none."""
    chosen = os.environ.get("NSWIRE_PAGER")
    if chosen is None:
        chosen = os.environ.get("PAGER") or USUAL
    try:
        words = shlex.split(chosen)
    except ValueError:
        return []
    return [] if words == ["cat"] or os.environ.get("TERM", "dumb") == "dumb" else words


@contextlib.contextmanager
def paged() -> Iterator[IO[str]]:
    """Where text goes: stdout, or a pager before it. It is waited for, whatever happens: it has the terminal."""
    words = command() if sys.stdout.isatty() else []
    pager = _started(words) if words else None
    if pager is None or pager.stdin is None:
        yield sys.stdout
        return
    sys.stdout.flush()
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    out = io.TextIOWrapper(pager.stdin, encoding=encoding, errors="backslashreplace")
    before = signal.getsignal(signal.SIGPIPE)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # it may be left before the end
    try:
        with contextlib.suppress(BrokenPipeError):
            yield out
    finally:
        with contextlib.suppress(BrokenPipeError):
            out.close()
        _wait(pager)
        signal.signal(signal.SIGPIPE, before)


def _started(words: list[str]) -> subprocess.Popen[bytes] | None:
    """The pager. As root it may start no shell and write no file (less: LESSSECURE)."""
    import subprocess  # only where there is a terminal: its import takes a while

    secure = {"LESSSECURE": "1"} if os.geteuid() == 0 else {}
    environment = {**OPTIONS, **os.environ, **secure}
    try:
        return subprocess.Popen(words, stdin=subprocess.PIPE, env=environment)
    except OSError:
        return None


def _wait(pager: subprocess.Popen[bytes]) -> None:
    """Until it has ended. Ctrl-C is its own matter while it has the terminal."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        pager.wait()
    finally:
        signal.signal(signal.SIGINT, before)
