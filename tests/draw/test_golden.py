"""Every format of two topologies, byte by byte: a change of the drawing is seen in the change's own diff.

`make golden` writes them anew; look at them before you commit them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import nswire
from nswire.draw import TABLE, picture
from nswire.draw.html import SCRIPTS, inert
from nswire.draw.svg import asset

if TYPE_CHECKING:
    from nswire.draw import Format
    from nswire.model.topology import Topology

GOLDEN = Path(__file__).parent / "golden"
WRITE = os.environ.get("NSWIRE_GOLDEN") == "write"
SUFFIX = {one.name: one.suffixes[0] for one in TABLE}


def drawn(topology: Topology, one: Format) -> str:
    """What a format makes of it, without the style and script that are the same on each."""
    text = one.draw(lambda size: picture(topology, size=size))
    for name in ("drawing.css", "page.css", *SCRIPTS):
        text = text.replace(asset(name), "").replace(inert(asset(name)), '""')
    return re.sub(r"'sha256-[^']*'", "'sha256-'", text)


@pytest.fixture(scope="session")
def blog() -> Topology:
    """The demo's network, as it was recorded."""
    return nswire.load(os.path.relpath(GOLDEN / "blog.nswire"))


@pytest.mark.usefixtures("blog")  # opened before the test, and so before what it leaves behind is looked for
@pytest.mark.parametrize("one", TABLE, ids=lambda one: one.name)
@pytest.mark.parametrize("name", ["everything", "blog"])
def test_every_format_is_as_it_was(name: str, one: Format, request: pytest.FixtureRequest) -> None:
    text = drawn(request.getfixturevalue(name), one)
    file = GOLDEN / f"{name}{SUFFIX[one.name]}"
    if WRITE:
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8"), "if that is meant: make golden"


@pytest.mark.parametrize("columns", [80, 200])
def test_the_text_in_other_widths(blog: Topology, columns: int) -> None:
    from nswire.draw.text import text

    made = text(lambda size: picture(blog, size=size), columns)
    file = GOLDEN / f"blog-{columns}.txt"
    if WRITE:
        file.write_text(made, encoding="utf-8")
    assert made == file.read_text(encoding="utf-8"), "if that is meant: make golden"


def test_it_is_the_same_whatever_the_hashes_are() -> None:
    """Sets and dicts of strings are ordered anew in each process: none of that may be seen."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import drawings\n"
        "from nswire.draw import TABLE, picture\n"
        "import hashlib\n"
        "for topology in (drawings.build_everything(), drawings.build_many(300, down=9)):\n"
        "    for one in TABLE:\n"
        "        print(hashlib.sha256(one.draw(lambda size: picture(topology, size=size)).encode()).hexdigest())\n"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", code, str(Path(__file__).parent)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(made) == 1
