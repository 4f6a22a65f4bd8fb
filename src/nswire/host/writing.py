"""Files that somebody asked us to write: complete or not at all, and never in the place of anything but a file."""

from __future__ import annotations

import contextlib
import os
import tempfile
from errno import EINVAL
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator


def regular(file: str | Path) -> Path:
    """Where that file really lies. OSError if something else than a file is there: it is not for us to replace."""
    path = Path(os.path.realpath(file))
    if path.exists() and not path.is_file():
        raise OSError(EINVAL, "it is there already, and is no regular file")
    return path


@contextlib.contextmanager
def replacing(file: str | Path, *, private: bool) -> Iterator[BinaryIO]:
    """A new file that takes that file's place when all is written; if that fails, nothing is changed. OSError.

    `private`: readable by its owner alone; else as the umask has it.
    """
    path = regular(file)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as raw:
            if not private:
                os.fchmod(raw.fileno(), 0o666 & ~_umask())
            yield raw
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    """The umask, which can only be read by setting it."""
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def write(file: str | Path, text: str) -> None:
    """Write a text into a file, as the umask has it. OSError."""
    with replacing(file, private=False) as raw:
        raw.write(text.encode("utf-8", "surrogateescape"))
