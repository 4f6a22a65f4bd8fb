"""The picture as a page in one file: the same SVG, with what is known of each thing, to be searched and followed.

The page loads nothing and may load nothing: its policy forbids all but the very style and script that are in it, by their
hashes. Where it is served, style and script come from the server, which says the policy too. What came from the host is in the SVG, escaped, and in a block of JSON, in which nothing can end the block; the
script puts it into the page as text only. Without scripts the picture is there all the same.
"""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING

from nswire.draw.layout import lay_out
from nswire.draw.page_data import data
from nswire.draw.svg import PIXELS, asset, document

if TYPE_CHECKING:
    from nswire.draw.scene import Scene

SCRIPTS = ("follow.js", "fans.js", "page.js")


STYLES = ("drawing.css", "page.css")


def html(scene: Scene) -> str:
    """The page of a scene."""
    look, act = style(), script()
    head = f'<meta http-equiv="Content-Security-Policy" content="{policy(look, act)}">\n'
    return _page(scene, head, f"<style>{look}</style>", f"<script>{act}</script>", {}, details=True)


def served(scene: Scene, more: dict[str, object]) -> str:
    """The same page for a server that has style and script beside it; `more` is put to what the page knows."""
    look = '<link rel="stylesheet" href="page.css">\n<link rel="icon" href="icon.svg">'
    return _page(scene, "", look, '<script src="page.js"></script>', more, details=False)


def style(*more: str) -> str:
    """The style of the page, and what else belongs to it."""
    return "".join((*map(asset, STYLES), *more))


def script(*more: str) -> str:
    """The script of the page, with what else belongs to it."""
    return '"use strict";\n(() => {\n' + "".join((*map(asset, SCRIPTS), *more)) + "begin();\n})();\n"


def _page(scene: Scene, head: str, look: str, act: str, more: dict[str, object], *, details: bool) -> str:
    geometry = lay_out(scene, PIXELS)
    parts = {
        "policy": head,
        "title": escape(f"{scene.title}, its network", quote=False),
        "style": look,
        "svg": "".join(document(geometry, "", live=True)),
        "data": inert(
            {
                **data(geometry, details=details),
                "drawing": asset("drawing.css"),
                **more,
            }
        ),
        "script": act,
    }
    made = asset("page.html")
    first, *rest = made.split("{")
    return first + "".join(parts[name] + after for name, _, after in (part.partition("}") for part in rest))


def policy(style: str, script: str) -> str:
    """What the page may do: apply that style, run that script, nothing else."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    import base64
    import hashlib

    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


UNSAFE = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def inert(value: object) -> str:
    """A value as JSON that means nothing to HTML, wherever it stands in a page."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(UNSAFE)
