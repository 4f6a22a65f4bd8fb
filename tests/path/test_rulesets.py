"""Packets really sent through random rulesets of nft, iptables, ebtables, arptables and ipset. `make accuracy` does it at length."""

from __future__ import annotations

import os
import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import rulesets_grammar as grammar
import rulesets_proof as proof
from msgspec.structs import replace
from rulesets_cases import ROWS, Row, parsed
from rulesets_lab import Laboratory, Line
from rulesets_packets import ICMP, LONG, PATIENCE, UDP, Packet, Probe, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nswire.path import Trace

FEWEST = 40  # packets, on however busy a machine
PACKETS = max(FEWEST, round(400 * float(os.environ.get("NSWIRE_SCALE", "1"))))
WRONG = 0.02  # of a sample; docs/accuracy.md has what is still told wrong, and how often
SECONDS = 150.0  # at most: it is a sample
needed = pytest.mark.needs(
    "nft", "iptables-nft", "iptables-legacy", "ip6tables-legacy", "ebtables-nft", "ipset"
)


def test_a_ruleset_is_shrunk_to_what_matters() -> None:
    """Lines first, then what stands in them."""
    lines = [Line("r", "nft", ("add rule", f"x{at}", "drop")) for at in range(7)]

    def wrong(some: Sequence[Line]) -> bool:
        words = [line.text for line in some]
        return any("x2" in one for one in words) and any("x5" in one and "drop" in one for one in words)

    assert [line.text for line in proof.shrink(lines, wrong)] == ["add rule x2", "add rule x5 drop"]


def test_a_seed_makes_the_same_ruleset_again() -> None:
    """What a report names can be looked at."""
    for number in range(50):
        first, second = (grammar.make(random.Random(f"x/{number}"), number) for _ in range(2))
        assert first == second
        assert first.probes


@pytest.mark.parametrize(
    "got", [None, Packet("b", "10.1.0.9", 0, "10.2.0.2", 0), Packet("r", "10.1.0.2", 0, "10.2.0.2", 0)]
)
def test_no_way_arrives_otherwise(got: Packet | None) -> None:
    """What was lost, what arrived elsewhere or as something else, is not what was said."""
    from nswire.path import Flow
    from nswire.path.values import Hop, Way, Ways

    flow = Flow("10.2.0.2", "10.1.0.2", ICMP)
    from nswire.model.values import End

    said = Ways((Way("delivered", (Hop(5, None, (), flow, flow),), end=End(5, 1)),))
    assert proof.fate_of({5: "b"}, said, Packet("b", "10.1.0.2", 0, "10.2.0.2", 0)) is True
    assert proof.fate_of({5: "b"}, said, got) is False


@pytest.fixture(scope="module")
def lab() -> Iterator[Laboratory]:
    """The one laboratory."""
    with Laboratory() as built:
        yield built


@needed
@pytest.mark.usefixtures("private_host")
class TestSent:
    """With packets."""

    @pytest.mark.parametrize(
        "row",
        [
            pytest.param(
                row,
                id=row.name.replace(" ", "-"),
                marks=[pytest.mark.xfail(strict=False, reason=row.open)] if row.open else [],
            )
            for row in ROWS
        ],
    )
    def test_what_was_wrong_once(self, row: Row, lab: Laboratory) -> None:
        """The kernel does what the row says, and so says nswire."""
        lab.load([parsed(line) for line in row.lines], strict=True)
        said = proof.ask(lab, row.probe)
        seen = lab.post.send(row.probe, LONG)
        assert _fate(seen) == row.fate
        told = proof.compare(lab, said, row.probe, seen)
        assert told.forward is (None if row.untold else True), proof.described(said)
        assert told.answer is not False, proof.described(said)

    def test_a_wrong_verdict_is_noticed(self, lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
        """Else the proof proves nothing: each answer is turned into its opposite, and each case must be wrong."""
        ask = proof.ask
        monkeypatch.setattr(proof, "ask", lambda lab, probe: _turned(ask(lab, probe)))
        lying = proof.Proof(lab, "turned", shrinks=False)
        number = 0
        while sum(one.forward is not None for one in lying.cases) < 10:
            lying.ruleset(number)
            number += 1
        assert {one.forward for one in lying.cases} <= {False, None}

    def test_what_is_wrong_is_shrunk(self, lab: Laboratory, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of a ruleset with much else in it the rule stays that decides."""
        ask = proof.ask
        told = proof.Proof(lab, "")
        probe = Probe("a", "10.1.0.2", "10.2.0.2", UDP, 20000, 53)
        texts = (
            "add table inet t",
            "add chain inet t c { type filter hook input priority 0; }",
            "add table ip6 u",
            "add rule inet t c counter",
        )
        lines = [parsed(f"b: nft {text}") for text in texts]
        lines.append(Line("b", "nft", ("add rule inet t c", "ip saddr 10.1.0.2", "udp dport 53", "drop")))

        def lie(lab: Laboratory, probe: Probe) -> Trace:
            said = ask(lab, probe)
            return _turned(said) if said.forward.fate == "dropped" else said

        monkeypatch.setattr(proof, "ask", lie)
        fewest = proof.shrink(lines, lambda some: told.wrong(some, probe, PATIENCE) is not None)
        assert [line.text for line in fewest] == [*texts[:2], "add rule inet t c drop"]

    @pytest.mark.slow
    def test_packets_of_today(self, lab: Laboratory, capsys: pytest.CaptureFixture[str]) -> None:
        """A sample, of another seed each day: no more that is told is wrong than docs/accuracy.md found, and all of it is shown."""
        seed = datetime.now(UTC).date().isoformat()
        print(f"seed {seed}")  # noqa: T201 (which pytest shows if it fails)
        run = proof.Proof(lab, seed)
        number, end = 0, time.monotonic() + SECONDS
        while len(run.cases) < PACKETS and time.monotonic() < end:
            run.ruleset(number)
            number += 1
        wrong = [one.told for one in run.cases if one.wrongly and not one.once]
        shown = f"seed {seed}, {len(run.cases)} packets\n" + "\n".join(wrong)
        with capsys.disabled():
            print(f" {shown} ")  # noqa: T201 (also if it passes)
        assert len(run.cases) >= FEWEST, shown
        assert len(wrong) <= max(3, WRONG * len(run.cases)), shown


def _fate(seen: Seen) -> str:
    return "lost" if seen.got is None else f"{seen.got.node} and back" if seen.answer else seen.got.node


def _turned(said: Trace) -> Trace:
    """The opposite."""
    forward = said.forward
    if forward.fate == "unknown":
        return said
    other = "dropped" if forward.fate == "delivered" else "delivered"
    return replace(
        said, forward=replace(forward, ways=tuple(replace(way, fate=other) for way in forward.ways))
    )


def test_seen_is_told() -> None:
    """In words."""
    packet = Packet("b", "10.1.0.2", 5, "10.2.0.2", 53)
    assert Seen(None, None).told == "lost"
    assert Seen(packet, None).told == "delivered to b as 10.1.0.2:5 -> 10.2.0.2:53, no answer arrives"
