"""Links that take more than rtnetlink's description to understand: helpers to make them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.lab.lab import Lab


@pytest.fixture
def run(lab: Lab) -> Callable[..., None]:
    """run("ip link add ..."): each command, in home; skipped where this kernel cannot do it (the VM kernels can)."""

    def command(*lines: str) -> None:
        for line in lines:
            done = subprocess.run(line.split(), capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"{line}: {done.stderr.strip().splitlines()[-1] if done.stderr else 'refused'}")

    lab.undo(_take_down)
    return command


def _take_down() -> None:
    """What was made at home goes by its name's prefix: `t-`."""
    shown = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    names = [line.split(": ")[1].split("@")[0] for line in shown.splitlines()]
    for name in names:
        if name.startswith("t-"):
            subprocess.run(["ip", "link", "del", name], capture_output=True, check=False)
