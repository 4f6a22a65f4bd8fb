"""Each engine, up, hung and stopped: from a handle to links and their other ends, and from these back to whose they are."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import nswire
from nswire.lab.truth import wait_until

from . import truth
from .place import kill

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.model.topology import Topology

    from .truth import Engine

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
    if state == "stopped" and not engine.survives:
        left = [one.handle for one in engine.truths if nswire.find(topology, one.handle)]
        told("handle -> link -> peer", "wrong" if left else "gone")
        assert left == []
        return
    wrong = [line for one in engine.truths for line in truth.link_to_peer(topology, one.known(state))]
    told("handle -> link -> peer", "wrong" if wrong else "right")
    assert wrong == []


def test_peer_to_owner(engine: Engine, state: str, told: Callable[[str, str], None]) -> None:
    topology = look(engine)
    if state == "stopped" and not engine.survives:
        left = [owner for owner, *_ in topology.owned() for one in engine.truths if one.is_told([owner])]
        told("peer -> owner", "wrong" if left else "gone")
        assert left == []
        return
    wrong = [line for one in engine.truths for line in truth.peer_to_owner(topology, one.known(state))]
    told("peer -> owner", "wrong" if wrong else "right")
    assert wrong == []


def test_a_hung_engine_is_waited_for_once(engine: Engine, state: str) -> None:
    """Most are not waited for at all: what they would say stands in files."""
    took = fastest(engine)
    if state == "up":
        engine.seconds = took
    else:
        assert took < engine.seconds + WAIT + NOISE


def test_one_that_died_unnoticed(engine: Engine) -> None:
    """Its engine's files still say that it runs; nobody is told by the pid of somebody who is gone, nor somewhere else."""
    engine.stop()
    died = next((one.ns for one in engine.truths if one.ns and not one.shares), 0)
    kill(truth.inside(died))
    wait_until(lambda: not truth.inside(died), 10, "nobody is in it any more")
    for owner, ns, ends in look(engine).owned():
        if any(one.ns == died and one.is_told([owner]) for one in engine.truths):
            assert (owner.pid, ns, ends) == (None, died, ())
            assert owner.type != "container" or dict(owner.data)["processes"] == "none seen"
