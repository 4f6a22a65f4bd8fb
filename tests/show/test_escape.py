"""No character from outside reaches a terminal that could do anything there, and no two names look the same."""

from __future__ import annotations

import json
import os
import subprocess
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nswire.escape import visible
from nswire.show import jsonout
from nswire.show.escape import shell_word

anything = st.text(st.characters(exclude_categories=()))  # surrogates, too: bytes that are no UTF-8


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("eth0", "eth0"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb\tc", "a\\x0ab\\x09c"),
        ("a\u202eb", "a\\u202eb"),
        ("\x9b", "\\u009b"),
        ("\udcff", "\\xff"),
        ("\ud800", "\\ud800"),
        ("\\x1b", "\\\\x1b"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("\u3164", "\\u3164"),
        ("\u0301x", "\\u0301x"),
        ("e\u0301", "e\u0301"),
        ("日本🎉", "日本🎉"),
        ("customer 17", "customer 17"),
        ("two  columns ", "two\\x20\\x20columns\\x20"),
        ("\U000e0041", "\\U000e0041"),
        ("\U000e0101", "\\U000e0101"),
        ("<script>[bold]&", "<script>[bold]&"),
        ("", ""),
    ],
)
def test_what_is_shown(name: str, shown: str) -> None:
    assert visible(name) == shown


@given(anything)
def test_nothing_invisible_survives(name: str) -> None:
    shown = visible(name)
    assert shown.isprintable()
    assert not any(
        unicodedata.category(character) in {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"} for character in shown
    )
    assert "  " not in shown
    shown.encode()


@given(anything, anything)
def test_two_names_never_look_the_same(one: str, other: str) -> None:
    """Otherwise a name could pass as the escaped form of another one."""
    assert (visible(one) == visible(other)) == (one == other)


@given(anything)
def test_json_is_exact_and_prints_nothing_invisible(name: str) -> None:
    text = jsonout.dumps({"name": name})
    assert json.loads(text)["name"] == name
    assert text.isprintable()


@given(st.binary().filter(lambda name: b"\0" not in name))
def test_json_gives_back_the_exact_bytes(name: bytes) -> None:
    """docs/json.md promises this recipe."""
    assert os.fsencode(json.loads(jsonout.dumps(os.fsdecode(name)))) == name


@pytest.mark.parametrize(
    "name",
    [
        b"eth0",
        b"it's",
        b"$(touch /x)`id`",
        b"\x1b[31m",
        b"\xff\xfe",
        "日本 🎉".encode(),
        b"a\nb\\",
        b"-x",
        b"!",
        b"",
    ],
)
def test_a_shell_reads_back_the_exact_name(name: bytes) -> None:
    """`--how` is there to be pasted."""
    script = b"printf %s " + shell_word(os.fsdecode(name)).encode()
    assert subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout == name


@given(anything)
def test_a_shell_word_prints_nothing_invisible(name: str) -> None:
    assert shell_word(name).isprintable()
