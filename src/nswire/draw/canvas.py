"""A sheet of character cells, on which lines join where they meet and cross where they only pass."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from nswire.draw.geometry import cells

if TYPE_CHECKING:
    from nswire.draw.geometry import Path

Piece = tuple[str, str]
"""A text and its style."""

NORTH, EAST, SOUTH, WEST = 1, 2, 4, 8
JOINED = {
    NORTH | SOUTH: "│", EAST | WEST: "─", NORTH: "╵", EAST: "╶", SOUTH: "╷", WEST: "╴",
    NORTH | EAST: "└", NORTH | WEST: "┘", SOUTH | EAST: "┌", SOUTH | WEST: "┐",
    NORTH | SOUTH | EAST: "├", NORTH | SOUTH | WEST: "┤", EAST | WEST | SOUTH: "┬", EAST | WEST | NORTH: "┴",
    NORTH | EAST | SOUTH | WEST: "┼",
}  # fmt: skip
OTHERS = {
    "dashed": {"│": "┆", "─": "╌"},
    "dotted": {"│": "┊", "─": "┈"},
    "heavy": dict(zip("│─└┘┌┐├┤┬┴┼", "┃━┗┛┏┓┣┫┳┻╋", strict=True)),
}
"""The same signs in lines of another kind."""
ASCII = str.maketrans(
    {
        **dict.fromkeys("│┆┊║┃", "|"),
        **dict.fromkeys("─═╴╶━", "-"),
        **dict.fromkeys("╌┈", "."),
        **dict.fromkeys("└┘┌┐├┤┬┴┼╔╗╚╝╪┿┗┛┏┓┣┫┳┻╋", "+"),
        **dict.fromkeys("╵╷", "|"),
        "●": "*",
        "✕": "x",
        "\N{MULTIPLICATION SIGN}": "x",
        "▲": "!",
        "▸": ">",
        "◂": "<",
        "…": "~",
        "·": ",",
    }
)
"""Each sign as one that every terminal has."""


class Canvas:
    """The sheet. What is written later stands above what was there; lines join."""

    def __init__(self, width: int, height: int) -> None:
        self._letters: list[list[str]] = [[" "] * width for _ in range(height)]
        self._styles: list[list[str]] = [[""] * width for _ in range(height)]
        self._lines: dict[tuple[int, int], int] = {}

    def write(self, x: int, y: int, text: str, style: str = "") -> int:
        """Write a text; the column after it. A wide letter takes two cells, a combining one none."""
        letters, styles = self._letters[y], self._styles[y]
        for letter in text:
            size = cells(letter)
            if x + size > len(letters):
                break
            if not size:
                if x:
                    letters[x - 1] += letter
                continue
            letters[x : x + size] = [letter, *[""] * (size - 1)]
            styles[x : x + size] = [style] * size
            x += size
        return x

    def line(self, path: Path, style: str = "", dash: str = "") -> None:
        """Draw a line along a path: where it meets others, their ways are joined; two that pass cross."""
        for (x1, y1), (x2, y2) in pairwise(path):
            if y1 == y2:
                for x in range(min(x1, x2), max(x1, x2) + 1):
                    ways = (EAST if x < max(x1, x2) else 0) | (WEST if x > min(x1, x2) else 0)
                    self._join(x, y1, ways, style, dash)
            else:
                for y in range(min(y1, y2), max(y1, y2) + 1):
                    ways = (SOUTH if y < max(y1, y2) else 0) | (NORTH if y > min(y1, y2) else 0)
                    self._join(x1, y, ways, style, dash)

    def _join(self, x: int, y: int, ways: int, style: str, dash: str) -> None:
        joined = self._lines.get((x, y), 0) | ways
        self._lines[x, y] = joined
        if joined:
            letter = JOINED[joined]
            self._letters[y][x] = OTHERS.get(dash, {}).get(letter, letter)
            self._styles[y][x] = style

    def lines(self) -> list[tuple[Piece, ...]]:
        """The sheet, line by line, in pieces of one style each."""
        return [_pieces(letters, styles) for letters, styles in zip(self._letters, self._styles, strict=True)]


def _pieces(letters: list[str], styles: list[str]) -> tuple[Piece, ...]:
    made: list[Piece] = []
    start = 0
    while letters and letters[-1] == " ":
        letters = letters[:-1]
    for at in range(1, len(letters) + 1):
        if at == len(letters) or styles[at] != styles[start]:
            made.append(("".join(letters[start:at]), styles[start]))
            start = at
    return tuple(made) if letters else ()
