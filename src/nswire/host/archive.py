"""The zip of a recording, read as what it is: a file that anybody may have made.

What a zip declares (sizes, the number of its members) is worth nothing: every limit is on what really comes out of it, in
pieces, and nothing is made large because something says that it is large.

    members          MEMBERS at most
    one member       16 MiB at least, or 20 times the file; never over 256 MiB
    all that is read 64 MiB at least, or 200 times the file; never over 2 GiB, or as somebody says (`--max-size`)
    methods          stored and deflate (APPNOTE.TXT 4.4.5, 0 and 8): what `record` writes; each other one is one more decoder

A recording of 10 000 namespaces has some 370 000 members of 15 bytes each on the average (measured with `lab.big`), and no
more comes out of it than twice the file.
"""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from typing import TYPE_CHECKING, BinaryIO

from nswire.errors import RecordingError

if TYPE_CHECKING:
    from pathlib import Path

MEMBERS = 1 << 20
MEMBER_LEAST, MEMBER_TIMES, MEMBER_MOST = 16 << 20, 20, 256 << 20
LEAST, TIMES, MOST = 64 << 20, 200, 2 << 30
PIECE = 1 << 18  # bytes that are unpacked at a time
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENTRY = b"PK\x01\x02"  # APPNOTE.TXT 4.3.12: each entry of the central directory begins with it
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


class Archive:
    """The members of a zip, each read whole and at once. `most`: bytes that may come out of it; None: as above."""

    def __init__(self, file: str | Path, most: int | None = None) -> None:
        """Raises RecordingError, OSError."""
        self._file = open(file, "rb")  # noqa: SIM115 (it stays open)
        try:
            packed = os.fstat(self._file.fileno()).st_size
            self.most = min(MOST, max(LEAST, TIMES * packed)) if most is None else most
            largest = min(MEMBER_MOST, max(MEMBER_LEAST, MEMBER_TIMES * packed))
            self._largest = largest if most is None else most
            _count(self._file)
            self._zip = zipfile.ZipFile(self._file)
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            self.close()
            if isinstance(error, RecordingError):
                raise
            raise RecordingError(f"it is no zip, or a truncated one ({error})") from None
        except OSError:
            self.close()
            raise
        self._came: set[str] = set()
        self._total = 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self.close()

    def names(self) -> list[str]:
        """The names of the members."""
        return self._zip.namelist()

    def read(self, name: str) -> bytes:
        """What is in that member. KeyError if there is none; RecordingError if it is damaged, or too much."""
        member = self._zip.getinfo(name)
        if member.compress_type not in METHODS:
            raise RecordingError(f"its member {name} is packed in a way that nswire never uses")
        made = io.BytesIO()
        try:
            with self._zip.open(member) as unpacked:
                while piece := unpacked.read(PIECE):
                    made.write(piece)
                    self._bound(name, made.tell())
        except DAMAGED as error:
            if isinstance(error, RecordingError):
                raise
            raise RecordingError(f"its member {name} is damaged ({error})") from None
        if name not in self._came:  # what is read again is not there twice
            self._came.add(name)
            self._total += made.tell()
        return made.getvalue()

    def _bound(self, name: str, size: int) -> None:
        if size > self._largest:
            raise RecordingError(
                f"its member {name} unpacks to more than {_words(self._largest)}: no answer is that large{RAISE}"
            )
        if self._total + size > self.most and name not in self._came:
            raise RecordingError(
                f"more than {_words(self.most)} comes out of it: no recording of that size holds as much{RAISE}"
            )


RAISE = "; --max-size says otherwise"


def _words(size: int) -> str:
    return f"{size >> 20} MiB" if size >> 20 else f"{size} bytes"


def _count(file: BinaryIO) -> None:
    """Refuse too many members before anything is made of the first: zipfile makes an object of each."""
    found, rest = 0, b""
    while piece := file.read(PIECE):
        text = rest + piece
        found += text.count(ENTRY)
        rest = text[-len(ENTRY) + 1 :]
        if found > MEMBERS:
            raise RecordingError(f"it has more than {MEMBERS} members: no recording has as many")
    file.seek(0)
