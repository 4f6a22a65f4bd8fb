"""An enriched topology is a value: it says the same as the machine that was asked, is pickled, and asks nothing any more.

So what `draw`, `handles`, `resolve` and `show` say depends on nothing else, and no gap comes up while they say it.
"""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

import nswire
from nswire import sources
from nswire.draw import TABLE, Wishes, picture
from nswire.host.replay import Recorded
from nswire.show import jsonout
from nswire.show.to_documents import Builder
from nswire.show.to_documents_reasons import gaps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nswire.draw.build import Size
    from nswire.draw.scene import Scene
    from nswire.host.system import Answer, Errand

RECORDINGS = Path(__file__).parent.parent / "recordings"


class Counted:
    """A recorded machine that counts what it is asked."""

    def __init__(self, name: str) -> None:
        with ZipFile(RECORDINGS / name) as packed:
            self._system = Recorded.fake({member: packed.read(member) for member in packed.namelist()})
        self.asked: list[str] = []

    def host(self, name: str) -> Answer:
        self.asked.append(name)
        return self._system.host(name)

    def visit(self, errands: Iterable[Errand], deliver: Callable[[Errand, list[Answer]], None]) -> None:
        def counted() -> Iterator[Errand]:
            for errand in errands:
                self.asked += [question.name for question in errand.questions]
                yield errand

        self._system.visit(counted(), deliver)


def said(topology: nswire.Topology) -> dict[str, object]:
    """All that is said of a topology: every document, every format of its picture, what handles mean."""
    build = Builder(topology)

    def make(size: Size) -> Scene:
        return picture(topology, Wishes(), size=size)

    links = list(topology)
    found: dict[str, list[object]] = {
        "links": [build.link(link) for link in links],
        "shown": [build.shown("x", link) for link in links],
        "peers": [build.peer("x", link) for link in links],
        "namespaces": [build.namespace(ns) for ns in topology.namespaces.values()],
        "titles": [topology.title(ns) for ns in topology.namespaces.values()],
    }
    handles = {
        word: [match.unique for match in nswire.find(topology, word)] for word in ("lo", "eth0", "69", "host")
    }
    pictures = {one.name: one.draw(make) for one in TABLE}
    documents = {name: [jsonout.dumps(one) for one in some] for name, some in found.items()}
    return (
        documents
        | handles
        | pictures
        | {"gaps": [json.loads(jsonout.dumps(one)) for one in gaps(topology.gaps)]}
    )


@pytest.mark.parametrize("name", ["7.3.nsw"])
def test_a_value_says_what_the_machine_says(name: str) -> None:
    """Live, in whatever order it is asked; and from a pickle, when the machine is gone."""
    machine = Counted(name)
    live = nswire.scan(machine, sources.ALL, addresses=False)
    value = live.enriched()
    asked, unseen = len(machine.asked), live.gaps
    kept = pickle.loads(pickle.dumps(value))
    told = said(kept)
    assert said(value) == told
    assert said(live) == told
    assert machine.asked[asked:] == [], "nothing was left to ask"
    assert kept.gaps == value.gaps == unseen == live.gaps


def test_a_value_of_a_value_is_the_same() -> None:
    """Nothing is lost when it is enriched again."""
    value = nswire.scan(Counted("7.3.nsw")).enriched()
    assert said(value.enriched()) == said(value)
