"""Around every test: it must leave no descriptor, thread, child process or network namespace behind.

Tests that build networks need a host of their own (`tools/private-host`, which `make test` uses), in which they are
root. Anywhere else they are skipped, with that reason.
"""

from __future__ import annotations

import gc
import importlib
import os
import shutil
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import settings

from nswire.host import apart
from nswire.lab.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

    from nswire.model.topology import Topology
    from nswire.path.values import Way

# `make check` looks at a few examples of each property, the suite at a hundred; `long` is for a night.
for profile, examples in (("quick", 10), ("suite", 100), ("long", 5000)):
    settings.register_profile(profile, max_examples=examples, deadline=None)
settings.load_profile(os.environ.get("NSWIRE_HYPOTHESIS", "suite"))

ALL_CAPABILITIES_NEEDED = 1 << 12 | 1 << 21  # CAP_NET_ADMIN and CAP_SYS_ADMIN
CHROMIUM = "/usr/bin/chromium"
OFFLINE = (
    "--no-sandbox --disable-background-networking --disable-component-update --disable-sync --disable-gpu "
    "--disable-quic --no-first-run"
).split()
PATIENCE = 3.0  # seconds that a leaving process or namespace may take


class Held(NamedTuple):
    """What a test could leave behind."""

    fds: frozenset[str]
    threads: frozenset[str]
    children: frozenset[str]
    namespaces: frozenset[str]
    mounts: frozenset[str]

    @classmethod
    def now(cls) -> Held:
        """Read from /proc, by no code of ours."""
        fds = {f"{fd}: {_link(f'/proc/self/fd/{fd}')}" for fd in os.listdir("/proc/self/fd")}
        children = [
            pid
            for task in os.listdir("/proc/self/task")
            for pid in _words(f"/proc/self/task/{task}/children")
        ]
        namespaces = {_link(f"/proc/{pid}/ns/net") for pid in os.listdir("/proc") if pid.isdigit()}
        mounts = {
            line for line in Path("/proc/self/mountinfo").read_text().splitlines() if " - nsfs " in line
        }
        return cls(
            frozenset(fd for fd in fds if not fd.endswith("!")),
            frozenset(thread.name for thread in threading.enumerate()),
            frozenset(children),
            frozenset(namespace for namespace in namespaces if not namespace.endswith("!")),
            frozenset(mounts),
        )

    def more_than(self, before: Held) -> list[str]:
        """What is held now and was not before."""
        pairs = zip(self._fields, self, before, strict=True)
        return [f"{name}: {sorted(now - then)}" for name, now, then in pairs if now - then]


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return "!"


def _words(path: str) -> list[str]:
    try:
        return Path(path).read_text().split()
    except OSError:
        return []


@pytest.fixture(autouse=True)
def leaves_nothing_behind() -> Iterator[None]:
    """Compare what is held before and after, giving what is on its way out a moment to go."""
    before = Held.now()
    yield
    nothing_is_left(before)


def nothing_is_left(before: Held) -> None:
    """Fail if more is held than before, once everything had a moment to go."""
    apart.end()  # it would wait for the next question, as long as whoever asked is there
    end = time.monotonic() + PATIENCE
    while left := Held.now().more_than(before):
        gc.collect()
        if time.monotonic() > end:
            pytest.fail(f"left behind: {left}")
        time.sleep(0.005)


def may_build() -> bool:
    """True in a private host, where building networks disturbs nobody."""
    status = dict(
        line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line
    )
    able = int(status["CapEff"], 16) & ALL_CAPABILITIES_NEEDED == ALL_CAPABILITIES_NEEDED
    return able and "tools/private-host" in Path("/proc/1/cmdline").read_bytes().decode(errors="replace")


@pytest.fixture(autouse=True)
def has_what_it_needs(request: pytest.FixtureRequest) -> None:
    """Skip a test marked `needs("ip", ...)` where one of these programs is not installed."""
    for marker in request.node.iter_markers("needs"):
        for program in marker.args:
            if shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin") is None:
                pytest.skip(f"{program} is not installed")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a file, started before anything is looked for that a test leaves behind."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not os.access(CHROMIUM, os.X_OK):
        pytest.skip(f"{CHROMIUM} is not installed")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=OFFLINE)
        yield started
        started.close()


@pytest.fixture
def everything() -> Topology:
    """A topology with everything in it, to be drawn."""
    from drawings import build_everything

    return build_everything()


@pytest.fixture
def rounds() -> Callable[[int], int]:
    """How often to repeat what would be repeated so often here: NSWIRE_SCALE=0.1 on a machine that is ten times slower."""
    scale = float(os.environ.get("NSWIRE_SCALE", "1"))
    return lambda count: max(2, round(count * scale))


@pytest.fixture(scope="session")
def private_host() -> None:
    """Skip what builds networks anywhere but in a host of its own."""
    if not may_build():
        pytest.skip("builds networks: run it with `make test`, or in tools/private-host")


@pytest.fixture(scope="module")
def lasting_lab(private_host: None) -> Iterator[Lab]:
    """One laboratory for all tests of a module, for what takes long to build; what it leaves behind fails the last test."""
    del private_host
    before = Held.now()
    with Lab() as made:
        yield made
    nothing_is_left(before)


@pytest.fixture
def lab(private_host: None) -> Iterator[Lab]:
    """An empty laboratory around this host's namespace; it is gone after the test."""
    del private_host
    with Lab() as made:
        yield made


@pytest.fixture(autouse=True)
def reasons_fit_fates(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Of paths: what is not known says why with a reason of that kind, what ends says why it ends.

    docs/limits.md lists the reasons for `unknown` by their rows; so each way of each walk of these tests is looked at.
    """
    if request.path.parent.name != "path":
        yield
        return
    tracing = importlib.import_module("nswire.path.trace")  # the package has a function of that name
    wrong: list[object] = []
    made = tracing._way

    def looked_at(*args: Any) -> Way:
        way: Way = made(*args)
        if way.reason is None or way.reason.unknown != (way.fate == "unknown"):
            wrong.append((way.fate, way.reason and (way.reason.code, way.reason.text)))
        return way

    monkeypatch.setattr(tracing, "_way", looked_at)
    yield
    assert not wrong
