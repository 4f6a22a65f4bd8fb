"""A pager, as git has it: on a terminal alone, and only one that was not switched off."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 60


def on_a_terminal(*args: str, **environment: str) -> tuple[int, str]:
    """The exit status, and what a terminal is shown."""
    master, slave = pty.openpty()
    try:
        done = subprocess.Popen(
            [sys.executable, "-m", "nswire", *args],
            stdin=slave, stdout=slave, stderr=slave,
            env={**os.environ, "TERM": "xterm", "PYTHONUTF8": "1", **environment},
        )  # fmt: skip
        os.close(slave)
        shown, end = b"", time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if not select.select([master], [], [], 1)[0]:
                continue
            try:
                piece = os.read(master, 65536)
            except OSError:  # EIO: nobody has the other side open any more
                break
            if not piece:
                break
            shown += piece
        return done.wait(PATIENCE), shown.decode()
    finally:
        os.close(master)


@pytest.fixture
def pager(tmp_path: Path) -> str:
    """A pager that says that it was there, and in what environment."""
    file = tmp_path / "pager"
    file.write_text('#!/bin/sh\necho "PAGED LESS=$LESS SECURE=$LESSSECURE"; cat\n')
    file.chmod(0o755)
    return str(file)


@pytest.mark.usefixtures("lab")
def test_a_terminal_has_a_pager(pager: str) -> None:
    status, shown = on_a_terminal("ls", "-a", NSWIRE_PAGER=pager, LESS="")
    assert status == 0
    secure = "1" if os.geteuid() == 0 else ""
    assert shown.splitlines()[0] == f"PAGED LESS= SECURE={secure}"
    assert "IFNAME" in shown
    status, shown = on_a_terminal("ls", "-a", PAGER=pager)
    assert (status, shown.splitlines()[0][:5]) == (0, "PAGED")


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize(
    "environment", [{"NSWIRE_PAGER": ""}, {"NSWIRE_PAGER": "cat"}, {"NSWIRE_PAGER": "/nowhere"}]
)
def test_no_pager_where_none_is_wanted_or_there(pager: str, environment: dict[str, str]) -> None:
    status, shown = on_a_terminal("ls", "-a", **{"PAGER": pager, **environment})
    assert (status, "PAGED" in shown, "IFNAME" in shown) == (0, False, True)


@pytest.mark.usefixtures("lab")
def test_no_pager_in_a_pipe(pager: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nswire", "ls", "-a"],
        capture_output=True, text=True, check=True, env={**os.environ, "NSWIRE_PAGER": pager},
    )  # fmt: skip
    assert "PAGED" not in done.stdout


@pytest.mark.usefixtures("lab")
def test_a_pager_that_is_left_early_is_no_failure(tmp_path: Path) -> None:
    """Its exit is that of the reader; what was answered counts."""
    file = tmp_path / "early"
    file.write_text("#!/bin/sh\nexec <&-\n")
    file.chmod(0o755)
    status, shown = on_a_terminal("ls", "-a", "--how", NSWIRE_PAGER=str(file))
    assert (status, shown) == (0, "")
