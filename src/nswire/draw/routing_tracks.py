"""Lanes: the vertical parts of cords between two columns, each in a lane of its own wherever it meets another."""

from __future__ import annotations

from typing import NamedTuple


class Crossing(NamedTuple):
    """A cord between two columns: it leaves the left one at `y1` and comes to the right one, or back, at `y2`."""

    key: str
    y1: int
    y2: int
    back: bool


def lanes(crossings: list[Crossing], apart: int) -> tuple[dict[str, int], int]:
    """The lane of each cord that needs one, from the left, and how many there are.

    Those that come back are the innermost, shorter ones within longer ones. Of those that go down, the lower is further to
    the left, of those that go up, the upper: so none crosses another that starts and ends beside it. Two whose vertical
    parts are nearer than `apart` never share a lane.
    """
    needing = [one for one in crossings if one.back or one.y1 != one.y2]
    levels = sorted({y for one in needing for y in (one.y1, one.y2)})
    at = {y: number for number, y in enumerate(levels)}
    near = _near(levels, apart)
    used = [0] * len(levels)  # at each height: the lanes that are taken from the left
    found: dict[str, int] = {}
    for one in sorted(needing, key=_turn):
        first, last = sorted((one.y1, one.y2))
        start, stop = at[first], at[last] + 1
        lane = max(used[near[start][0] : near[stop - 1][1]])
        found[one.key] = lane
        used[start:stop] = [lane + 1] * (stop - start)
    return found, max(used, default=0)


def _turn(one: Crossing) -> tuple[int, int, int]:
    if one.back:
        return (0, abs(one.y1 - one.y2), one.y1)
    return (1, -one.y1, one.y2) if one.y2 > one.y1 else (2, one.y1, one.y2)


def _near(levels: list[int], apart: int) -> list[tuple[int, int]]:
    """For each height the range of heights that are nearer than `apart`."""
    found = []
    start = stop = 0
    for level in levels:
        while levels[start] <= level - apart:
            start += 1
        while stop < len(levels) and levels[stop] < level + apart:
            stop += 1
        found.append((start, stop))
    return found
