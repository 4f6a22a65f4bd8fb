"""A topology drawn: chosen, folded where it is much, laid out once, and written in several formats.

    topology ──strands, tree, alike, build──> scene ──columns, heights, lanes, place──> geometry ──> text, svg, html
                                                └──> dot, mermaid (which have a layout of their own)

Rules of the room:

* It asks nothing by itself: what is not in the topology yet, that asks through its `Inspector`. The only thing that is read
  are the page's own assets.
* One file a format, one row in `TABLE`.
* Deterministic: whatever is iterated has a stable order, and nothing is random.
* Every name is made harmless when it becomes a text of the scene (`nswire.escape`), and escaped once more by each format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire.draw import dot, html, mermaid, svg, text
from nswire.draw.build import Followed, Grouping, Size, picture
from nswire.draw.selection import HOPS, Wishes

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.draw.scene import Scene

__all__ = ["HOPS", "TABLE", "Followed", "Format", "Grouping", "Size", "Wishes", "by_suffix", "picture"]


class Format(NamedTuple):
    """A format: its name, the suffixes of its files, and what draws it. `details`: it tells all that can be asked of links."""

    name: str
    suffixes: tuple[str, ...]
    draw: Callable[[Callable[[Size], Scene]], str]
    details: bool = False


def _single(draw: Callable[[Scene], str]) -> Callable[[Callable[[Size], Scene]], str]:
    """A format without limits."""
    return lambda make: draw(make(Size()))


TABLE = (
    Format("text", (".txt",), text.text),
    Format("svg", (".svg",), _single(svg.svg)),
    Format("html", (".html", ".htm"), _single(html.html), details=True),
    Format("dot", (".dot", ".gv"), _single(dot.dot)),
    Format("mermaid", (".mmd", ".mermaid"), mermaid.mermaid),
)


def by_suffix(file: str) -> str | None:
    """The name of the format of a file; None if its suffix is that of none."""
    return next((one.name for one in TABLE if file.lower().endswith(one.suffixes)), None)
