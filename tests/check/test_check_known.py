"""What is known already: baselines and suppressions, good, expired, malformed, and files that are none."""

from __future__ import annotations

import datetime as dt
import json
import os
from typing import TYPE_CHECKING

import pytest
from check_lab import half_up_host
from msgspec.structs import replace

import nswire
from nswire.check.known import Suppression, baseline, only_new, suppressions, without
from nswire.check.naming import fingerprint
from nswire.cli import entry

if TYPE_CHECKING:
    from pathlib import Path

    from nswire.lab.lab import Lab

TODAY = dt.date(2026, 11, 28)
ONE = """
[[suppress]]
rule = "half-up"
object = "*/down1"
reason = "standby"
until = {until}
"""
MALFORMED = {
    "no TOML": "[[suppress",
    "no reason": '[[suppress]]\nrule = "half-up"\nobject = "*"',
    "an empty reason": '[[suppress]]\nrule = "half-up"\nobject = "*"\nreason = " "',
    "a key that there is not": '[[suppress]]\nrule = "half-up"\nobject = "*"\nreason = "x"\nlink = "y"',
    "no date": '[[suppress]]\nrule = "half-up"\nobject = "*"\nreason = "x"\nuntil = "soon"',
    "another table": "[suppressed]",
}


@pytest.fixture(scope="module")
def recording(lasting_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> str:
    return half_up_host(lasting_lab, tmp_path_factory.mktemp("check") / "recording")


def said(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    status = entry._run(["check", "--rule", "half-up", *args])
    captured = capsys.readouterr()
    assert all(line.isprintable() for line in (captured.out + captured.err).splitlines())
    return status, captured.out, captured.err


def test_a_suppression_until_its_day(recording: str) -> None:
    """It is about a rule or a code, and an object by name; on its last day it counts."""
    report = nswire.findings(nswire.load(recording), "half-up")
    entry_of = {
        rule: Suppression(rule, "*/down1", "standby", TODAY)
        for rule in ("half-up", "half-up.down", "mtu-wire")
    }
    for rule, left in (("half-up", 2), ("half-up.down", 2), ("mtu-wire", 3)):
        found = without(report, [entry_of[rule]], TODAY)
        assert (len(found.found), len(found.suppressed)) == (left, 3 - left)
    assert len(without(report, [entry_of["half-up"]], TODAY + dt.timedelta(1)).found) == 3
    assert len(without(report, [Suppression("half-up", "*", "x")], TODAY).found) == 0


def test_a_file_of_suppressions(recording: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "check.toml"
    file.write_text(ONE.format(until="2999-01-01"))
    status, out, _ = said(capsys, "--from", recording, "--config", str(file), "-j")
    document = json.loads(out)
    assert (status, len(document["findings"])) == (1, 2)
    assert [(one["subjects"][0], one["reason"]) for one in document["suppressed"]] == [("down1", "standby")]
    file.write_text(ONE.format(until="2001-01-01"))
    _, out, err = said(capsys, "--from", recording, "--config", str(file))
    assert "3 warnings by 1 rule" in out
    assert "the suppression of half-up of */down1 has expired (2001-01-01)" in err
    file.write_text(ONE.format(until="2999-01-01").replace("*/down1", "*"))
    status, out, _ = said(capsys, "--from", recording, "--config", str(file))
    assert (status, out) == (0, "nothing found by 1 rule; 3 suppressed\n")
    status, out, _ = said(capsys, "--from", recording, "--config", str(file), "--format", "sarif")
    assert [one["suppressions"][0]["kind"] for one in json.loads(out)["runs"][0]["results"]] == [
        "external"
    ] * 3


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_one_is_an_error(
    recording: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    file = tmp_path / "check.toml"
    file.write_text(text)
    status, out, err = said(capsys, "--from", recording, "--config", str(file))
    assert (status, out) == (2, "")
    assert str(file) in err
    with pytest.raises(ValueError, match=r"."):
        suppressions(text)


def test_a_file_that_others_may_write_is_not_believed(
    recording: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "check.toml"
    file.write_text(ONE.format(until="2999-01-01"))
    file.chmod(0o646)
    assert said(capsys, "--from", recording, "--config", str(file))[0] == 2
    os.mkfifo(tmp_path / "fifo")
    for name in ("fifo", "not-there", "."):
        assert said(capsys, "--from", recording, "--config", str(tmp_path / name))[0] == 2
        assert said(capsys, "--from", recording, "--baseline", str(tmp_path / name))[0] == 2


def test_only_what_is_new(recording: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was there is not told; less was there, and the rest is; what is no such document is refused."""
    file = tmp_path / "known.json"
    _, out, _ = said(capsys, "--from", recording, "-j")
    file.write_text(out)
    status, text, _ = said(capsys, "--from", recording, "--baseline", str(file))
    assert (status, text) == (0, "nothing found by 1 rule\n")
    document = json.loads(out)
    gone = document["findings"].pop()
    file.write_text(json.dumps(document))
    status, out, _ = said(capsys, "--from", recording, "--baseline", str(file), "-j")
    assert [one["fingerprint"] for one in json.loads(out)["findings"]] == [gone["fingerprint"]]
    for text in ("", "[]", "{}", '{"schema": "nswire/ls", "version": 1, "findings": []}', "\x00"):
        file.write_text(text)
        assert said(capsys, "--from", recording, "--baseline", str(file))[0] == 2
        with pytest.raises(ValueError, match=r"."):
            baseline(text.encode())


def test_what_follows_from_something_known_is_new_by_itself(recording: str) -> None:
    report = nswire.findings(nswire.load(recording), "half-up")
    first, second, third = report.found
    nested = replace(report, found=(replace(first, consequences=(second, third)),))
    known = {fingerprint(report.topology, one) for one in (first, third)}
    assert [one.finding for one in only_new(nested, known).found] == [second.finding]
