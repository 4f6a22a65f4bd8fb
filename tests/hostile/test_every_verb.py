"""Every verb ends beside objects that never answer, and says whose they are: nswire itself, run as a program.

Sixteen runs: seven verbs and a request to `serve`, each where all namespaces are found at a glance, and where one is held by
nothing but somebody's descriptor, so that those of every process are looked through. See standins.py.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import nswire
from nswire.host.replay import Recorded
from nswire.lab.lab import Lab
from nswire.sources import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 10.0  # seconds that a run may take
MANY = 3  # processes whose objects never answer
TOKEN = "one-that-is-long-enough"
VERBS: dict[str, list[str]] = {
    "peer": ["peer", "--json"],
    "ls": ["ls", "--all", "--json"],
    "netns": ["netns", "--json"],
    "show": ["show", "a0", "--json"],
    "map": ["map", "--json"],
    "path": ["path", "web", "10.0.0.1", "--json"],
}
LOOK_EVERYWHERE = {"netns", "record"}  # whatever links lead to


class Beside(NamedTuple):
    """What each run is beside."""

    command: list[str]
    pids: tuple[int, ...]
    hidden: bool
    folder: Path

    def run(self, *words: str) -> str:
        """What nswire prints. It ends in time, and well."""
        ran = subprocess.run(
            [*self.command, *words], capture_output=True, text=True, timeout=LONGEST, check=False
        )
        assert ran.returncode == 0, ran.stderr
        assert "Traceback" not in ran.stderr
        return ran.stdout

    def check(self, gaps: dict[str, str], *, everywhere: bool) -> None:
        """Whoever was asked in vain is named, and nobody is where nobody had to be asked."""
        silent = {where for where, why in gaps.items() if why == "it did not answer"}
        asked = self.hidden or everywhere
        assert silent == ({f"pid {pid}" for pid in self.pids} if asked else set())


@pytest.fixture(params=[False, True], ids=["at a glance", "by descriptors"])
def beside(request: pytest.FixtureRequest, private_host: None, tmp_path: Path) -> Iterator[Beside]:
    """A host, and processes of which nothing answers."""
    del private_host
    os.mkfifo(tmp_path / "pipe")
    with ExitStack() as undo:
        lab = undo.enter_context(Lab())
        web = lab.namespace("named", "web")
        lab.pair(lab.home, "a0", web, "b0")
        for where, name, address in ((lab.home, "a0", "10.0.0.1/24"), (web, "b0", "10.0.0.2/24")):
            lab.rtnl(where).address(lab.rtnl(where).index(name), address)
        if request.param:
            lab.pair(lab.home, "h0", lab.namespace("descriptor"), "h1")
        lab.release()
        pids = []
        for _ in range(MANY):
            process = undo.enter_context(
                subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            )
            undo.callback(process.communicate)
            pids.append(process.pid)
        standins = str(Path(__file__).with_name("standins.py"))
        command = [sys.executable, standins, str(tmp_path / "pipe"), ",".join(map(str, pids))]
        yield Beside(command, tuple(pids), request.param, tmp_path)


def gaps_in(document: str) -> dict[str, str]:
    """Where something could not be seen, and why."""
    return {gap["where"]: gap["why"] for gap in json.loads(document)["gaps"]}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_ends(beside: Beside, verb: str) -> None:
    beside.check(gaps_in(beside.run(*VERBS[verb])), everywhere=verb in LOOK_EVERYWHERE)


def test_a_recording_is_made_and_says_the_same(beside: Beside) -> None:
    beside.run("record", str(beside.folder / "one.nsw"))
    topology = nswire.scan(Recorded.open(beside.folder / "one.nsw"), ALL)
    beside.check({gap.where: gap.why for gap in topology.gaps}, everywhere=True)


def test_a_request_to_serve_is_answered(beside: Beside) -> None:
    """Its worker has threads: what touches the objects is a program of its own there, not a copy."""
    command = [*beside.command, "serve", "--token", TOKEN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().partition("?")[0].strip()
            begun = time.monotonic()
            request = urllib.request.Request(
                f"{url.rstrip('/')}/api/v1/peer", headers={"Authorization": f"Bearer {TOKEN}"}
            )
            with urllib.request.urlopen(request, timeout=LONGEST) as answer:
                gaps = gaps_in(answer.read())
            assert time.monotonic() - begun < LONGEST
        finally:
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=LONGEST)
    assert "Traceback" not in said
    beside.check(gaps, everywhere=False)
