"""Spans of text with a meaning, and the colours that stand for the meanings. Escaping happens here, so nowhere else."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, NamedTuple

from nswire.escape import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = "  "  # between two things on one line

# SGR codes. A colour means something, or it is not there; what it means is in `LEGEND`, or said with each drawing.
STYLES = {
    "": "",
    "netns": "36",
    "name": "1",
    "up": "32",
    "down": "31",
    "owner": "35",
    "doubt": "33",
    "dim": "2",
    "head": "1",
    # networks of a drawing: one colour, one network
    "n1": "94",
    "n2": "95",
    "n3": "96",
    "n4": "92",
    "n5": "34",
    "n6": "35",
}
LEGEND = {
    "name": ("bold", "a link, a heading"),
    "netns": ("cyan", "a namespace"),
    "up": ("green", "up; a packet that is delivered, or leaves"),
    "down": ("red", "down; a packet that is dropped or refused"),
    "owner": ("magenta", "whose it is: a container, pod, VM ..."),
    "doubt": ("yellow", "not proved, ambiguous, hidden or not known"),
    "dim": ("dim", "evidence, reasons, what was not seen"),
}


class Span(NamedTuple):
    """A piece of one line. `text` is escaped already: make spans with `span`."""

    text: str
    style: str = ""


Line = tuple[Span, ...]


def span(text: object, style: str = "") -> Span:
    """A piece of text from wherever it comes, harmless from here on."""
    return Span(visible(str(text)), style)


def line(*parts: Span | str) -> Line:
    """Spans one after the other; plain strings are our own words and stay as they are."""
    return tuple(Span(part) if isinstance(part, str) else part for part in parts)


def width(spans: Line) -> int:
    """The columns it takes on a terminal."""
    return sum(_width(piece.text) for piece in spans)


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # the tables of wide characters; loaded when there is one

    return cell_len(text)


class Paper:
    """Where text goes: a stream, its width (None: as wide as needed), with colours or without."""

    def __init__(self, out: IO[str], *, columns: int | None, color: bool) -> None:
        self._out = out
        self.columns = columns
        self._color = color
        unicode = (getattr(out, "encoding", None) or "utf-8").lower().replace("-", "").startswith("utf")
        self.unicode = unicode
        self.branch, self.last, self.trunk = ("├─ ", "└─ ", "│  ") if unicode else ("|- ", "`- ", "|  ")

    def print(self, *parts: Span | str) -> None:
        """One line."""
        self._out.write(self._paint(line(*parts)).rstrip(" ") + "\n")

    def _paint(self, spans: Line) -> str:
        if not self._color:
            return "".join(piece.text for piece in spans)
        return "".join(
            f"\x1b[{STYLES[piece.style]}m{piece.text}\x1b[0m" if piece.style and piece.text else piece.text
            for piece in spans
        )


def fold(paper: Paper, start: Line, words: Sequence[Line], below: Line | None = None, gap: str = GAP) -> None:
    """Write words one after the other, on as many lines as they need; none is ever split.

    The first line starts with `start`, the others with `below`, which is as good as `start` if it is not given.
    """
    current, used, empty = start, width(start), True
    for word in words:
        size = width(word)
        if paper.columns is not None and not empty and used + len(gap) + size > paper.columns:
            paper.print(*current)
            current, empty = (start if below is None else below), True
            used = width(current)
        between = "" if empty else gap
        current = (*current, Span(between), *word)
        used += len(between) + size
        empty = False
    paper.print(*current)


def fold_text(paper: Paper, start: Line, text: str, style: str = "", below: Line | None = None) -> None:
    """Write a sentence, folded between words, each further line two columns further in than `below`, or else than `start`."""
    words = [(Span(word, style),) for word in visible(text).split(" ")]
    fold(paper, start, words, (*(start if below is None else below), Span("  ")), gap=" ")
