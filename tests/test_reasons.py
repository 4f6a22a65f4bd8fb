"""Reasons are values: each has a code of its own, and its page is that of the code."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nswire.model.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
STATE = Reason("test.state", "{port} is {state}", "TEST_STATE")
OUTER = Reason("test.outer", "its outer packet: {cause}")


def test_the_page_is_that_of_the_code() -> None:
    """docs/reasons.md has every reason, and no code is there twice; `tools/reasons` writes it."""
    assert (
        subprocess.run([sys.executable, ROOT / "tools" / "reasons", "--check"], check=False).returncode == 0
    )


def test_a_cause_says_what_led_to_it() -> None:
    """Text, code, drop reason and root of a cause within another one."""
    inner = STATE(port="p{0}", state="blocking")
    outer = OUTER(cause=inner)
    assert str(outer) == "its outer packet: p{0} is blocking"
    assert (outer.code, outer.drop, outer.root, outer.values) == (
        "test.outer",
        "TEST_STATE",
        inner,
        {"cause": inner},
    )


def test_a_value_that_the_sentence_has_not_is_refused() -> None:
    """And one that it has must be given: a sentence never shows a brace."""
    with pytest.raises(KeyError, match="port"):
        STATE(state="blocking")


TEXTS = frozenset(
    "text why what hint where note notes said_by caption told sentence effect because unseen left_out".split()
)
"""Attributes that are sentences, or have some in them."""
NAMES = frozenset("note notes why hint sentence caption".split())
LOOKS = frozenset(
    "startswith endswith find index removeprefix removesuffix partition rpartition match fullmatch search".split()
)
READERS = ("codec", "host", "lab")
"""What reads texts of others, whose attributes of these names are what was read."""


def sentences_looked_at(file: Path) -> Iterator[str]:
    """Where a file compares a sentence, or looks for something in one."""

    def sentence(node: ast.expr) -> bool:
        if isinstance(node, ast.Name):
            return node.id in NAMES
        return isinstance(node, ast.Attribute) and node.attr in TEXTS

    for node in ast.walk(ast.parse(file.read_text())):
        wrong = False
        if isinstance(node, ast.Compare):
            wrong = any(map(sentence, (node.left, *node.comparators)))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOOKS:
            wrong = any(map(sentence, (node.func.value, *node.args)))
        elif isinstance(node, ast.Match):
            wrong = sentence(node.subject)
        if wrong:
            yield f"{file.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"  # type: ignore[attr-defined]


def test_no_logic_looks_at_a_sentence() -> None:
    """What is decided is decided by codes: wording may change at any time, and nothing else with it."""
    files = [
        file
        for file in (ROOT / "src").rglob("*.py")
        if file.relative_to(ROOT / "src" / "nswire").parts[0] not in READERS
    ]
    assert [found for file in files for found in sentences_looked_at(file)] == []
