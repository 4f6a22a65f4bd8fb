"""Lines of SVG paths: corners rounded off, the signs at the ends of cords, the sign of a cord through which nothing passes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from nswire.model import relations

if TYPE_CHECKING:
    from nswire.draw.geometry import Path

RADIUS = 5


def rounded(path: Path) -> str:
    """The path with its corners rounded off."""
    parts = [f"M{path[0][0]} {path[0][1]}"]
    for before, corner, after in zip(path, path[1:], path[2:], strict=False):
        room = min(RADIUS, _long(before, corner) // 2, _long(corner, after) // 2)
        start, end = _towards(corner, before, room), _towards(corner, after, room)
        parts.append(f"L{start[0]} {start[1]}Q{corner[0]} {corner[1]} {end[0]} {end[1]}")
    parts.append(f"L{path[-1][0]} {path[-1][1]}")
    return "".join(parts)


def _long(a: tuple[int, int], b: tuple[int, int]) -> int:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def _towards(at: tuple[int, int], to: tuple[int, int], by: int) -> tuple[int, int]:
    (x, y), (x2, y2) = at, to
    return x + by * ((x2 > x) - (x2 < x)), y + by * ((y2 > y) - (y2 < y))


DOT = "m-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z"
SQUARE = "m-3.5 -3.5h7v7h-7z"
RING = "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0zm2.5 0a1.5 1.5 0 1 1 3 0a1.5 1.5 0 1 1 -3 0z"
ARROW = {1: "m1 0l-8 -4.5v9z", -1: "m-1 0l8 -4.5v9z"}  # by the direction in which the cord comes in

SIGNS = {"dot": DOT, "square": SQUARE, "ring": RING}


def end_signs(relation: str, path: Path) -> str:
    """The signs at both ends: what a wire is can be seen at where it ends."""
    (x1, y1), (x2, y2) = path[0], path[-1]
    came = path[-2][0]
    one, other = relations.of(relation).signs
    towards = ARROW[1 if x2 >= came else -1]
    return f"M{x1} {y1}{SIGNS.get(one, towards)}M{x2} {y2}{SIGNS.get(other, towards)}"


def middle(path: Path) -> tuple[int, int]:
    """The middle of the longest part."""
    (x1, y1), (x2, y2) = max(pairwise(path), key=lambda part: _long(*part))
    return (x1 + x2) // 2, (y1 + y2) // 2


def cut(path: Path) -> str:
    """A cross near the begin, where no lane is that could hide it."""
    (x, y), (x2, _) = path[0], path[1]
    x += 12 if x2 > x else -12
    return f"M{x - 4} {y - 4}l8 8m0 -8l-8 8"
