"""`nswire map`: formats and files, live and from a recording, and what is asked for."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from nswire.cli import entry
from nswire.lab import openstack_demo

if TYPE_CHECKING:
    from nswire.lab.lab import Lab

BLOG = str(Path(__file__).parents[1] / "draw" / "golden" / "blog.nswire")


def run(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "nswire", "map", *args],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONUTF8": "1", **environment},
    )
    assert "Traceback" not in done.stderr
    return done


def test_text_is_the_default() -> None:
    done = run("--from", BLOG)
    assert done.returncode == 0
    assert done.stdout.splitlines()[0].startswith("╔ self ═ vm ")
    assert "\x1b" not in done.stdout
    assert "\x1b[94m" in run("--from", BLOG, "--color=always").stdout


def test_a_terminal_without_unicode_gets_other_signs() -> None:
    done = run("--from", BLOG, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "+ router -" in done.stdout


@pytest.mark.parametrize("name", ["svg", "html", "dot", "mermaid", "json", "text"])
def test_formats_to_stdout(name: str) -> None:
    done = run("--from", BLOG, "-o", name)
    begin = {
        "svg": "<svg ",
        "html": "<!DOCTYPE html>",
        "dot": "digraph",
        "mermaid": "flowchart LR",
        "json": "{",
        "text": "╔",
    }
    assert done.returncode == 0
    assert done.stdout.startswith(begin[name])
    assert done.stderr == ""


@pytest.mark.parametrize("suffix", ["svg", "html", "htm", "dot", "gv", "mmd", "mermaid", "json", "txt"])
def test_the_suffix_of_a_file_says_the_format(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"host.{suffix}"
    done = run("--from", BLOG, "-o", str(file))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"nswire map: wrote {file}\n")
    assert "router" in file.read_text(encoding="utf-8")
    assert [one.name for one in tmp_path.iterdir()] == [file.name]


def test_a_file_is_as_readable_as_the_umask_has_it(tmp_path: Path) -> None:
    file = tmp_path / "host.svg"
    before = os.umask(0o027)
    try:
        assert run("--from", BLOG, "-o", str(file)).returncode == 0
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o777 == 0o640


def test_nothing_but_a_file_is_replaced(tmp_path: Path) -> None:
    """As root, `-o` into a device or a pipe would be an accident."""
    pipe = tmp_path / "pipe.svg"
    os.mkfifo(pipe)
    done = run("--from", BLOG, "-o", str(pipe))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"nswire map: {pipe}: it is there already, and is no regular file\n"
    assert pipe.is_fifo()
    missing = tmp_path / "nowhere" / "host.svg"
    assert run("--from", BLOG, "-o", str(missing)).returncode == 2


@pytest.mark.parametrize(
    "args", [["-o", "host.png"], ["-o", "png"], ["-j", "-o", "svg"], ["-j", "-o", "x.svg"], ["--hops", "-1"]]
)
def test_wrong_usage(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert entry._run(["map", "--from", BLOG, *args]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "nswire map" in captured.err


def test_handles_hops_and_what_is_up() -> None:
    def drawn(*args: str) -> list[str]:
        document = json.loads(run("--from", BLOG, "-j", *args).stdout)
        return sorted(f"{link['netns']['label']}/{link['ifname']}" for link in document["links"])

    everything = drawn()
    assert len(everything) == 12
    asked = drawn(openstack_demo.INNER)
    assert f"self/{openstack_demo.OUTER}" in asked
    assert "self/eth1" in asked  # on the way up
    assert f"{openstack_demo.TRAP_HOST}/{openstack_demo.TRAP_OUTER}" not in asked
    assert set(drawn("netns:router", "--hops", "0")) < set(drawn("netns:router", "--hops", "4"))
    assert drawn("--only", "up") == everything


def test_unknown_handles_are_told_and_the_others_drawn() -> None:
    done = run("--from", BLOG, "nonsense", "outside")
    assert done.returncode == 2
    assert "no such link" in done.stderr
    assert "wan0" in done.stdout
    done = run("--from", BLOG, "nonsense")
    assert (done.returncode, done.stdout) == (2, "")


def test_how(tmp_path: Path) -> None:
    assert "ip link show" in run("--from", BLOG, "--how").stdout
    assert "ip link show" in run("--from", BLOG, "--how", "-o", str(tmp_path / "x.svg")).stderr
    assert "how" in json.loads(run("--from", BLOG, "--how", "-j").stdout)


def test_strict_is_3_where_something_was_not_seen(lab: Lab) -> None:
    hidden = lab.namespace("in-flight")
    lab.pair(lab.home, "out0", hidden, "in0")
    lab.release()
    done = run("--strict")
    assert done.returncode == 3
    assert "nsid:" in done.stdout
    assert "not seen: " in done.stdout


@pytest.mark.usefixtures("lab")
def test_live_and_recorded_pictures_are_the_same(tmp_path: Path) -> None:
    """But for the title, which says when a recording was made."""
    recording = str(tmp_path / "host.nswire")
    with contextlib.closing(openstack_demo.blog()):
        live = run("-o", "svg").stdout
        recorded = subprocess.run(
            [sys.executable, "-m", "nswire", "record", recording], check=False, capture_output=True
        )
        assert recorded.returncode == 0
    again = run("-o", "svg", "--from", recording).stdout
    names = [
        [
            "".join(one.itertext())
            for one in ET.fromstring(text).iter()
            if "row" in (one.get("class") or "").split()
        ]
        for text in (live, again)
    ]
    assert names[0] == names[1]
    assert len(names[0]) == 12


def test_a_page_asks_for_no_tables(tmp_path: Path) -> None:
    """It shows what is known of links; that this recording has no firewalls and routes in it is no gap of a picture."""
    file = tmp_path / "host.html"
    done = run("--from", BLOG, "--strict", "-o", str(file))
    assert done.returncode == run("--from", BLOG, "--strict", "-o", "svg").returncode == 0
    assert "its firewall" not in file.read_text(encoding="utf-8")
