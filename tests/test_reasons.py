"""Reasons are values: each has a code of its own, and its page is that of the code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nswire.model.reasons import Reason

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
