"""What could not be seen is told for good when all else of an answer is made: lists and exit status never disagree."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import click
import pytest

import nswire
from nswire.cli.common import Answer, Options, give, status
from nswire.host.replay import Recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.topology import Topology

RECORDING = Path(__file__).parent.parent / "recordings" / "7.3.nsw"
OPTIONS = Options(str(RECORDING), as_json=True, color="never", strict=True, how=True)


@pytest.fixture
def topology() -> Iterator[Topology]:
    with ZipFile(RECORDING) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    with click.Context(click.Command("ls")):
        yield nswire.scan(Recorded.fake(members))


def asks_more(topology: Topology) -> list[str]:
    """Something that is made on the way, and finds that facets of that machine cannot be read."""
    return [wire.relation for wire in topology.all_wires()][:1]


@pytest.mark.parametrize("part", ["parts", "how", "facts"])
def test_gaps_of_whatever_part_are_in_the_document(topology: Topology, part: str) -> None:
    """Also those that come up while the classic commands are found, which stand behind them."""
    before = len(topology.gaps)
    nothing: dict[str, object] = {
        "parts": lambda _: [],
        "text": lambda _: None,
        "how": list,
        "facts": lambda _: {},
    }
    asking = {
        "parts": lambda _: [("links", asks_more(topology))],
        "how": lambda: asks_more(topology),
        "facts": lambda _: {"some": asks_more(topology)},
    }
    out = io.StringIO()
    give(topology, OPTIONS, "ls", Answer(**{**nothing, part: asking[part]}), out)  # type: ignore[arg-type]
    told = json.loads(out.getvalue())["gaps"]
    assert len(told) == len(topology.gaps) > before
    assert {gap["code"] for gap in told} >= {"tc.redirects", "ovs.bridges"}


def test_what_is_asked_after_the_answer_changes_no_status(topology: Topology) -> None:
    """An answer that was complete stays so, and one that was not does not become it."""
    gaps = topology.close()
    asks_more(topology)
    assert topology.gaps is gaps
    assert status(topology, OPTIONS) == (3 if gaps else 0)


def test_text_tells_the_same(topology: Topology, capsys: pytest.CaptureFixture[str]) -> None:
    """Gaps stand before the classic commands, and are those that come up while these are found, too."""
    answer = Answer(lambda _: [], lambda _: None, lambda: asks_more(topology))
    give(topology, OPTIONS._replace(as_json=False), "ls", answer)
    said = capsys.readouterr().out
    assert "where tc sends packets" in said or "--json shows all" in said
    assert said.index("not seen: ") < said.index("The same with classic commands")
