"""What comes in is what it claims to be, or nothing."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from errno import EBADMSG, ENOENT

import pytest

import nswire
from nswire.codec import checked, host_info, procfs
from nswire.codec.netlink.framing import split
from nswire.errors import NetlinkError
from nswire.host.replay import Recorded
from nswire.host.system import Refusal


@pytest.mark.parametrize("word", ["²", "-1", "", " 1", "1_0", "٣", "1" * 11])
def test_what_is_no_number(word: str) -> None:
    """`str.isdigit` takes some of these for one, and `int` others."""
    assert not checked.is_decimal(word)


def test_rows_with_numbers_that_are_none() -> None:
    """A row of these is left out, the others are read."""
    text = "² 3 net:[1]\n1 ² net:[1]\n7 3 net:[9]".encode()
    assert [tuple(row) for row in procfs.table(text)] == [(7, 3, 9)]
    taps = "1 2 tap:² aa:bb:cc:dd:ee:ff t0\n1 3 tap:5 aa:bb:cc:dd:ee:ff t0".encode()
    assert [row.fd for row in procfs.taps(taps)] == [3]


@pytest.mark.parametrize("answer", [b"\xff", b'"\xed\xa0\x80"', b"[" * 100_000, b"", b"[1]"])
def test_what_is_no_document(answer: bytes) -> None:
    """Whatever is wrong with it, it is one error."""
    with pytest.raises(ValueError, match=r"."):
        checked.document(answer, dict[str, str])
    with pytest.raises(ValueError, match="does not say who it is"):
        host_info.decode(answer)


@pytest.mark.parametrize(("code", "errno"), [(-ENOENT, ENOENT), (-4096, EBADMSG), (-(1 << 31), EBADMSG)])
def test_an_errno_is_one(code: int, errno: int) -> None:
    """From netlink."""
    with pytest.raises(NetlinkError) as raised:
        split(struct.pack("=IHHIIi", 20, 2, 0, 0, 0, code))
    assert raised.value.errno == errno


@pytest.mark.parametrize("number", [0, -1, 4096, 1 << 70])
def test_an_errno_of_a_manifest(number: int) -> None:
    """And from a recording, whose scan it must not end."""
    who = json.dumps({"home": 5, "pid": 1}).encode()
    recording = Recorded.fake({"host/about": who}, {"host/processes": (number, "read")})
    assert recording.host("processes") == Refusal(EBADMSG, "read")
    assert nswire.scan(recording).gaps


@pytest.mark.parametrize("cookie", [b"", b"1", bytes(7), b"x" * 4000])
def test_a_cookie_has_eight_bytes(cookie: bytes) -> None:
    """Another one is none."""
    done = struct.pack("=IHHIIi", 20, 3, 2, 0, 0, 0)
    who = json.dumps({"home": 5, "pid": 1}).encode()
    answers = {"host/about": who, "netns/5/cookie": cookie, "netns/5/links": done, "netns/5/addresses": done}
    assert nswire.scan(Recorded.fake(answers)).namespaces[5].cookie is None


@pytest.mark.parametrize(
    "words", [["--proto", "²"], ["--mark", "-1"], ["--mark", "²"], ["--mark", "0x100000000"]]
)
def test_what_is_typed(words: list[str]) -> None:
    """A clear error, before anything is looked at."""
    command = [sys.executable, "-m", "nswire", "path", "self", "127.0.0.1", *words]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "fault" not in ran.stderr
    assert "Traceback" not in ran.stderr
