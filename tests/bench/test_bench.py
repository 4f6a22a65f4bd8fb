"""The benchmark works at a small size. No number is judged: a timed test would only tell how busy the machine is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.needs("gcc", "ip")
@pytest.mark.usefixtures("lab")
def test_the_benchmark_runs_and_every_answer_is_right() -> None:
    """All rows that can run here do, and what nswire answered in it is the truth."""
    done = subprocess.run(
        [sys.executable, ROOT / "bench" / "run.py", "--small"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "50 of 50 pairs right, 0 wrong" in done.stdout + done.stderr
    assert "21 of 21 pairs right, 0 wrong, 30 of 30 lower links right, 0 wrong" in done.stdout
    for row in (
        "C floor: links + addresses",
        "nswire.scan(), imports done",
        "nswire peer LINK",
        "ip -all netns exec",
    ):
        line, *_ = [line for line in done.stdout.splitlines() if line.startswith(f"| {row}")]
        assert "exit status" not in line
        assert any(character.isdigit() for character in line)
