"""The churning child changes things without pause, marks every pair, and leaves nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from nswire.lab.lab import wait_until
from nswire.lab.mutator import Churn, mac_of, number_of
from nswire.lab.private import in_private_host

if TYPE_CHECKING:
    from collections.abc import Callable

    Ip = Callable[..., list[dict[str, Any]]]


@pytest.mark.parametrize("number", [0, 1, 255, 65536, 2**24 - 1])
@pytest.mark.parametrize("side", [0, 1])
def test_a_mac_carries_number_and_side(number: int, side: int) -> None:
    assert number_of(mac_of(number, side)) == (number, side)


def test_other_macs_carry_none() -> None:
    assert number_of("fa:16:3e:98:e6:f3") is None
    assert number_of("") is None


def at_home(ip: Ip) -> dict[str, int]:
    return {link["address"]: link["ifindex"] for link in ip("link") if link["ifname"] != "lo"}


@in_private_host
def test_things_change_while_one_looks_and_nothing_is_left(ip: Ip) -> None:
    with Churn(1) as one, Churn(2) as two:
        pictures = {str(at_home(ip)) for _ in range(100)}
        assert len(pictures) > 5
        # Every link at home is one of theirs, at every moment.
        numbers = [number_of(mac) for mac in at_home(ip)]
        assert None not in numbers
        assert {number[0] >> 16 for number in numbers if number} <= {1, 2}
    for churn in (one, two):
        assert churn.operations["create"] > 0
        assert not os.path.exists(f"/proc/{churn.pid}")
    assert os.listdir("/run/netns") == []
    wait_until(lambda: not at_home(ip))


@in_private_host
def test_it_ends_with_its_parent() -> None:
    """Closing its stdin is what a killed parent amounts to."""
    churn = Churn(3)
    assert churn._child.stdin
    churn._child.stdin.close()
    assert churn._child.wait(timeout=10) == 0
    assert churn._child.stdout
    churn._child.stdout.close()
