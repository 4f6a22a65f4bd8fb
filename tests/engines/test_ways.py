"""Each path through an engine's network: a packet is sent along it, and what nswire says is held against what became of that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import nswire
from nswire.path import query
from nswire.path.query import Party, Wanted

from . import sending
from .conftest import WANTED
from .rows import ROWS

if TYPE_CHECKING:
    from nswire.model.topology import Topology
    from nswire.path import Trace

    from .page import Results
    from .truth import Engine, Way

WAYS = [
    pytest.param(
        way,
        id=way.name,
        marks=pytest.mark.xfail(strict=True, raises=AssertionError, reason=way.waits) if way.waits else (),
    )
    for row in ROWS
    if row.slug == WANTED
    for way in row.ways
]


@pytest.fixture(scope="module")
def recorded(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Topology:
    """The whole host, by a recording of it."""
    del engine
    file = tmp_path_factory.mktemp("ways") / "host.nswire"
    nswire.record(file)
    return nswire.load(file)


@pytest.mark.parametrize("way", [pytest.param(way.values[0], id=way.id) for way in WAYS])
def test_it_is_so(engine: Engine, way: Way) -> None:
    """What is written down of the path is true."""
    del engine
    sender = sending.answered(way.sender, way.packet)
    assert (sender is not None) == way.arrives
    assert not sender or sender.removeprefix("::ffff:") == way.seen[0]


@pytest.mark.parametrize("way", WAYS)
def test_live(engine: Engine, way: Way, results: Results) -> None:
    _held(engine, nswire.scan(), way, results)


@pytest.mark.parametrize("way", WAYS)
def test_recorded(engine: Engine, recorded: Topology, way: Way, results: Results) -> None:
    """Where only a daemon knows the way it is not known; then nothing else is said."""
    if all(row.recorded for row in ROWS if row.slug == WANTED):
        _held(engine, recorded, way, results)
    else:
        found = asked(recorded, way)
        fates = {found.forward.fate, found.forward.fate if found.reply is None else found.reply.fate}
        assert "unknown" in fates or wrong(recorded, way) == []


def _held(engine: Engine, topology: Topology, way: Way, results: Results) -> None:
    found = wrong(topology, way)
    told = results.setdefault(engine.name, {"engine": {"version": engine.version}}).setdefault("paths", {})
    told[way.name] = "wrong" if found else told.get(way.name, "right")
    assert found == []


def wrong(topology: Topology, way: Way) -> list[str]:
    """What is not as it is."""
    found = asked(topology, way)
    forward = found.forward
    if not way.arrives:
        ok = forward.fate == "dropped" and way.why in str(forward.reason)
        return [] if ok else [f"{forward.fate}: {forward.reason}"]
    if forward.fate not in ("delivered", "refused"):  # nobody need listen while it is asked
        return [f"{forward.fate}: {forward.reason}"]
    said = []
    last = forward.ways[0].hops[-1]
    names = {topology.namespaces[last.ns].label}
    if (way.there or "self") not in names | ({"self"} if topology.namespaces[last.ns].home else set()):
        said.append(f"it ends in {names}")
    if (last.leaves.src, last.leaves.dst) != way.seen:
        said.append(f"it is seen as {last.leaves.text}")
    if found.reply is None or found.reply.fate != "delivered":
        said.append(f"the answer: {None if found.reply is None else (found.reply.fate, found.reply.reason)}")
    else:
        back = found.reply.ways[0].hops[-1].leaves
        if back.src != way.packet.dst:
            said.append(f"the answer comes as {back.text}")
    return said


def asked(topology: Topology, way: Way) -> Trace:
    """What `nswire path` says."""
    (match,) = nswire.find(topology, f"netns:{way.sender}" if way.sender else "self")
    packet = way.packet
    wanted = Wanted(proto=packet.proto, dport=packet.dport, src=packet.src)
    made = query.complete(
        topology, Party(match.unique, match.links, match.namespace), Party(packet.dst), wanted
    )
    return query.follow(topology, made, wanted)
