"""`make test` starts each engine that is installed, too; what needs another kernel is left to `make test-engines`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from . import page, suite
from .conftest import installed
from .rows import ROWS

if TYPE_CHECKING:
    from pathlib import Path

    from .truth import Row


@pytest.mark.slow
@pytest.mark.engines
@pytest.mark.usefixtures("private_host")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.slug)
def test_engine(row: Row, tmp_path: Path) -> None:
    """In a private host inside of this one: what it leaves in firewalls and bridges disturbs no other test."""
    installed(row)
    assert suite.run(row, tmp_path / "results.json") == 0
    answers = page.text([row.name], suite._read(tmp_path / "results.json"), {}, suite.machine())
    assert "| right | " in answers, answers


def test_a_wrong_answer_is_told_on_the_page() -> None:
    results = {
        "a": {
            "engine": {"version": "1"},
            "up": {"x": "right", "y": "wrong"},
            "hung": {"x": "right"},
            "paths": {"p": "right", "q": "wrong"},
        },
        "b": {"engine": {"not run": "b is not installed"}},
    }
    told = page.text(["a", "b", "c"], results, {"d": {"made": {"passed": "3", "failed": "1"}}}, "Debian 12")
    assert "| a | 1 | x: right; y: wrong | right | not run | 1 of 2 right; not: q |" in told
    assert "| b |  | not run: b is not installed |" in told
    assert "| c |  | not run: it did not start |" in told
    assert "| d | 1 failed, 3 passed |" in told


def test_a_run_of_some_engines_writes_their_rows_alone() -> None:
    made = {"a": {"made": {"passed": "1"}}}
    before = page.text(["a", "b"], {"b": {"engine": {"version": "1"}}}, made, "Debian 12")
    after = page.updated(
        before, ["a", "c"], {"a": {"engine": {"version": "2"}}, "c": {"engine": {"version": "3"}}}
    )
    rows = [line for line in after.splitlines() if line.startswith("| ")]
    assert [line.split(" | ")[:2] for line in rows[2:5]] == [["| a", "2"], ["| b", "1"], ["| c", "3"]]
    assert "| a | 1 passed |" in after
    assert page.updated(after, ["a"], {"a": {"engine": {"version": "2"}}}) == after


def test_the_page_has_all_engines() -> None:
    """Whoever adds one runs `make test-engines`."""
    told = suite.PAGE.read_text()
    assert [row.name for row in ROWS if f"| {row.name} " not in told] == []
