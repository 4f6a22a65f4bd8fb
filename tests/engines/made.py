"""A plugin of pytest: counts the tests of each engine that is made by hand (`made("cri-o")`), for docs/engines.md."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from .page import Results

COUNTED: Results = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    for marker in item.iter_markers("made"):
        if report.when == "call" or report.outcome != "passed":
            counts = COUNTED.setdefault(marker.args[0], {}).setdefault("made", {})
            counts[report.outcome] = str(int(counts.get(report.outcome, "0")) + 1)
    return report


def pytest_sessionfinish() -> None:
    Path(os.environ["NSWIRE_ENGINE_RESULTS"]).write_text(json.dumps(COUNTED))
