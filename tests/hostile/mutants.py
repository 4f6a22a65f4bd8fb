"""Recordings with something wrong in them: bytes, words and numbers of answers are changed where it may hurt."""

from __future__ import annotations

import json
import os
import random
import zipfile
from typing import TYPE_CHECKING

from nswire.host.replay import Recorded

if TYPE_CHECKING:
    from pathlib import Path

WORDS = (
    b"\xff", b"\0", "²".encode(), b"-1", b"4294967296", b"99999999999999999999", b"[" * 2000, b"{}", b"null", b'""', b"%s",
    b"\xed\xa0\x80", b"!5000", b"net:[0]", b" ", b"\n", b"1e400", b"NaN",
)  # fmt: skip
VALUES: tuple[object, ...] = (None, -1, 1 << 70, "²", "", [], {}, [[]], True, 1.5, "\0", "x" * 5000)
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def answers(file: Path) -> dict[str, bytes]:
    """What a recording holds."""
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist() if "/" in name}


def mutated(sound: dict[str, bytes], chance: random.Random) -> Recorded:
    """A recording like that, with a few answers changed, swapped, lost or refused."""
    made = dict(sound)
    refused: dict[str, tuple[int, str]] = {}
    names = list(made)
    for _ in range(chance.choice((1, 1, 2, 5, 20))):
        name = chance.choice(names)
        kind = chance.random()
        if kind < 0.05:
            made.pop(name, None)
            refused[name] = (chance.choice((0, -1, 1, 2, 13, 4096, 1 << 31, 1 << 70)), "ask")
        elif kind < 0.15:
            made[name] = sound[chance.choice(names)]
        elif kind < 0.35 and sound[name][:1] in b"{[" and sound[name]:
            made[name] = _document(sound[name], chance)
        elif sound[name]:
            made[name] = _bytes(made.get(name, sound[name]), chance)
    return Recorded.fake(made, refused)


def _document(text: bytes, chance: random.Random) -> bytes:
    """JSON that is whole, and says something else."""
    try:
        document = json.loads(text)
    except ValueError:
        return text
    at = document
    while isinstance(at, (dict, list)) and at:
        key = chance.choice(list(at)) if isinstance(at, dict) else chance.randrange(len(at))
        if not isinstance(at[key], (dict, list)) or not at[key] or chance.random() < 0.3:
            at[key] = chance.choice(VALUES)
            break
        at = at[key]
    return json.dumps(document).encode("utf-8", "surrogatepass")


def _bytes(answer: bytes, chance: random.Random) -> bytes:
    if not answer:
        return answer
    content = bytearray(answer)
    for _ in range(chance.choice((1, 1, 3, 10))):
        at = chance.randrange(len(content)) if content else 0
        match chance.randrange(6):
            case 0 if content:
                content[at] ^= 1 << chance.randrange(8)
            case 1:
                content[at & ~3 : (at & ~3) + 4] = chance.choice(NUMBERS).to_bytes(4, "little")
            case 2:
                del content[at : at + chance.choice((1, 4, 20, len(content)))]
            case 3:
                content[at:at] = chance.choice(WORDS)
            case 4:
                words = bytes(content).split(b" ")
                words[chance.randrange(len(words))] = chance.choice(WORDS)
                content = bytearray(b" ".join(words))
            case _:
                content[at:at] = os.urandom(0) + content[: chance.choice((4, 16, 64))]
    return bytes(content)
