"""What a container can make us read is bounded, and what it takes is not taken from the others."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from labs import hostile

import nswire
from nswire.discover import scan_state
from nswire.host import budget, descriptors, firewall_tools, netns_worker
from nswire.host.budget import Budget
from nswire.host.live import Live
from nswire.model.reasons import Cause
from nswire.path import branching, trace
from nswire.path.values import Flow

if TYPE_CHECKING:
    from pathlib import Path

    from nswire.lab.lab import Lab


def script(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """A program `nft` that does that."""
    file = folder / "nft"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    monkeypatch.setattr(firewall_tools, "FOLDERS", f"{folder}:{firewall_tools.FOLDERS}")


def refused(share: Budget | None) -> int | None:
    """With which errno the program is refused."""
    try:
        firewall_tools.run("nft", budget=share)
    except OSError as error:
        return error.errno
    return None


@pytest.mark.parametrize("home", [False, True])
def test_a_program_that_prints_without_end(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    home: bool,  # noqa: FBT001
) -> None:
    """It is ended, with what it started, at home too."""
    monkeypatch.setattr(firewall_tools, "ANSWER", 1 << 20)
    script(tmp_path, monkeypatch, "yes yes yes yes yes yes yes yes | cat")
    assert refused(None if home else Budget()) == errno.EFBIG


def test_a_program_that_takes_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each further one that does gets less, and one that does not is not refused for that."""
    monkeypatch.setattr(budget, "PROGRAMS", 1.0)
    share = Budget()
    script(tmp_path, monkeypatch, "while :; do :; done")
    begun = os.times()
    for _ in range(4):
        assert refused(share) == errno.ETIMEDOUT
    ended = os.times()
    used = ended.children_user + ended.children_system - begun.children_user - begun.children_system
    assert used < 1.0 + 4 * (budget.LEAST + 2 * firewall_tools.OFTEN)
    script(tmp_path, monkeypatch, "echo fine")
    assert refused(share) is None
    assert share.share() < 2 * budget.LEAST


def test_a_program_that_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processor time is not all: it may also do nothing."""
    monkeypatch.setattr(firewall_tools, "SECONDS", 0.2)
    script(tmp_path, monkeypatch, "read x <&2; sleep 1000")
    begun = time.monotonic()
    assert refused(Budget()) == errno.ETIMEDOUT
    assert time.monotonic() - begun < 5


@pytest.mark.needs("ip")
def test_a_namespace_with_more_links_than_are_read(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a gap with the numbers, and the others say what they always said."""
    good = lab.namespace("named", "good")
    lab.pair(lab.home, "good0", good, "eth0")
    hostile(lab, "links", 400)
    lab.release()
    everything = nswire.scan()
    assert len([link for link in everything if link.netns.label == "bad"]) > 400
    monkeypatch.setattr(netns_worker, "ANSWER", 100_000)
    bounded = nswire.scan()
    gaps = {gap.where: gap.why for gap in bounded.gaps if gap.what == "its links"}
    (why,) = gaps.values()
    assert "64 MiB" in why
    assert bounded.link("good0").peer == bounded.link("good/eth0")
    monkeypatch.undo()
    monkeypatch.setattr(budget, "SPACE", 100_000)
    assert nswire.scan(Live()).link("good0").peer, "what all of its answers take is counted, too"
    assert [gap for gap in nswire.scan(Live()).gaps if "64 MiB" in gap.why]


def test_a_process_with_more_descriptors_than_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first ones are looked at, and it is told that there are more."""
    monkeypatch.setattr(descriptors, "MANY", 50)
    code = "import os, sys; [os.dup(0) for _ in range(100)]; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        rows = Live().host("fds")
        assert isinstance(rows, bytes)
        assert f"{process.pid} - !{errno.E2BIG}" in rows.decode().split("\n")
        process.communicate()


def test_a_host_that_changes_faster_than_it_is_read(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """After some seconds it is concluded from what is known, and told."""
    for number in range(3):
        ns = lab.namespace("in-flight")
        lab.pair(lab.home, f"a{number}", ns, "b0")
    lab.release()
    assert nswire.scan().link("a0").peer
    monkeypatch.setattr(scan_state, "LONG", 0)
    short = nswire.scan()
    assert not short.link("a0").peer
    (gap,) = [gap for gap in short.gaps if gap.what == "what only ids of namespaces lead to"]
    assert gap.where == "the whole host"


def test_a_walk_that_takes_too_long(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends as unknown, with the reason, and what was walked already is told."""
    ns = lab.namespace("named", "one")
    lab.pair(lab.home, "a0", ns, "b0")
    for where, name, address in ((lab.home, "a0", "10.0.0.1/24"), (ns, "b0", "10.0.0.2/24")):
        rtnl = lab.rtnl(where)
        rtnl.address(rtnl.index(name), address)
    lab.rtnl(lab.home).set("a0", up=True)
    monkeypatch.setattr(branching, "LONG", 0)
    monkeypatch.setattr(branching, "SOME", 1)
    topology = nswire.scan()
    found = trace(topology, topology.lookups(), topology.home, Flow("10.0.0.2"))
    (way,) = found.forward.ways
    assert way.fate == "unknown"
    assert "path.too_long" in _codes(way.reason)


def _codes(cause: object) -> set[str]:
    """The code of a reason, and of those that led to it."""
    if not isinstance(cause, Cause):
        return set()
    return {cause.code}.union(*(_codes(value) for value in cause.values.values()))
