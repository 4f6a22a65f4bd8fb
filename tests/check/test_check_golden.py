"""What all rules say of the laboratories of the suite, where nothing is wrong that was not built wrong on purpose.

`make golden` writes it anew: look at each line that is new, since it would be a false alarm on somebody's host.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import path_cases
import pytest
import test_stories
from check_lab import settled

import nswire
from nswire.check import run
from nswire.check.rules import TABLE
from nswire.lab.lab import wait_until
from nswire.lab.mixed_kinds import mixed
from nswire.lab.openstack_demo import blog
from nswire.show.to_documents_check import handle

if TYPE_CHECKING:
    from nswire.check import Report
    from nswire.lab.lab import Lab

GOLDEN = Path(__file__).parent / "golden"
RECORDINGS = sorted((Path(__file__).parents[1] / "recordings").glob("*.nsw"))


def lines(report: Report) -> str:
    """What was found, a line each, and which rules could not be judged everywhere."""
    assert not report.failed, report.failed
    found = [
        f"{one.severity} {one.finding.cause.code} {handle(report.topology, one.finding.subjects[0])}"
        + (f" ({len(one.consequences)} follow)" if one.consequences else "")
        for one in report.found
    ]
    skipped = sorted({f"skipped {one.rule}: {one.gap.what}: {one.gap.why}" for one in report.skipped})
    return "".join(f"{line}\n" for line in (*sorted(found), *skipped))


def agree(name: str, report: Report) -> None:
    """Compare with the file, or write it."""
    file = GOLDEN / f"{name}.txt"
    text = lines(report)
    if os.environ.get("NSWIRE_GOLDEN") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8"), "if that is meant: make golden, and look at it"


@pytest.mark.parametrize("file", RECORDINGS, ids=[file.stem for file in RECORDINGS])
def test_a_recording_of_a_kernel(file: Path) -> None:
    """Every kind of link there is, on kernels from 5.10 up."""
    agree(f"kernel-{file.stem}", run(nswire.load(file), TABLE))


@pytest.mark.parametrize("name", ["line", "bridge", "stories"])
def test_a_laboratory_of_paths(lab: Lab, name: str) -> None:
    """Those in which packets are really sent, and arrive."""
    text = {"line": path_cases.LINE, "bridge": path_cases.BRIDGE, "stories": test_stories.BASE}[name]
    path_cases.build(lab, text)
    settled()
    agree(name, run(nswire.scan(), TABLE))


def test_the_demo(private_host: None) -> None:
    """The network of the blog post."""
    del private_host
    with blog():
        settled()
        agree("demo", run(nswire.scan(), TABLE))


def test_a_mixed_host(private_host: None) -> None:
    """That of the benchmark: veths, macvlans, vxlans, bridges."""
    del private_host
    before = links_at_home()
    with mixed(20).lab:
        settled()
        agree("mixed", run(nswire.scan(), TABLE))
    wait_until(lambda: links_at_home() == before)  # they go after their namespaces, in the kernel's own time


def links_at_home() -> int:
    topology = nswire.scan()
    return topology.count(topology.home)
