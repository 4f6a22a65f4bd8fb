"""The program as it is typed, without a network around it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, NoReturn

import pytest

import nswire
from nswire.cli import demo, entry
from nswire.cli.verbs import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator


def run(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nswire", *args],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_help_names_every_verb_and_costs_nothing() -> None:
    """The budget is 120 ms, and msgspec, rich and the scan would take it."""
    script = (
        "import sys; from nswire.cli.entry import _run; status = _run(['--help'])\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'msgspec', 'rich', 'json', 'ipaddress'}),"
        " [m for m in sys.modules if m.startswith(('nswire.discover', 'nswire.host', 'nswire.model'))], status)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[] [] 0"
    for name in NAMES:
        assert f"  {name} " in done.stdout


@pytest.mark.parametrize("verb", NAMES)
def test_every_verb_has_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry._run([verb, "--help"]) == 0
    text = capsys.readouterr().out
    assert "Examples:" in text
    assert all(line.isprintable() for line in text.splitlines())


@pytest.mark.parametrize("verb", NAMES)
def test_help_of_a_verb(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry._run(["help", verb]) == 0
    told = capsys.readouterr().out
    assert entry._run([verb, "--help"]) == 0
    assert told == capsys.readouterr().out


def test_help_of_no_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry._run(["help"]) == 0
    assert capsys.readouterr().out.startswith("Usage: nswire [OPTIONS]")
    assert entry._run(["help", "nonsense"]) == 2
    assert capsys.readouterr().err.startswith("nswire help: nonsense: there is no such verb")


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_version(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry._run([option]) == 0
    assert capsys.readouterr().out == f"nswire {nswire.__version__}\n"


def test_an_unknown_verb_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry._run(["pear"]) == 2
    assert (
        capsys.readouterr().err.splitlines()[0] == "nswire: pear: there is no such verb; did you mean peer?"
    )


def test_a_hostile_verb_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry._run(["\x1b]0;x\x07"]) == 2
    assert all(line.isprintable() for line in capsys.readouterr().err.splitlines())


@pytest.mark.parametrize(
    "args", [["peer", "--color=blue"], ["show"], ["ls", "--nonsense"], ["--nonsense"], ["schema", "x"]]
)
def test_wrong_usage_is_2_and_names_the_help(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert entry._run(args) == 2
    captured = capsys.readouterr()
    first, hint = captured.err.splitlines()
    assert first.startswith("nswire")
    assert "--help" in hint
    assert captured.out == ""


def test_no_verb_shows_the_help() -> None:
    done = run()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: nswire")


def test_an_unexpected_failure_is_one_line_and_how_to_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> NoReturn:
        raise RuntimeError("\x1b[31mno")

    monkeypatch.setattr(nswire, "scan", fail)
    assert entry._run(["peer", "eth0"]) == 2
    text = capsys.readouterr().err
    assert text.splitlines()[0] == "nswire: RuntimeError: \\x1b[31mno (this is a fault of nswire)"
    assert "NSWIRE_DEBUG=1" in text
    monkeypatch.setenv("NSWIRE_DEBUG", "1")
    with pytest.raises(RuntimeError):
        entry._run(["peer", "eth0"])


def test_an_interrupt_is_quiet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(**_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(nswire, "scan", interrupt)
    assert entry._run(["peer"]) == 130
    assert capsys.readouterr().err.strip() == ""


@pytest.mark.parametrize("file", ["/nonexistent", "/", "/dev/null", "/proc/self/stat"])
def test_what_is_no_recording_is_a_clear_error(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry._run(["peer", "--from", file]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"nswire peer: {file}: ")
    assert "fault of nswire" not in captured.err


def test_schemas(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry._run(["schema"]) == 0
    names = "peer ls netns show map path check assert find".split()
    assert list(json.loads(capsys.readouterr().out)) == names
    assert entry._run(["schema", "peer"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "nswire/peer"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_call_us(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry._run(["completion", shell]) == 0
    assert f"_NSWIRE_COMPLETE={shell}_complete" in capsys.readouterr().out


def test_verbs_are_completed() -> None:
    done = run(_NSWIRE_COMPLETE="bash_complete", COMP_WORDS="nswire ne", COMP_CWORD="1")
    assert done.stdout.splitlines() == ["plain,netns"]


def test_the_demo_says_which_program_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It works on a machine where nothing is installed, and says what would be printed."""
    monkeypatch.setattr(demo, "_path", lambda: "/nonexistent")

    def read(_: object) -> Iterator[str]:
        yield "peer_ifindex: 69"

    manual = demo.Command("ethtool -S x", ("ethtool", "-S", "x"), bool, read)
    assert demo._output(manual, None) == [  # type: ignore[arg-type]
        "(ethtool is not installed; as nswire reads it:)",
        "peer_ifindex: 69",
    ]
