"""Recordings of the laboratory, one a kernel: `tests/recordings/SERIES.nsw`, and beside it what is true of it, as JSON."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

from kinds_truth import Golden

FOLDER = Path(__file__).parents[1] / "recordings"
PAGE = Path(__file__).parents[2] / "docs" / "kernels.md"


def series() -> list[str]:
    """The kernels of which there are recordings, oldest first."""
    found = [file.stem for file in FOLDER.glob("*.json")]
    return sorted(found, key=lambda name: [int(part) for part in name.split(".")])


@cache
def golden_of(name: str) -> Golden | None:
    """What is true of the recording of a kernel; None if there is none."""
    file = FOLDER / f"{name}.json"
    return msgspec.json.decode(file.read_bytes(), type=Golden) if file.exists() else None


def text(golden: Golden) -> bytes:
    """The same as JSON, with a line for each link, so that a change shows as one."""
    plain = msgspec.to_builtins(golden)
    truth, shown = plain.pop("truth"), plain.pop("shown")
    parts = [_members(plain), f'"truth": {{\n{_members(truth)}\n}}']
    spaces = [f"{_json(ns)}: {{\n{_members(links)}\n}}" for ns, links in shown.items()]
    parts.append('"shown": {\n' + ",\n".join(spaces) + "\n}")
    return ("{\n" + ",\n".join(parts) + "\n}\n").encode()


def _members(some: dict[object, object]) -> str:
    return ",\n".join(f"{_json(str(name))}: {_lines(value)}" for name, value in some.items())


def _lines(value: object) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(map(_json, value)) + "\n]"
    return _json(value)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
