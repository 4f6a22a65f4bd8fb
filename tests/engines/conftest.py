"""Starts engines, one after another, each in each of its states; only where `make test-engines` wants them."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .place import PATH, Place
from .rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .truth import Engine, Row

WANTED = os.environ.get("NSWIRE_ENGINES", "").split(";")
RESULTS = os.environ.get("NSWIRE_ENGINE_RESULTS")
STATES = ("up", "hung", "stopped")
NOT_WANTED = "`make test-engines` starts real engines"

Results = dict[str, dict[str, dict[str, str]]]


def wanted(row: Row) -> None:
    """Skip an engine that was not asked for, or that is not installed, or that cannot start here."""
    if row.name not in WANTED and "all" not in WANTED:
        pytest.skip(NOT_WANTED)
    if Path("/proc/self/uid_map").read_text().split() != ["0", "0", "4294967295"]:
        pytest.skip("engines need root, and not that of a user namespace")
    for program in row.needs:
        if shutil.which(program, path=PATH) is None and not os.path.exists(program):
            pytest.skip(f"{program} is not installed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each engine is started once, and ended last: pytest would take the states in an order of its own."""

    def place_of(item: pytest.Item) -> tuple[int, int]:
        params = getattr(getattr(item, "callspec", None), "params", {})
        if "engine" not in params or "state" not in params:
            return (-1, 0)
        return (ROWS.index(params["engine"]), STATES.index(params["state"]))

    ours = [at for at, item in enumerate(items) if place_of(item)[0] >= 0]
    for at, item in zip(ours, sorted((items[at] for at in ours), key=place_of), strict=True):
        items[at] = item


@pytest.fixture(scope="module", params=ROWS, ids=lambda row: row.name.replace(" ", "-"))
def engine(request: pytest.FixtureRequest, private_host: None) -> Iterator[Engine]:
    """A running engine."""
    del private_host
    row: Row = request.param
    wanted(row)
    with Place(row.cgroups) as place:
        yield row.start(place)


@pytest.fixture(scope="module", params=STATES)
def state(request: pytest.FixtureRequest, engine: Engine) -> Iterator[str]:
    """What the engine's daemons do; in this order."""
    name: str = request.param
    if name == "hung":
        if not engine.daemons:
            pytest.skip("it has no daemon")
        for pid in engine.daemons:
            os.kill(pid, signal.SIGSTOP)
    elif name == "stopped":
        if not engine.daemons:
            pytest.skip("it has no daemon")
        engine.stop()
    yield name
    if name == "hung":
        for pid in engine.daemons:
            os.kill(pid, signal.SIGCONT)


@pytest.fixture(scope="session")
def results() -> Iterator[Results]:
    """What the run found out, for docs/engines.md: engine, then `version` or a state, then what was asked."""
    found: Results = {}
    yield found
    if RESULTS:
        Path(RESULTS).write_text(json.dumps(found))


@pytest.fixture
def told(engine: Engine, state: str, results: Results) -> Callable[[str, str], None]:
    """told("handle -> link -> peer", "right"): put a result on the page."""

    def tell(question: str, answer: str) -> None:
        found = results.setdefault(engine.name, {"engine": {"version": engine.version}})
        found.setdefault(state, {})[question] = answer

    return tell
