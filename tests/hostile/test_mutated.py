"""A recording may hold anything: every verb answers, or says what is wrong with it; no traceback, no fault of nswire's.

By time and not by number, so that it takes as long here as on a slower machine; `make hostile` takes longer.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import traceback
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from mutants import answers, mutated

import nswire
from nswire.cli import entry
from nswire.host.recorded import Recorded

if TYPE_CHECKING:
    from nswire.lab.truth import Lab

RECORDINGS = sorted((Path(__file__).resolve().parents[1] / "recordings").rglob("*.nsw"))
SECONDS = 30.0 * int(os.environ.get("NSWIRE_HOSTILE", "1"))
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
    ns = f"net:[{chance.choice(names)}]" if names else "home"
    return chance.choice(
        (
            ["peer"], ["peer", "--json"], ["ls", "--json"], ["ls", "--all"], ["netns"], ["netns", "--json"], ["map"],
            ["map", "--format", "svg"], ["map", "--format", "dot"], ["show", "lo"], ["show", "a0"], ["peer", "web/b0"], ["show", f"{ns}/eth0"], ["peer", ns],
            ["path", "web", "10.0.0.1"], ["path", "home", "10.0.0.2:80", "--json"], ["path", ns, "10.0.0.1"], ["path", ns, "fd00::1", "--json"], ["path", "home", "192.0.2.1", "--proto", "tcp"],
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


@pytest.mark.usefixtures("tracebacks")
def test_no_recording_is_a_fault_of_nswire(
    small: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The seed is printed with what fails."""
    seed = int(os.environ.get("NSWIRE_SEED", "0")) or random.randrange(1 << 30)
    chance = random.Random(seed)
    sound = [
        found for file in RECORDINGS if (found := answers(file)) and sum(map(len, found.values())) < SIZE
    ]
    assert sound
    end = time.monotonic() + SECONDS
    count = 0
    failed: dict[str, str] = {}
    for one in cycle([*sound, *[small] * 100]):
        if time.monotonic() > end:
            break
        recording = mutated(one, chance)
        monkeypatch.setattr(Recorded, "open", lambda *_, recording=recording, **__: recording)
        words = asked(recording, chance)
        try:
            status = entry._run([*words, "--from", "x"])
        except Exception as error:  # noqa: BLE001 (this is what is looked for)
            frames = [
                frame for frame in traceback.extract_tb(error.__traceback__) if "/nswire/" in frame.filename
            ]
            place = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[:-4:-1])
            failed.setdefault(f"{type(error).__name__} at {place}", f"round {count}: {words}: {error}"[:300])
        else:
            assert status in (0, 1, 2, 3)
        count += 1
        capsys.readouterr()
    with capsys.disabled():
        sys.stdout.write(f" {count} mutated recordings, seed {seed} ")
    assert not failed, f"seed {seed}: " + "\n".join(f"{what} ({when})" for what, when in failed.items())
