"""Files that somebody gives us to read: regular ones of a bounded size, and, where they decide what is told, nobody else's."""

from __future__ import annotations

import os
import stat

from nswire.cli.errors import Failure

MOST = 64 << 20  # bytes
OTHERS = stat.S_IWGRP | stat.S_IWOTH


def bounded(file: str) -> bytes:
    """What is in a file. Failure: it is no regular file, or larger than any that we write."""
    return _read(file)[0]


def trusted(file: str, *, own: bool, needed: bool) -> bytes:
    """What is in a file that root alone may write, or (`own`) who runs this; empty if there is none and none is `needed`. Failure."""
    if not needed and not os.path.lexists(file):
        return b""
    text, found = _read(file)
    if found.st_mode & OTHERS or found.st_uid not in (0, os.geteuid() if own else 0):
        raise Failure(
            file, "others than its reader may write it, so it is not believed", "chmod go-w, chown root"
        )
    return text


def _read(file: str) -> tuple[bytes, os.stat_result]:
    try:
        # a FIFO would have us wait for its writer
        fd = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise Failure(file, error.strerror or str(error)) from None
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        os.close(fd)
        raise Failure(file, "it is no regular file")
    with os.fdopen(fd, "rb") as opened:
        text = opened.read(MOST + 1)
    if len(text) > MOST:
        raise Failure(file, f"it is larger than {MOST >> 20} MiB")
    return text, found
