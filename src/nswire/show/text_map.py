"""`nswire map` on a terminal: the lines that `draw` made, painted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.draw import text
from nswire.draw.canvas import ASCII
from nswire.show.terminal import Span

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.draw.build import Size
    from nswire.draw.scene import Scene
    from nswire.show.terminal import Paper


def write_map(paper: Paper, make: Callable[[Size], Scene]) -> None:
    """The picture, no wider than the paper if that can be done. Its texts are harmless since it is one."""
    for line in text.lines(make, paper.columns or text.NATURAL):
        paper.print(
            *(Span(piece if paper.unicode else piece.translate(ASCII), style) for piece, style in line)
        )
