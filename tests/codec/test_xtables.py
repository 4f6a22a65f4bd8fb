"""Each extension that iptables, ebtables and arptables have is in a table: what it does, or why nobody can say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nswire.codec.xtables import frames, rule, targets
from nswire.codec.xtables.headers6 import HEADERS6
from nswire.codec.xtables.undecided import HARMLESS, UNDECIDED

FOLDERS = [
    Path(f"/usr/lib/{one}/xtables")
    for one in ("x86_64-linux-gnu", "aarch64-linux-gnu", "../lib64", "../lib/xtables")
]
INSTALLED = re.compile(r"lib(xt|ipt|ip6t|ebt|arpt)_(\w+)\.so")
NO_EXTENSION = {
    "standard",
    "NAT",
}  # verdicts; several targets in one file, which have files of their own names
OF_FRAMES = {**frames.OF, **frames.FRAME_TARGETS}


def _installed() -> list[tuple[str, str]]:
    found = {
        INSTALLED.fullmatch(path.name) for folder in FOLDERS if folder.is_dir() for path in folder.iterdir()
    }
    return sorted({(one[1], one[2]) for one in found if one is not None})


def test_all_that_are_installed() -> None:
    """None is missing: one that nobody knows of would be a condition or a target that is not understood, though it could be."""
    missing = []
    for kind, name in _installed():
        if name in NO_EXTENSION:
            continue
        known = {
            "xt": name in rule.ALL or name in targets.TARGETS,
            "ipt": name in rule.V4 or name in targets.TARGETS,
            "ip6t": name in rule.V6 or name in targets.TARGETS,
            "ebt": name in OF_FRAMES,
            "arpt": name == "mangle",
        }[kind]
        if not known:
            missing.append(f"{kind}_{name}")
    assert not missing


def test_reasons() -> None:
    """What is left out, or left open, says why."""
    assert all(HARMLESS.values())
    assert not set(HARMLESS) & set(UNDECIDED)
    assert set(HEADERS6) <= set(rule.V6)


@pytest.mark.parametrize("option", [name for name in frames.READERS if name.startswith("--")])
def test_options_of_frames(option: str) -> None:
    """Each is of a match, or of all rules."""
    assert frames.module(option) or option.startswith("--logical-")
