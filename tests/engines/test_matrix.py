"""Each engine, up, hung and stopped: from a handle to links and their other ends, and from these back to whose they are."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import nswire
from nswire.lab.lab import wait_until

from . import truth
from .page import LESS
from .place import kill

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.model.topology import Topology

    from .truth import Engine, Truth

WAIT = float(os.environ.get("NSWIRE_PATIENCE", "0.3"))  # seconds that a hung engine may cost: docs/limits.md
NOISE = WAIT / 2  # of a machine that others use, too
LOOKS = 3


def look(engine: Engine) -> Topology:
    """All that is asked about owners."""
    topology = nswire.scan()
    for one in engine.truths:
        nswire.find(topology, one.handle)
    for ns in topology.namespaces:
        topology.owners(ns)
    return topology


def is_gone(engine: Engine, state: str) -> bool:
    """True once its containers have ended with it."""
    return state == "stopped" and not engine.survives


def there(engine: Engine, state: str) -> list[Truth]:
    """What can be known in that state."""
    return [one.known(state) for one in engine.truths if state == "up" or not one.asked]


def right(engine: Engine, state: str) -> str:
    """As the page puts it."""
    if is_gone(engine, state):
        return "gone"
    whole = all(
        (one.name, one.bridges) == (one.known(state).name, one.known(state).bridges) for one in engine.truths
    )
    return "right" if whole else LESS


def fastest(engine: Engine) -> float:
    """Seconds that it takes, at best."""
    took = []
    for _ in range(LOOKS):
        started = time.monotonic()
        look(engine)
        took.append(time.monotonic() - started)
    return min(took)


def test_handle_to_link_to_peer(engine: Engine, state: str, told: Callable[[str, str], None]) -> None:
    topology = look(engine)
    if is_gone(engine, state):
        wrong = [one.handle for one in engine.truths if nswire.find(topology, one.handle)]
    else:
        wrong = [line for one in there(engine, state) for line in truth.link_to_peer(topology, one)]
    told("handle -> link -> peer", "wrong" if wrong else right(engine, state))
    assert wrong == []


def test_peer_to_owner(engine: Engine, state: str, told: Callable[[str, str], None]) -> None:
    topology = look(engine)
    if is_gone(engine, state):
        wrong = [one.name for owner, *_ in topology.owned() for one in engine.truths if one.is_told([owner])]
    else:
        wrong = [line for one in there(engine, state) for line in truth.peer_to_owner(topology, one)]
    told("peer -> owner", "wrong" if wrong else right(engine, state))
    assert wrong == []


def test_a_hung_engine_is_waited_for_once(engine: Engine, state: str) -> None:
    """Most are not waited for at all: what they would say stands in files."""
    took = fastest(engine)
    if state == "up":
        engine.seconds = took
    else:
        assert took < engine.seconds + WAIT + NOISE


def test_a_user_in_the_engines_group(engine: Engine, state: str) -> None:
    """He may not read the files, and asks the socket. While that does not answer nobody is said not to be there."""
    for one in engine.truths[:2] if engine.group else ():
        done = as_user(engine.group, "show", one.handle)
        if state == "up":
            assert (done.returncode, done.stdout.split(" ")[0]) == (0, one.name), done.stderr
        else:
            assert "no such running container in the readable namespaces" in done.stderr
            assert ": names of Docker's containers: Permission denied" in done.stderr


def test_a_user_waits_once(engine: Engine, state: str) -> None:
    if not engine.group:
        return
    took = [_seconds(engine.group, engine.truths[0].handle) for _ in range(LOOKS)]
    if state == "up":
        engine.user_seconds = max(took)
    else:
        assert min(took) < engine.user_seconds + WAIT + NOISE


def _seconds(group: str, handle: str) -> float:
    started = time.monotonic()
    as_user(group, "show", handle)
    return time.monotonic() - started


def as_user(group: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Nswire, as somebody who is in that group and has no other rights."""
    user = ("setpriv", "--reuid=nobody", f"--regid={group}", "--clear-groups")
    return subprocess.run(
        (*user, sys.executable, "-m", "nswire", *words), capture_output=True, text=True, check=False
    )


def test_one_that_died_unnoticed(engine: Engine) -> None:
    """Its engine's files still say that it runs; nobody is told by the pid of somebody who is gone, nor somewhere else."""
    engine.stop()
    died = next((one.ns for one in engine.truths if one.ns and not one.shares), 0)
    kill(truth.inside(died))
    wait_until(lambda: not truth.inside(died), 10, "nobody is in it any more")
    for owner, ns, ends in look(engine).owned():
        if died and any(one.ns == died and one.is_told([owner]) for one in engine.truths):
            assert (owner.pid, ns, ends) == (None, died, ())
            assert owner.type != "container" or dict(owner.data)["processes"] == "none seen"
