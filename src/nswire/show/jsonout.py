r"""JSON documents, written item by item, so that an answer of any size is never one string.

JSON is exact: a name is in it as it is. Characters that a terminal might act on are written as `\uXXXX`, and a byte
that is no UTF-8 as a lone surrogate `\udcXX`: Python's `os.fsencode(json.loads(...))` gives the exact bytes.
"""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

_encoder = msgspec.json.Encoder()


def dumps(value: object) -> str:
    """A value (Structs, builtins) as JSON on one line, without anything but printable characters."""
    try:
        text = _encoder.encode(value).decode()
    except UnicodeEncodeError:  # a lone surrogate, which is a byte that is no UTF-8
        return _ascii(value)
    return text if text.isprintable() else _ascii(value)


def _ascii(value: object) -> str:
    return json.dumps(msgspec.to_builtins(value), ensure_ascii=True, separators=(",", ":"))


def write(out: IO[str], head: dict[str, object], parts: Iterable[tuple[str, Iterable[object]]]) -> None:
    """Write one document: the keys of `head`, then for each part its key and its items, a line each.

    `parts` are asked for one after the other, so a later one may tell what came up during an earlier one.
    """
    out.write("{" + ",".join(f"{dumps(key)}:{dumps(value)}" for key, value in head.items()))
    for key, items in parts:
        out.write(f",\n{dumps(key)}:[")
        separator = "\n"
        for item in items:
            out.write(separator + dumps(item))
            separator = ",\n"
        out.write("]")
    out.write("}\n")
