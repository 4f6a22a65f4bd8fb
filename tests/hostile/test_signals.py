"""However nswire is ended, and whenever: no traceback, no half-written file, a status that a shell understands."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nswire.host import atomic_write
from nswire.host.live import Live
from nswire.host.system import Door, Errand, Question

if TYPE_CHECKING:
    from collections.abc import Callable

NSWIRE = [sys.executable, "-m", "nswire"]
LONGEST = 0.8  # seconds after its first instruction in which a signal is sent
HERE = int(os.environ.get("NSWIRE_HOSTILE", "1"))  # times as many
CAUGHT = {signal.SIGINT: (0, 130, -signal.SIGINT), signal.SIGTERM: (0, -15, 143), signal.SIGHUP: (0, -1, 129)}


def begun(process: subprocess.Popen[bytes]) -> bool:
    """True when our first instruction has run: Python's own start shows a traceback, and nothing of ours is to blame.

    Python catches SIGINT, and the first thing that nswire does is not to.
    """
    seen = False
    while process.poll() is None:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        caught = next((int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:")), 0)
        catches = bool(caught >> (signal.SIGINT - 1) & 1)
        if seen and not catches:
            return True
        seen = seen or catches
    return False


@pytest.mark.usefixtures("private_host")
def test_signals_at_random_moments(tmp_path: Path, rounds: Callable[[int], int]) -> None:
    """While modules are loaded, namespaces visited, files written."""
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    folder = tmp_path / "out"
    folder.mkdir()
    verbs = (["record", str(folder / "one.nsw")], ["ls"], ["netns"], ["map", "-o", str(folder / "one.svg")])
    for number in range(rounds(24) * HERE):
        sent = chance.choice(list(CAUGHT))
        with subprocess.Popen(
            [*NSWIRE, *verbs[number % len(verbs)]], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            if begun(process):
                try:
                    process.wait(chance.uniform(0, LONGEST))
                except subprocess.TimeoutExpired:
                    process.send_signal(sent)
            _, said = process.communicate(timeout=30)
        assert b"Traceback" not in said, f"seed {seed}, round {number}: {said.decode()}"
        assert process.returncode in CAUGHT[sent], f"seed {seed}, round {number}: {said.decode()}"
        left = sorted(name for name in os.listdir(folder) if name not in ("one.nsw", "one.svg"))
        assert not left, f"seed {seed}, round {number}"


def test_what_is_ignored_stays_so() -> None:
    """`nohup`, or a script that starts us in the background."""
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); sys.argv = ['nswire', '--version']\n"
        "import atexit; atexit.register(lambda: print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN))\n"
        "from nswire.start import main; main()"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.endswith("True\n")


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_a_half_written_file(tmp_path: Path, named: bool, sent: signal.Signals) -> None:  # noqa: FBT001
    """It is not there, or not in the place of the one before; also where the file system has no files without names."""
    file = tmp_path / "one"
    file.write_text("before")
    code = (
        "import os, sys; from nswire.host import atomic_write\n"
        + ("os.O_TMPFILE = os.O_DIRECTORY | os.O_CREAT\n" if named else "")
        + "with atomic_write.replacing(sys.argv[1], private=True) as raw:\n"
        "    raw.write(b'half'); raw.flush(); print(flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"\n"
        assert len(os.listdir(tmp_path)) == 1 + named
        process.send_signal(sent)
        process.wait()
    assert os.listdir(tmp_path) == ["one"]
    assert file.read_text() == "before"


def test_a_whole_file(tmp_path: Path) -> None:
    """New, and in the place of another; readable by its owner, or as the umask has it."""
    for private, mode in ((True, 0o600), (False, 0o666 & ~atomic_write._umask())):
        file = tmp_path / f"x{mode}"
        for text in (b"one", b"two"):
            with atomic_write.replacing(file, private=private) as raw:
                raw.write(text)
            assert file.read_bytes() == text
            assert file.stat().st_mode & 0o777 == mode
    assert len(os.listdir(tmp_path)) == 2
    with (
        pytest.raises(OSError, match="No such file"),
        atomic_write.replacing(tmp_path / "none/x", private=True),
    ):
        pass


def test_no_thread_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's fault, and not nswire's."""

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    inode = os.stat("/proc/thread-self/ns/net").st_ino
    errand = Errand(Door(inode, 0, ()), (Question("x", b"", by="cookie"),))
    with pytest.raises(OSError, match="no thread may be started") as raised:
        Live().visit([errand], lambda *_: None)
    assert raised.value.errno == errno.EAGAIN
