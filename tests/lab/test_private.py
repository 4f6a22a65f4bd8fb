"""A private host is private, passes the exit status on, and says why when it is refused."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nswire.lab import private, syscalls
from nswire.lab.private import ChildError, PrivateHostError, call_in_private_host
from nswire.lab.rtnl import Rtnl

if TYPE_CHECKING:
    from collections.abc import Iterator


def look() -> dict[str, object]:
    with Rtnl() as rtnl:
        rtnl.bridge("inside")
    return {
        "pid": os.getpid(),
        "uid": os.geteuid(),
        "netns": os.readlink("/proc/self/ns/net"),
        "mnt": os.readlink("/proc/self/ns/mnt"),
        "run": sorted(os.listdir("/run")),
        "named": os.listdir("/run/netns"),
        "links": sorted(os.listdir("/sys/class/net")),
        "processes": [pid for pid in os.listdir("/proc") if pid.isdigit()],
    }


@pytest.mark.parametrize("user", [False, True])
def test_it_has_its_own_links_mounts_and_processes(*, user: bool) -> None:
    if not user and os.geteuid():
        pytest.skip("needs root")
    seen = call_in_private_host(look, user=user)
    assert (seen["pid"], seen["uid"], seen["processes"]) == (1, 0, ["1"])
    assert seen["netns"] != os.readlink("/proc/self/ns/net")
    assert seen["mnt"] != os.readlink("/proc/self/ns/mnt")
    assert (seen["run"], seen["named"]) == (["cgroup", "netns"], [])
    assert seen["links"] == ["inside", "lo"]


def run(body: str, *words: str) -> subprocess.CompletedProcess[str]:
    program = f"import os, sys\nfrom nswire.lab.private import enter_private_host\n{body}"
    return subprocess.run(
        [*words, sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


ENTER = "enter_private_host(user=os.geteuid() != 0)\n"


@pytest.mark.parametrize(
    ("end", "status"),
    [("sys.exit(7)", 7), ("pass", 0), ("os.kill(os.getpid(), 15)", 143), ("1/0", 1)],
)
def test_the_exit_status_is_passed_on(end: str, status: int) -> None:
    done = run(f"print('before')\n{ENTER}print('inside', os.getpid())\n{end}")
    assert done.returncode == status
    assert done.stdout == "before\ninside 1\n"


def test_all_of_it_dies_with_the_process_that_made_it() -> None:
    program = """
import os, time
from nswire.lab.private import enter_private_host
enter_private_host(user=os.geteuid() != 0)
print(os.getpid(), flush=True)
time.sleep(60)
"""
    started = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert started.stdout
    with started.stdout as told:
        assert int(told.readline())
        os.kill(started.pid, signal.SIGKILL)
        # The end of the pipe: nobody holds its other side any more.
        assert told.read() == b""
    started.wait()


def test_an_error_inside_is_told_with_its_traceback() -> None:
    def fail() -> None:
        raise ZeroDivisionError("here")

    with pytest.raises(ChildError, match=r"in fail\n(?s:.*)ZeroDivisionError: here"):
        call_in_private_host(fail)
    with pytest.raises(ChildError, match="exit status 9"):
        call_in_private_host(os._exit, 9)


def test_a_refusal_is_one_sentence_with_a_hint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """On Ubuntu 24.04 the refusal comes as EPERM or EACCES, and the reader needs to know of what."""
    knob = tmp_path / "knob"
    knob.write_text("1\n")

    def refuse(_kinds: int) -> None:
        raise PermissionError(errno.EPERM, "unshare: Operation not permitted")

    monkeypatch.setattr(syscalls, "unshare", refuse)
    monkeypatch.setattr(private, "_KNOBS", ((str(knob), "1", "turn the knob"),))
    with pytest.raises(PrivateHostError, match=r"cannot make a private host: .*not permitted; turn the knob"):
        private.enter_private_host(user=True)
    knob.write_text("0\n")
    with pytest.raises(PrivateHostError, match=r"container|root"):
        private.enter_private_host(user=False)


@pytest.fixture
def chroot(private_host: None, tmp_path: Path) -> Iterator[tuple[str, ...]]:
    """How to run something with a / that is no mount point, but a plain folder of one, with all that is in the real one."""
    del private_host
    if os.geteuid():
        pytest.skip("needs root")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", tmp_path], check=True)
    root = tmp_path / "root"
    root.mkdir()
    for entry in os.scandir("/"):
        inside = root / entry.name
        if entry.is_symlink():
            inside.symlink_to(os.readlink(entry.path))
        elif entry.is_dir():
            inside.mkdir()
            subprocess.run(["mount", "--rbind", entry.path, inside], check=True)
    yield ("chroot", str(root))
    subprocess.run(["umount", "-R", "-l", tmp_path], check=True)


def test_in_a_chroot(chroot: tuple[str, ...]) -> None:
    """It said "Invalid argument; it needs root" to root. What is mounted inside shows nowhere else, and the chroot is one still."""
    body = f"{ENTER}print(sorted(os.listdir('/run')), os.getcwd(), os.stat('/').st_dev, os.stat('/').st_ino)"
    before = Path("/proc/self/mountinfo").read_text()
    done = run(body, *chroot)
    root = os.stat(chroot[1])
    assert (done.stderr, done.stdout) == ("", f"['cgroup', 'netns'] / {root.st_dev} {root.st_ino}\n")
    assert Path("/proc/self/mountinfo").read_text() == before
