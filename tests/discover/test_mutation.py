"""Links and namespaces are made, moved, renamed and deleted without pause while nswire looks, again and again."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

import nswire
from nswire.lab.mutator import Churn, number_of
from nswire.sources import ALL

if TYPE_CHECKING:
    from collections.abc import Callable

SCANS = 200


@pytest.mark.usefixtures("lab")
def test_no_wrong_pair_while_everything_changes(rounds: Callable[[int], int]) -> None:
    """A pair is claimed only if it is one: its number is in both MACs, whatever state the moment was in."""
    scans = rounds(SCANS)
    seen: Counter[str] = Counter()
    with Churn(1) as one, Churn(2) as other:
        for turn in range(scans):
            topology = nswire.scan(sources=ALL if turn % 10 == 0 else None)
            for link in topology:
                mine = number_of(link.fact.address) if link.fact.address else None
                if mine is None:
                    continue
                peer = link.peer
                if peer is None:
                    assert link.loose is not None, "a peer that is not named is explained"
                    assert topology.gaps, "and is a gap in the answer"
                    continue
                theirs = number_of(peer.fact.address)
                assert theirs == (mine[0], 1 - mine[1]), f"{link} {mine} is no peer of {peer} {theirs}"
                seen["pairs"] += 1
        one.stop()
        other.stop()
    assert seen["pairs"] > scans * 5
    for deed in ("create", "move", "rename", "delete", "replace"):
        assert one.operations[deed] + other.operations[deed] > scans // 10, (
            f"{one.operations} {other.operations}"
        )
