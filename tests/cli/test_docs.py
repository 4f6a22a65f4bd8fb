"""What is written about the command line is what it does."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from nswire.cli import man
from nswire.show.documents import DOCUMENTS
from nswire.show.terminal import LEGEND, STYLES

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = re.findall(r"```json\n(.*?)```", (DOCS / "json.md").read_text(), re.DOTALL)


def test_the_manual_page_is_made_from_the_commands() -> None:
    made, committed = man.page(), (DOCS / "nswire.1").read_text()
    assert made == committed, "make it anew: python -m nswire.cli.man > docs/nswire.1"


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_are_documents(text: str) -> None:
    name = msgspec.json.decode(text)["schema"].removeprefix("nswire/")
    document = msgspec.json.decode(text, type=DOCUMENTS[name])
    # what the types do not know is dropped in decoding: nothing may be missing on the way back
    assert msgspec.json.decode(msgspec.json.encode(document)) == msgspec.json.decode(text)


def test_every_document_has_an_example() -> None:
    assert {msgspec.json.decode(text)["schema"] for text in EXAMPLES} == {
        f"nswire/{name}" for name in DOCUMENTS
    }


def test_every_style_has_its_meaning_in_the_man_page() -> None:
    """But those of a drawing, which has a legend of its own."""
    text = man.page()
    assert {style for style in STYLES if style not in ("", "head") and not style[1:].isdigit()} == set(LEGEND)
    for colour, _ in LEGEND.values():
        assert f".B {colour}\n" in text
