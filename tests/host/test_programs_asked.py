"""Programs that hang, print without end, fail or are not there: an answer in time, and nothing left of them."""

from __future__ import annotations

import errno
import os
import time
from typing import TYPE_CHECKING

import pytest

from nswire.host import firewall_tools

if TYPE_CHECKING:
    from pathlib import Path

SOON = 10.0  # seconds, in which any of these has to come back; the limit of the program itself is far less
SCRIPTS = {
    "fine": ("printf '*filter\\n'", 0),
    "fails": ("echo something; exit 3", errno.EIO),
    "hangs": ("sleep 1000", errno.ETIMEDOUT),
    "leaves somebody behind": ("sleep 1000 & echo $! > pid", errno.ETIMEDOUT),
    "closes its output and hangs": ("exec >&-; sleep 1000", errno.ETIMEDOUT),
    "prints without end": ("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done", errno.EFBIG),
}


@pytest.mark.parametrize("what", SCRIPTS)
def test_whatever_it_does(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounded in time and size, with all that it started."""
    script, refusal = SCRIPTS[what]
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\ncd {tmp_path}\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(firewall_tools, "FOLDERS", os.fspath(tmp_path))
    monkeypatch.setattr(firewall_tools, "SECONDS", 1.0)
    monkeypatch.setattr(firewall_tools, "ANSWER", 1 << 16)
    begin = time.monotonic()
    if not refusal:
        assert firewall_tools.run("program") == b"*filter\n"
        return
    with pytest.raises(OSError, match="program") as refused:
        firewall_tools.run("program")
    assert refused.value.errno == refusal
    assert time.monotonic() < begin + SOON
    if (tmp_path / "pid").exists():
        child = int((tmp_path / "pid").read_text())
        end = time.monotonic() + SOON
        while _lives(child):
            assert time.monotonic() < end, "it left somebody behind"


def _lives(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that is not in one of root's folders is not looked for elsewhere."""
    monkeypatch.setattr(firewall_tools, "FOLDERS", os.fspath(tmp_path))
    with pytest.raises(OSError, match="not installed") as refused:
        firewall_tools.run("sh")
    assert refused.value.errno == errno.ENOPKG
