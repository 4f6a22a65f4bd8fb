"""Files that somebody asked us to write: complete or not at all, and never in the place of anything but a file."""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import signal
import tempfile
import threading
from errno import EINVAL, EISDIR, ENOENT, EOPNOTSUPP
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a file system, or a kernel before 3.11, says that has no files without names; ENOENT also where the folder is not there.
NO_TMPFILE = (EOPNOTSUPP, EISDIR, ENOENT, EINVAL)
ENDING = (signal.SIGTERM, signal.SIGHUP)


def regular(file: str | Path) -> Path:
    """Where that file really lies. OSError if something else than a file is there: it is not for us to replace."""
    path = Path(os.path.realpath(file))
    if path.exists() and not path.is_file():
        raise OSError(EINVAL, "it is there already, and is no regular file")
    return path


@contextlib.contextmanager
def replacing(file: str | Path, *, private: bool) -> Iterator[BinaryIO]:
    """A new file that takes that file's place when all is written; if that fails, nothing is changed. OSError.

    It has no name until then (O_TMPFILE), so whatever ends us leaves nothing behind. `private`: readable by its owner alone;
    else as the umask has it.
    """
    path = regular(file)
    try:
        handle = os.open(path.parent, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in NO_TMPFILE:
            raise
        with _named(path, private=private) as raw:
            yield raw
        return
    with os.fdopen(handle, "wb") as raw:
        _share(raw, private=private)
        yield raw
        raw.flush()
        with _undisturbed():
            _name(raw.fileno(), path)


def _name(fd: int, path: Path) -> None:
    """Give a file without a name that one, in the place of what has it."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # with a folder it is linkat(AT_SYMLINK_FOLLOW), which is how such a file gets a name: see open(2)
        link = functools.partial(os.link, f"/proc/self/fd/{fd}", src_dir_fd=folder, dst_dir_fd=folder)
        try:
            link(path.name)
        except FileExistsError:
            other = f".{path.name[:200]}.{os.getpid()}.{secrets.token_hex(4)}"
            link(other)
            os.rename(other, path.name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def _named(path: Path, *, private: bool) -> Iterator[BinaryIO]:
    """The same on a file system that has no files without names: what ends us by SIGTERM or SIGHUP removes it."""
    with _ended_by_exception():
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as raw:
                _share(raw, private=private)
                yield raw
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def _ended_by_exception() -> Iterator[None]:
    """Signals that would end us at once raise SystemExit; not in other threads, where none can be caught."""

    def end(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    before = {}
    if threading.current_thread() is threading.main_thread():
        for one in ENDING:
            if signal.getsignal(one) == signal.SIG_DFL:
                before[one] = signal.signal(one, end)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Signals wait for a moment."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (*ENDING, signal.SIGINT))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _share(raw: BinaryIO, *, private: bool) -> None:
    if not private:
        os.fchmod(raw.fileno(), 0o666 & ~_umask())


def _umask() -> int:
    """The umask, which can only be read by setting it."""
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def write(file: str | Path, text: str) -> None:
    """Write a text into a file, as the umask has it. OSError."""
    with replacing(file, private=False) as raw:
        raw.write(text.encode("utf-8", "surrogateescape"))
