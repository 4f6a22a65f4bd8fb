"""What is supposed of a packet about what cannot be known, so that all of one walk's rules are told the same.

Two rules that ask for the same unknown thing do not choose independently: whoever is taken for longer than 100 bytes by one of them is so for the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.model.firewall import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from nswire.model.firewall import Test
    from nswire.path.netfilter.compare import Known
    from nswire.path.values import Packet

Span = tuple[int, int]
LASTING = (
    "ip id", "ip6 flowlabel", "tcp sequence", "tcp window", "icmp id", "icmp sequence", "icmp checksum", "icmpv6 id", "icmpv6 sequence",
    "length", "ip length", "ip6 length", "udp length", "tcp doff", "skuid", "skgid", "cgroup", "tcp option", "time", "hour", "day", "utc ", "@ih",
)  # fmt: skip
"""What a packet keeps on all its way (by how the names of keys begin): nobody changes it, or what does so is not followed."""
CHOSEN = (
    "th sport",
    "tcp sport",
    "udp sport",
    "th dport",
    "tcp dport",
    "udp dport",
    "ct original proto-src",
    "ct reply proto-dst",
)
"""Ports of which the range is known: as long as that is the same, so is the port."""


class Supposed:
    """What one walk supposes, by the thing."""

    def __init__(self) -> None:
        self._spans: dict[Hashable, list[Span]] = {}
        self._taken: dict[Hashable, bool] = {}

    def thing(self, test: Test, known: Known, packet: Packet) -> Hashable | None:
        """What a test of one key is about, if that lasts. None: at each place it may be something else."""
        key = test.keys[0]
        if test.bits or test.set is not None or any(isinstance(row[0], str) for row in test.rows):
            return None
        if isinstance(known, tuple) and type(known) is tuple and key.name in CHOSEN:
            return key.name.split()[-1], known, packet.flow, packet.answer, key.mask, key.shift
        if key.name.startswith(LASTING):
            return key.name, packet.flow, packet.answer, key.mask, key.shift
        return None

    def told(self, thing: Hashable, test: Test) -> bool | None:
        """Whether a test holds by what was supposed until now, before it is negated."""
        mine = self._spans.get(thing)
        if mine is None:
            return None
        inside = _within(mine, [row[0] for row in test.rows])  # type: ignore[misc]
        if not inside:
            return False
        return True if inside == mine else None

    def suppose(self, thing: Hashable, test: Test, known: Known, *, holds: bool) -> None:
        """From now on it holds, or does not, before it is negated."""
        whole = known if isinstance(known, tuple) and type(known) is tuple else ANYTHING
        mine = self._spans.get(thing, [whole])
        cells: Sequence[Span] = [row[0] for row in test.rows]  # type: ignore[misc]
        self._spans[thing] = _within(mine, cells if holds else _others(cells))

    def forget(self) -> None:
        """Something was changed that may be what was supposed."""
        self._spans.clear()
        self._taken.clear()

    def taken(self, condition: Hashable) -> bool | None:
        """What was supposed of a condition of which no more is known."""
        return self._taken.get(condition)

    def take(self, condition: Hashable, *, holds: bool) -> None:
        """From now on it is so."""
        self._taken[condition] = holds


def _merged(spans: Sequence[Span]) -> list[Span]:
    found: list[Span] = []
    for low, high in sorted(one for one in spans if one[0] <= one[1]):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return found


def _within(spans: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """What is in both."""
    return _merged([(max(a, c), min(b, d)) for a, b in spans for c, d in others])


def _others(spans: Sequence[Span]) -> list[Span]:
    """All numbers that are in none of them."""
    found, first = [], 0
    for low, high in _merged(spans):
        found.append((first, low - 1))
        first = high + 1
    found.append((first, ANYTHING[1]))
    return [one for one in found if one[0] <= one[1]]
