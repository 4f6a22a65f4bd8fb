"""The kernel's own hash (include/linux/jhash.h), where a rule gives its seed, so that it says the same everywhere.

Words are read as the machine has them: little-endian, as on all machines whose rulesets were compared with packets.
"""

from __future__ import annotations

import struct
import sys
from typing import TYPE_CHECKING

from nswire.path.netfilter.compare import ABSENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.path.netfilter.compare import Known

GOLDEN = 0xDEADBEEF
WORDS = 12  # bytes at once
U32 = 0xFFFFFFFF


def _left(value: int, by: int) -> int:
    return (value << by | value >> (32 - by)) & U32


def jhash(data: bytes, seed: int) -> int:
    """The hash of bytes, whose number is a multiple of four."""
    a: int
    b: int
    c: int
    a = b = c = GOLDEN + len(data) + seed & U32
    words: list[int] = list(struct.unpack(f"<{len(data) // 4}I", data))
    while len(words) > WORDS // 4:
        a, b, c = a + words[0] & U32, b + words[1] & U32, c + words[2] & U32
        a = (a - c & U32) ^ _left(c, 4)
        c = c + b & U32
        b = (b - a & U32) ^ _left(a, 6)
        a = a + c & U32
        c = (c - b & U32) ^ _left(b, 8)
        b = b + a & U32
        a = (a - c & U32) ^ _left(c, 16)
        c = c + b & U32
        b = (b - a & U32) ^ _left(a, 19)
        a = a + c & U32
        c = (c - b & U32) ^ _left(b, 4)
        b = b + a & U32
        words = words[3:]
    if not words:
        return c
    words += [0] * (3 - len(words))
    a, b, c = a + words[0] & U32, b + words[1] & U32, c + words[2] & U32
    c = (c ^ b) - _left(b, 14) & U32  # __jhash_final
    a = (a ^ c) - _left(c, 11) & U32
    b = (b ^ a) - _left(a, 25) & U32
    c = (c ^ b) - _left(b, 16) & U32
    a = (a ^ c) - _left(c, 4) & U32
    b = (b ^ a) - _left(a, 14) & U32
    return (c ^ b) - _left(b, 24) & U32


def scaled(number: int, modulus: int) -> int:
    """reciprocal_scale: a number below the modulus."""
    return number * modulus >> 32


def known(name: str, value_of: Callable[[str], Known]) -> Known:
    """`jhash 4 0 7 ip saddr`: modulus, offset, seed, and the address of which it is (nft_jhash_eval)."""
    _, modulus, offset, seed, what = name.split(" ", 4)
    value = value_of(what)
    if isinstance(value, int) and sys.byteorder == "little":
        data = value.to_bytes(4 if what.startswith("ip ") else 16)
        return int(offset) + scaled(jhash(data, int(seed)), int(modulus))
    return ABSENT if value is ABSENT else (int(offset), int(offset) + int(modulus) - 1)
