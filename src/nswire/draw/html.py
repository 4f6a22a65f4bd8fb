"""The picture as a page in one file: the same SVG, with what is known of each thing, to be searched and followed.

The page loads nothing and may load nothing: its policy forbids all but the very style and script that are in it, by their
hashes. What came from the host is in the SVG, escaped, and in a block of JSON, in which nothing can end the block; the
script puts it into the page as text only. Without scripts the picture is there all the same.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from nswire.draw.data import data
from nswire.draw.layout import lay_out
from nswire.draw.svg import EDGE, PIXELS, asset, document

if TYPE_CHECKING:
    from nswire.draw.scene import Scene

SCRIPTS = ("follow.js", "fans.js", "page.js")


def html(scene: Scene) -> str:
    """The page of a scene."""
    geometry = lay_out(scene, PIXELS)
    style = asset("drawing.css") + asset("page.css")
    script = '"use strict";\n(() => {\n' + "".join(asset(name) for name in SCRIPTS) + "})();\n"
    parts = {
        "policy": policy(style, script),
        "title": escape(f"{scene.title}, its network"),
        "style": style,
        "svg": "".join(document(geometry, "", live=True)),
        "data": inert(
            {**data(geometry), "edge": EDGE, "drawing": asset("drawing.css"), "title": scene.title}
        ),
        "script": script,
    }
    made = asset("page.html")
    head, *rest = made.split("{")
    return head + "".join(parts[name] + after for name, _, after in (part.partition("}") for part in rest))


def policy(style: str, script: str) -> str:
    """What the page may do: apply that style, run that script, nothing else."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


UNSAFE = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def inert(value: object) -> str:
    """A value as JSON that means nothing to HTML, wherever it stands in a page."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(UNSAFE)
