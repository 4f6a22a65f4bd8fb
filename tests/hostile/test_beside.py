"""What a hostile namespace has too much of changes nothing in what is said of the others."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from labs import FILL, hostile

from nswire.lab.lab import Lab

LONGEST = 60  # seconds, on a machine that has other things to do
ENOUGH = {"links": 1500, "veths": 1500, "nested": 1500, "routes": 20_000, "fdb": 20_000, "neighbours": 20_000, "rules": 20_000, "elements": 100_000}  # fmt: skip
ASKED = {
    "peer": ["peer", "good", "good0"],
    "ls": ["ls", "good"],
    "show": ["show", "good/eth0"],
    "path": ["path", "good", "10.65.0.1"],
    "path back": ["path", "self", "10.65.0.2:80"],
}
CHANGING = {"taken", "id", "statistics"}


def answers() -> dict[str, Any]:
    """What is said of `good`, and of what home has to do with it."""
    found = {}
    for name, words in ASKED.items():
        ran = subprocess.run(
            [sys.executable, "-m", "nswire", *words, "--json"],
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        assert ran.returncode in (0, 1), ran.stderr
        document = json.loads(ran.stdout)
        found[name] = {key: value for key, value in document.items() if key not in CHANGING | {"gaps"}}
    return found


@pytest.mark.usefixtures("private_host")
@pytest.mark.needs("ip", "nft", "bridge")
@pytest.mark.parametrize("kind", FILL)
def test_the_others_are_told_as_ever(kind: str) -> None:
    """The same documents before there is such a namespace and beside it."""
    with Lab() as lab:
        good = lab.namespace("named", "good")
        lab.pair(lab.home, "good0", good, "eth0")
        home, inside = lab.rtnl(lab.home), lab.rtnl(good)
        home.address(home.index("good0"), "10.65.0.1/24")
        inside.address(inside.index("eth0"), "10.65.0.2/24")
        inside.route("default", via="10.65.0.1")
        lab.release()
        before = answers()
        assert before["peer"]["results"][0]["peer"]["ifname"] == "good0"
        for way in ("path", "path back"):
            assert '"fate": "delivered"' in json.dumps(before[way]), "there is something to be spoiled"
        hostile(lab, kind, ENOUGH[kind])
        lab.release()
        assert answers() == before
