"""Namespaces in a row whose links are numbered alike: laboratories look so, and so may somebody who wants us to count."""

from __future__ import annotations

import resource
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from labs import LEFT, RIGHT, chain

import nswire
from nswire.host.live import Live
from nswire.host.replay import Recorded
from nswire.model.values import End
from nswire.sources import ALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from nswire.host.system import Answer, Errand
    from nswire.model.topology import Topology

LENGTH = 250


class Counting(Live):
    """This machine, and how many questions it was asked."""

    asked = 0

    def visit(self, errands: Iterable[Errand], deliver: Callable[[Errand, list[Answer]], None]) -> None:
        def counted() -> Iterator[Errand]:
            for errand in errands:
                self.asked += len(errand.questions)
                yield errand

        super().visit(counted(), deliver)


def pairs(topology: Topology) -> set[frozenset[End]]:
    """The pairs that were found."""
    return {frozenset((link.end, link.peer.end)) for link in topology if link.peer}


@pytest.mark.usefixtures("private_host")
@pytest.mark.parametrize("mac", [None, "02:00:00:00:00:01"])
@pytest.mark.parametrize("sources", [None, ALL])
def test_a_chain_takes_as_many_questions_as_it_is_long(
    tmp_path: Path, mac: str | None, sources: tuple[str, ...] | None
) -> None:
    """Every pair is found and right, also where all links look alike; it used to take the square of it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    with chain(LENGTH, mac=mac) as lab:
        true = {
            frozenset((End(one.inode, RIGHT), End(other.inode, LEFT)))
            for one, other in pairwise(lab.namespaces)
        }
        system = Counting()
        assert pairs(nswire.scan(system, sources)) >= true
        assert system.asked < 40 * LENGTH
        if not mac and not sources:
            nswire.record(tmp_path / "chain.nsw")
            assert pairs(nswire.scan(Recorded.open(tmp_path / "chain.nsw"))) >= true
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
