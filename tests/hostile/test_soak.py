"""`serve` under churn, for some seconds; and what `make soak` calls flat, by numbers that are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from soak import Sample, Soak, run

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 15
SHORT = 1.0  # MB a second: it is still warming up, caches are filled


@pytest.mark.usefixtures("private_host")
def test_serve_holds_no_more_than_it_needs_and_says_nothing_wrong(tmp_path: Path) -> None:
    """Memory is what an hour shows; the rest shows at once."""
    found = run(SECONDS, tmp_path / "stderr")
    assert not found.errors
    assert not found.grown(SHORT * SECONDS)
    assert found.pairs
    assert found.events
    assert found.deeds > SECONDS
    assert {name.partition("?")[0] for name in found.asked} >= {"peer", "path", "show", "map", "netns"}


@pytest.mark.parametrize(("field", "by"), [(0, 3.0), (1, 1), (2, 1), (3, 1)])
def test_what_grows_is_told(field: int, by: float) -> None:
    """Slowly, over all of the time."""
    flat, growing = Soak(), Soak()
    for number in range(100):
        one: list[Any] = [30.0 + number % 3 / 10, 9 + number % 2, 2, 1]
        flat.samples["worker"].append(Sample(*one))
        one[field] += by * number / 50 if not field else by * (number // 50)
        growing.samples["worker"].append(Sample(*one))
    flat.samples["front"] = growing.samples["front"] = flat.samples["worker"]
    assert not flat.grown()
    (told,) = growing.grown()
    assert told.startswith(f"worker: {Sample._fields[field]}")
