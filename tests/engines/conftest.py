"""Starts an engine, in each of its states, if the suite wants it: one in a run, each in a private host of its own (suite.py)."""

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

    from .page import Results
    from .truth import Engine, Row

WANTED = os.environ.get("NSWIRE_ENGINES")  # one, by tests/engines/suite.py
RESULTS = os.environ.get("NSWIRE_ENGINE_RESULTS")
STATES = ("up", "hung", "stopped")

HAS_WAYS = any(row.ways for row in ROWS if row.slug == WANTED)
collect_ignore = ["test_suite.py"] if WANTED else ["test_matrix.py"]
if not HAS_WAYS:
    collect_ignore.append("test_ways.py")


def installed(row: Row) -> None:
    """Skip an engine that is not installed, or cannot start here."""
    if reason := lacking(row):
        pytest.skip(reason)


def lacking(row: Row) -> str:
    """Why an engine cannot start here; empty: it can."""
    if Path("/proc/self/uid_map").read_text().split() != ["0", "0", "4294967295"]:
        return "engines need root, and not that of a user namespace"
    for program in row.needs:
        if shutil.which(program, path=PATH) is None and not os.path.exists(program):
            return f"{program} is not installed: make setup-engines"
    return row.lacks()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The engine is ended last: pytest would take the states in an order of its own. Before that, the paths through it."""
    items.sort(key=lambda item: item.path.name != "test_ways.py")

    def place_of(item: pytest.Item) -> int:
        params = getattr(getattr(item, "callspec", None), "params", {})
        return STATES.index(params["state"]) if "engine" in params and "state" in params else -1

    ours = [at for at, item in enumerate(items) if place_of(item) >= 0]
    for at, item in zip(ours, sorted((items[at] for at in ours), key=place_of), strict=True):
        items[at] = item


@pytest.fixture(scope="session", params=[row for row in ROWS if row.slug == WANTED], ids=lambda row: row.slug)
def engine(request: pytest.FixtureRequest, private_host: None, results: Results) -> Iterator[Engine]:
    """A running engine."""
    del private_host
    row: Row = request.param
    if reason := lacking(row):
        results[row.name] = {"engine": {"not run": reason}}
        pytest.skip(reason)
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
    """What the run found out, for docs/engines.md, added to what others found out before."""
    file = Path(RESULTS or os.devnull)
    found: Results = json.loads(file.read_text()) if file.is_file() else {}
    yield found
    if RESULTS:
        file.write_text(json.dumps(found))


@pytest.fixture
def told(engine: Engine, state: str, results: Results) -> Callable[[str, str], None]:
    """told("handle -> link -> peer", "right"): put a result on the page."""

    def tell(question: str, answer: str) -> None:
        found = results.setdefault(engine.name, {"engine": {"version": engine.version}})
        found.setdefault(state, {})[question] = answer

    return tell
