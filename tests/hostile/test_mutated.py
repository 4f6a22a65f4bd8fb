"""A recording may hold anything: every verb answers, or says what is wrong with it; no traceback, no fault of nswire's.

A number of them, however long they take, and none may take long. Each has a number of its own, of which all follows that is
changed in it, so runs over other numbers add up. `make hostile` goes on where it was left until there were a million of the
same commit (NSWIRE_MUTANTS: the file that says how many there were, and what failed).
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from mutants import answers, mutated

import nswire
from nswire.cli import entry
from nswire.host.replay import Recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.lab.lab import Lab

RECORDINGS = sorted((Path(__file__).resolve().parents[1] / "recordings").rglob("*.nsw"))
COUNT, MILLION = 20_000, 1_000_000
LONGEST = 30  # seconds for one of them, on a busy machine
OFTEN = 1000  # after so many it is noted how many there were
USAGE = "--help shows how it is used"  # what was asked is no question at all
SIZE = 2 << 20
RULES = b"""
table inet t {
  set s { type ipv4_addr; elements = { 10.0.0.9, 10.0.0.10 } }
  map m { type inet_service : ipv4_addr; elements = { 80 : 10.0.0.2 } }
  chain i { type filter hook input priority 0; policy accept; ct state established accept; ip saddr @s drop; tcp dport 22 counter jump j; }
  chain j { limit rate 1/second accept; meta mark 5 return; reject; }
  chain n { type nat hook prerouting priority -100; dnat ip to tcp dport map @m; }
}
"""


@pytest.fixture
def tracebacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would be told as a fault of nswire is raised."""
    monkeypatch.setenv("NSWIRE_DEBUG", "1")
    monkeypatch.setenv("COLUMNS", "100")


def asked(recording: Recorded, chance: random.Random) -> list[str]:
    """A verb and its arguments, about something that there is."""
    names = [name.split("/")[1] for name in recording._names if name.endswith("/links")]
    ns = f"net:[{chance.choice(names)}]" if names else "self"
    return chance.choice(
        (
            ["peer"], ["peer", "--json"], ["ls", "--json"], ["ls", "--all"], ["netns"], ["netns", "--json"], ["map"],
            ["map", "-o", "svg"], ["map", "-o", "dot"], ["show", "lo"], ["show", "a0"], ["peer", "web/b0"], ["show", f"{ns}/eth0"], ["peer", ns],
            ["path", "web", "10.0.0.1"], ["path", "self", "10.0.0.2:80", "--json"], ["path", ns, "10.0.0.1"], ["path", ns, "fd00::1", "--json"], ["path", "self", "192.0.2.1", "--proto", "tcp"],
        )
    )  # fmt: skip


@pytest.fixture
def small(lab: Lab, tmp_path: Path) -> dict[str, bytes]:
    """A recording of little, with something of everything that paths ask: most mutants are made of it."""
    ns = lab.namespace("named", "web")
    lab.pair(lab.home, "a0", ns, "b0")
    for where, name, address in ((lab.home, "a0", "10.0.0.1/24"), (ns, "b0", "10.0.0.2/24")):
        rtnl = lab.rtnl(where)
        rtnl.address(rtnl.index(name), address)
        with where.entered():
            subprocess.run(["nft", "-f", "-"], input=RULES, check=False, capture_output=True)
    lab.rtnl(lab.home).set("a0", up=True)
    lab.rtnl(ns).route("default", via="10.0.0.1")
    lab.release()
    nswire.record(tmp_path / "small.nsw")
    with lab.home.entered():
        subprocess.run(["nft", "flush", "ruleset"], check=False, capture_output=True)
    return answers(tmp_path / "small.nsw")


class TooLong(BaseException):
    """One of them does not end. No `Exception`: nobody may take it for an answer."""


@contextmanager
def limit() -> Iterator[None]:
    """What is in here ends, or is ended where it is."""

    def ring(*_: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(LONGEST)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


class Tally:
    """How many there were, and what failed: of this run, or (NSWIRE_MUTANTS) of all runs over one commit."""

    def __init__(self) -> None:
        """The first number is any in a single run, and zero where runs add up."""
        name = os.environ.get("NSWIRE_MUTANTS")
        self._file = Path(name) if name else None
        self.first, self.count, self.most = random.randrange(1 << 30), 0, COUNT
        self.failed: dict[str, str] = {}
        self._of = ""
        if "NSWIRE_SEED" in os.environ:
            self.first = int(os.environ["NSWIRE_SEED"])
        if self._file:
            self._of, self.first, self.most = commit(), 0, MILLION
            if self._file.exists():
                found = json.loads(self._file.read_text())
                if found["commit"] == self._of:
                    self.count, self.failed = found["count"], found["failed"]

    def note(self) -> str:
        """Keep it, and say it."""
        if self._file:
            kept = {"commit": self._of, "count": self.count, "failed": self.failed}
            self._file.write_text(json.dumps(kept))
        return f" {self.count} mutated recordings from number {self.first}, {len(self.failed)} faults "


def commit() -> str:
    """What is tested: nothing adds up over a change, be it committed or not."""
    here = Path(__file__).parent
    words = (["rev-parse", "HEAD"], ["diff", "HEAD"])
    said = "".join(
        subprocess.run(
            ["git", "-c", "safe.directory=*", *word], cwd=here, capture_output=True, text=True, check=True
        ).stdout
        for word in words
    )
    return hashlib.sha256(said.encode()).hexdigest()


def fault(recording: Recorded, words: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Where nswire fails at it, and how; empty: it does not."""
    with monkeypatch.context() as patch:
        patch.setattr(Recorded, "open", lambda *_, **__: recording)
        try:
            with limit():
                status = entry._run([*words, "--from", "x"])
        except (Exception, TooLong) as error:  # noqa: BLE001 (this is what is looked for)
            frames = [
                frame for frame in traceback.extract_tb(error.__traceback__) if "/nswire/" in frame.filename
            ]
            place = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[:-4:-1])
            return f"{type(error).__name__} at {place}", str(error)
    return ("", "") if status in (0, 1, 2, 3) else (f"status {status}", "")


@pytest.mark.usefixtures("tracebacks")
def test_no_recording_is_a_fault_of_nswire(
    small: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The number is printed with what fails."""
    sound = [
        found for file in RECORDINGS if (found := answers(file)) and sum(map(len, found.values())) < SIZE
    ]
    assert sound
    kinds = [*sound, *[small] * 100]
    tally = Tally()
    while tally.count < tally.most:
        number = tally.first + tally.count
        chance = random.Random(number)
        recording = mutated(kinds[number % len(kinds)], chance)
        words = asked(recording, chance)
        where, how = fault(recording, words, monkeypatch)
        if where:
            tally.failed.setdefault(where, f"number {number}: {words}: {how}"[:300])
        assert USAGE not in capsys.readouterr().err, words
        tally.count += 1
        if not tally.count % OFTEN:
            said = tally.note()
            if tally.most > COUNT:
                with capsys.disabled():
                    sys.stdout.write(said + "\n")
    with capsys.disabled():
        sys.stdout.write(tally.note())
    assert not tally.failed, "\n".join(f"{what} ({when})" for what, when in tally.failed.items())
