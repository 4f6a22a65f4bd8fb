"""Objects that never answer: a look ends all the same, says whose they are, and asks no second time.

The stand-ins are ours: an operation that opens a pipe which nobody writes, where the real one would touch the object.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from errno import ETIMEDOUT
from typing import TYPE_CHECKING

import pytest
from standins import never

import nswire
from nswire.host import apart
from nswire.host.live import Live
from nswire.host.replay import Recorded
from nswire.host.system import Door, Errand, Question, Refusal
from nswire.sources import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nswire.lab.lab import Lab

ENOUGH = 5.0  # seconds, on a machine that has other things to do


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What did not answer in one test is unknown in the next; what was left behind is ended."""
    yield
    apart._silent.clear()
    apart._silent_paths.clear()
    for pid in apart._left:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    apart._left.clear()


@pytest.fixture
def pipe(tmp_path: Path) -> str:
    """A pipe that nobody writes: opening it waits for ever."""
    os.mkfifo(tmp_path / "pipe")
    return str(tmp_path / "pipe")


@contextmanager
def sleeper() -> Iterator[int]:
    """A process with something open."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process.pid
        process.communicate()


@pytest.mark.usefixtures("private_host")
def test_a_look_ends_and_says_who_did_not_answer(pipe: str, tmp_path: Path) -> None:
    """Also in a recording of it; and what another process holds is found as ever."""
    with sleeper() as pid:
        begun = time.monotonic()
        system = Live(foreign=never(pipe, pid))
        topology = nswire.scan(system, ALL)
        took = time.monotonic() - begun
        gaps = {(gap.where, gap.what): gap.why for gap in topology.gaps}
        for what in ("fds", "sockets"):
            assert gaps[f"pid {pid}", f"namespaces held only by their {what}"] == "it did not answer"
        assert not [where for where, _ in gaps if where.startswith("the processes")]
        assert took < ENOUGH
        nswire.record(tmp_path / "one.nsw", system)
        again = nswire.scan(Recorded.open(tmp_path / "one.nsw"), ALL)
        assert f"pid {pid}" in {gap.where for gap in again.gaps}


def test_what_did_not_answer_is_not_tried_again(pipe: str) -> None:
    """Not by the same system, nor by the next one in this process; a process that gets that pid later is."""
    with sleeper() as pid:
        assert Live(foreign=never(pipe, pid)).host(f"process/{pid}") == Refusal(ETIMEDOUT, "read")
        begun = time.monotonic()
        other = Live(foreign=never(pipe, pid))
        rows = other.host("fds")
        assert isinstance(rows, bytes)
        assert f"{pid} - !{ETIMEDOUT}" in rows.decode().split("\n")
        assert other.host(f"process/{pid}") == Refusal(ETIMEDOUT, "read")
        assert time.monotonic() - begun < apart.PATIENCE
        assert apart._silent[pid] > 0, "when it was started is known"
        apart._silent[pid] -= 1
        assert isinstance(Live().host(f"process/{pid}"), bytes)


def test_many_that_do_not_answer_cost_no_more_than_that(pipe: str) -> None:
    """Two seconds are lost at most; what is left out then is told."""
    with sleeper() as one, sleeper() as two, sleeper() as three, sleeper() as four, sleeper() as five:
        pids = (one, two, three, four, five)
        apart_of = Live(foreign=never(pipe, *pids))
        for _ in range(4):
            begun = time.monotonic()
            rows = apart_of.host("sockets")
            assert time.monotonic() - begun < ENOUGH
        assert isinstance(rows, bytes)
        for pid in pids:
            assert f"{pid} - !{ETIMEDOUT}" in rows.decode().split("\n")


def test_children_that_cannot_be_killed_are_counted(pipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are never waited for, and there are never more than eight; then it is a gap, and no child is started."""
    monkeypatch.setattr(apart, "PATIENCE", 0.1)
    monkeypatch.setattr(apart, "ALTOGETHER", 100.0)
    monkeypatch.setattr(os, "kill", lambda *_: None)
    with sleeper() as pid:
        made = never(pipe, pid)
        for _ in range(apart.MOST):
            apart._silent.clear()
            assert Live(foreign=made).host(f"process/{pid}") == Refusal(ETIMEDOUT, "read")
        assert len(apart._left) == apart.MOST
        begun = time.monotonic()
        topology = nswire.scan(Live(foreign=made), ALL)
        assert time.monotonic() - begun < ENOUGH
        assert {gap.why for gap in topology.gaps if gap.what == "namespaces held by open descriptors"} == {
            os.strerror(ETIMEDOUT)
        }
        assert len(apart._left) == apart.MOST
    monkeypatch.undo()


@pytest.mark.parametrize("threads", [False, True])
def test_a_pipe_that_nobody_writes(pipe: str, threads: bool) -> None:  # noqa: FBT001
    """The real thing, by a copy of this process and by a program: a way that was swapped for a pipe is refused at once."""
    stop = threading.Event()
    other = threading.Thread(target=stop.wait)
    if threads:
        other.start()
    try:
        found: list[object] = []
        begun = time.monotonic()
        door = Door(1, 0, (("path", 0, pipe), ("mount", 1, pipe), ("socket", os.getpid(), "0")))
        Live().visit([Errand(door, (Question("x", b"", by="cookie"),))], lambda _, said: found.extend(said))
        assert isinstance(found[0], Refusal)
        assert found[0].errno != ETIMEDOUT, "it was not even opened"
        assert time.monotonic() - begun < ENOUGH
    finally:
        stop.set()
        if threads:
            other.join()


def test_a_visit_whose_way_never_answers(pipe: str, lab: Lab) -> None:
    """The way is given up, the next one is taken; without one, the gap names the process."""
    ns = lab.namespace("mounted-elsewhere")
    assert ns.child is not None
    lab.pair(lab.home, "a0", ns, "b0")
    lab.release()
    begun = time.monotonic()
    topology = nswire.scan(Live(foreign=never(pipe, ns.child.pid)))
    assert time.monotonic() - begun < ENOUGH
    assert f"pid {ns.child.pid}" in {gap.where for gap in topology.gaps}
    assert nswire.scan(Live()).link("a0").peer or apart._silent


@pytest.mark.usefixtures("private_host")
@pytest.mark.needs("unshare", "mount")
def test_the_text_of_a_link_is_believed_in_nothing() -> None:
    """A file called like a tun device is not copied, nor asked: the kernel says that it is none."""
    names = ("/dev/net/tun", "/dev/tap7", "/dev/vhost-net")
    script = "mount -t tmpfs x /dev; mkdir /dev/net; " + "".join(
        f": > {name}; exec {fd}<{name}; " for fd, name in enumerate(names, 3)
    )
    program = ["unshare", "-m", "sh", "-c", f"{script} echo; exec cat"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"\n"
        assert os.readlink(f"/proc/{process.pid}/fd/3") == names[0]
        for question in ("taps", "sockets", "fds"):
            rows = Live().host(question)
            assert isinstance(rows, bytes)
            assert not [row for row in rows.split(b"\n") if row.startswith(b"%d " % process.pid)]
        process.communicate()
