"""`nswire metrics`: the text that Prometheus reads, bounded, and written whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from check_lab import half_up_host
from test_check_formats import SAMPLE

import nswire
from nswire.cli import entry

if TYPE_CHECKING:
    from pathlib import Path

    from nswire.lab.lab import Lab


@pytest.fixture(scope="module")
def recording(lasting_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> str:
    return half_up_host(lasting_lab, tmp_path_factory.mktemp("check") / "recording")


def said(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, dict[str, str], str]:
    status = entry._run(["metrics", *args])
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert all(line.isprintable() for line in lines)
    samples = [SAMPLE.match(line) for line in lines if not line.startswith("#")]
    assert None not in samples
    found = {match[0].rpartition(" ")[0]: match[3] for match in samples if match}
    assert len(found) == len(samples), "no series twice"
    return status, found, captured.err


def test_what_there_is_and_what_is_wrong(recording: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, found, _ = said(capsys, "--from", recording)
    assert status == 0
    (ns,) = (ns for ns in nswire.load(recording).namespaces.values() if ns.home)
    of_up1 = f'{{namespace="{ns.label}",link="up1",kind="veth"}}'
    assert (found[f"nswire_link_up{of_up1}"], found[f"nswire_link_carrier{of_up1}"]) == ("1", "0")
    assert found['nswire_findings{severity="warning"}'] == "3"
    assert not [key for key in found if 'link="lo"' in key]


def test_series_are_bounded(recording: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, every, _ = said(capsys, "--from", recording)
    _, found, _ = said(capsys, "--from", recording, "--max-series", "1")
    names = [key.partition("{")[0] for key in found]
    assert {name: names.count(name) for name in names if names.count(name) > 1} == {"nswire_findings": 3}
    assert int(found["nswire_left_out"]) == int(every["nswire_links"]) + int(every["nswire_namespaces"]) - 2
    assert int(found["nswire_findings_left_out"]) == 2
    assert not [key for key in said(capsys, "--from", recording, "--no-check")[1] if "finding" in key]


def test_the_file_is_whole_or_not_there(
    recording: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A FIFO, a folder, or what a link leads to that is none, is not for us to replace."""
    file = tmp_path / "nswire.prom"
    assert said(capsys, "--from", recording, "--textfile", str(file))[:2] == (0, {})
    assert file.read_text().endswith("# EOF\n")
    assert os.listdir(tmp_path) == ["nswire.prom"]
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to(tmp_path / "fifo")
    for name in ("fifo", "link", ".", "nowhere/file"):
        status, _, err = said(capsys, "--from", recording, "--textfile", str(tmp_path / name))
        assert (status, err.startswith("nswire")) == (2, True)
    assert sorted(os.listdir(tmp_path)) == ["fifo", "link", "nswire.prom"]
