"""What comes out of a recording is bounded while it comes, whatever it declares; small files and low limits stand for bombs."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from typing import TYPE_CHECKING

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nswire.cli.common import size
from nswire.errors import RecordingError
from nswire.host import archive as room
from nswire.host.archive import Archive
from nswire.host.replay import Recorded

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = json.dumps({"schema": "nswire/recording", "version": 1, "byteorder": sys.byteorder, "refused": {}})
ABOUT = json.dumps({"home": 1, "pid": 1})
LIMIT = 1 << 16


def made(file: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def lying(file: Path, name: bytes, declared: int) -> Path:
    """Declare another size of that member, in the directory and before the member itself."""
    content = bytearray(file.read_bytes())
    for sign, field, at in ((b"PK\x01\x02", 24, 46), (b"PK\x03\x04", 22, 30)):
        found = content.find(sign)
        while found >= 0:
            if content[found + at : found + at + len(name)] == name:
                struct.pack_into("<I", content, found + field, declared)
            found = content.find(sign, found + 1)
    file.write_bytes(content)
    return file


def test_what_is_within_the_limits_comes_out(tmp_path: Path) -> None:
    members = {"a": b"x" * 1000, "b": b"", "c/d": bytes(range(256)) * 100}
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        archive = Archive(made(tmp_path / "x", members, method))
        assert {name: archive.read(name) for name in archive.names()} == members
        archive.close()


@pytest.mark.parametrize("declared", [0, 100, LIMIT - 1, (1 << 32) - 2])
def test_a_size_that_is_declared_is_worth_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, declared: int
) -> None:
    """Too small, and what comes is not taken whole; too large, and nothing is made large for it."""
    monkeypatch.setattr(room, "PIECE", 4096)
    file = lying(made(tmp_path / "x", {"a": bytes(20 * LIMIT)}), b"a", declared)
    archive = Archive(file, LIMIT)
    tracemalloc.start()
    try:
        with pytest.raises(RecordingError, match=r"damaged|unpacks to more than"):
            archive.read("a")
        assert tracemalloc.get_traced_memory()[1] < 8 * LIMIT
    finally:
        tracemalloc.stop()
        archive.close()


def test_the_limit_is_on_all_that_comes_out_and_counts_it_once(tmp_path: Path) -> None:
    members = {f"{number}": bytes(LIMIT // 4) for number in range(5)}
    archive = Archive(made(tmp_path / "x", members), LIMIT)
    for _ in range(3):
        for name in "0123":
            archive.read(name)
    with pytest.raises(RecordingError, match="more than 65536 bytes comes out of it"):
        archive.read("4")
    assert archive.read("0") == members["0"]
    archive.close()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods_are_refused(tmp_path: Path, method: int) -> None:
    archive = Archive(made(tmp_path / "x", {"a": b"x"}, method))
    with pytest.raises(RecordingError, match="packed in a way that nswire never uses"):
        archive.read("a")
    archive.close()


def test_too_many_members_are_refused_before_the_first_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted by what begins each entry, also where two pieces of the file meet; the number at its end may be any."""
    file = made(tmp_path / "x", dict.fromkeys(map(str, range(10)), b""))
    monkeypatch.setattr(room, "MEMBERS", 9)
    monkeypatch.setattr(zipfile, "ZipInfo", None)
    for piece in (5, 7, 64, 1 << 18):
        monkeypatch.setattr(room, "PIECE", piece)
        with pytest.raises(RecordingError, match="more than 9 members"):
            Archive(file)


@pytest.mark.parametrize(
    ("packed", "most", "largest"),
    [(1, 64, 16), (1000 << 10, 195, 19), (10 << 20, 2000, 200), (1 << 30, 2048, 256)],
)
def test_the_limits_follow_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: int, most: int, largest: int
) -> None:
    """In MiB; the file is made larger by a hole."""
    file = made(tmp_path / "x", {"a": b""})
    content = file.read_bytes()
    with file.open("wb") as sparse:
        sparse.truncate(max(0, packed - len(content)))
        sparse.seek(0, io.SEEK_END)
        sparse.write(content)
    monkeypatch.setattr(room, "_count", lambda _: None)  # a GiB of nothing takes its time
    archive = Archive(file)
    assert (archive.most >> 20, archive._largest >> 20) == (most, largest)
    archive.close()


def test_somebody_may_say_otherwise(tmp_path: Path) -> None:
    """`--max-size`, on the command line too; the answer to a limit names it."""
    file = made(tmp_path / "x.nsw", {"manifest.json": MANIFEST.encode(), "host/about": ABOUT.encode(), "host/processes": b" " * (17 << 20)})  # fmt: skip
    with pytest.raises(RecordingError, match=r"unpacks to more than 16 MiB.*--max-size says otherwise"):
        Recorded.open(file).host("processes")
    assert Recorded.open(file, 64 << 20).host("processes") == b" " * (17 << 20)
    command = [sys.executable, "-m", "nswire", "ls", "--from", str(file)]
    for more, status in ((["--max-size", "64M"], 0), ([], 2)):
        done = subprocess.run([*command, *more], capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
        assert (not status) or "--max-size says otherwise" in done.stderr


def test_sizes_in_words() -> None:
    context, option = click.Context(click.Command("x")), click.Option(["--max-size"])
    for text, value in (
        ("4096", 4096),
        ("1k", 1 << 10),
        ("64M", 64 << 20),
        ("2g", 2 << 30),
        ("9" * 30 + "G", sys.maxsize),
    ):
        assert size(context, option, text) == value
    for wrong in ("0", "-1", "²", "4X", "M", "", " 1", "1 G", "k1"):
        with pytest.raises(click.BadParameter, match="no number of bytes"):
            size(context, option, wrong)


@given(content=st.binary(max_size=400))
def test_noise_is_refused_in_words(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.mktemp("noise") / "x"
    file.write_bytes(content)
    with pytest.raises(RecordingError):
        Archive(file)
