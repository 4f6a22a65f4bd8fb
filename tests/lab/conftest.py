"""The oracle of these tests is iproute2."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.lab.netns import Ns


@pytest.fixture
def ip() -> Callable[..., list[dict[str, Any]]]:
    """ip("-d", "link", inside=ns): what `ip -j` says, in the current namespace or inside another."""

    if shutil.which("ip") is None:
        pytest.skip("ip is not installed")

    def ask(*words: str, inside: Ns | None = None) -> list[dict[str, Any]]:
        if inside is not None:
            with inside.entered():
                return ask(*words)
        done = subprocess.run(["ip", "-j", *words], check=True, capture_output=True)
        # strict=False: iproute2 prints control characters as they are.
        text = done.stdout.decode(errors="surrogateescape") or "[]"
        answer: list[dict[str, Any]] = json.loads(text, strict=False)
        return answer

    return ask
