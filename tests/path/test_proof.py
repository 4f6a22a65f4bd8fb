"""Packets really sent, in random networks: they go where it was said that they would. `make accuracy` does it at length."""

from __future__ import annotations

import os

import path_proof
import pytest

NETWORKS = max(6, round(24 * float(os.environ.get("NSWIRE_SCALE", "1"))))
LEAST = 0.9  # of the packets, whose fate must be told

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("nft", "iptables-nft", "iptables-legacy", "bridge"),
    pytest.mark.usefixtures("private_host"),
]


@pytest.fixture(scope="module")
def have() -> frozenset[str]:
    """What this kernel can make."""
    return path_proof.kinds()


@pytest.fixture(scope="module")
def verdicts() -> list[path_proof.Verdict]:
    """All that were reached, for the last test."""
    return []


@pytest.mark.parametrize("seed", range(NETWORKS))
def test_packets_go_where_it_is_said_that_they_do(
    seed: int, have: frozenset[str], verdicts: list[path_proof.Verdict]
) -> None:
    """No fate, and no way, is told wrong."""
    found = path_proof.prove(seed, have)
    verdicts += found
    assert found
    assert [one.told for one in found if one.wrong] == []


def test_the_fate_of_most_is_told(verdicts: list[path_proof.Verdict]) -> None:
    """Who never says anything is never wrong."""
    if not verdicts:
        pytest.skip("none was sent")
    told = [one for one in verdicts if one.right is not None]
    assert len(told) >= LEAST * len(verdicts)
    assert {one.said for one in told} >= {"delivered", "dropped"}
