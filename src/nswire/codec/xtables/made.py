"""Small statements that the tables of extensions are made of."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from nswire.codec import protocol_numbers
from nswire.model.firewall import ANYTHING, Key, Test

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.model.firewall import Cell

LARGEST = (1 << 128) - 1
ANY: Cell = ANYTHING
U32 = 0xFFFFFFFF
ALWAYS = Test((Key("always"),), ((ANYTHING,),))
NEVER = Test((Key("always"),), ((ANYTHING,),), negate=True)


def constant(*, true: bool) -> Test:
    """What is decided whatever the packet."""
    return ALWAYS if true else NEVER


def among(
    name: str, cells: Iterable[Cell], *, negate: bool = False, mask: int = -1, bits: bool = False
) -> Test:
    """A test of one key."""
    return Test((Key(name, mask),), tuple((cell,) for cell in cells), negate=negate, bits=bits)


def equal(name: str, number: int, *, negate: bool = False, mask: int = -1) -> Test:
    """Whether a key is that number."""
    return among(name, [(number, number)], negate=negate, mask=mask)


def number(text: str) -> int:
    """A number as C reads it: decimal, 0x hexadecimal, 0 octal. ValueError."""
    if text[:1] == "0" and text.isdigit():
        return int(text, 8)
    return int(text, 0)


def span(text: str, largest: int, *, colon: str = ":") -> tuple[int, int]:
    """`5`, `1:5`, `:5`, `1:`."""
    first, between, last = text.partition(colon)
    low = number(first) if first else 0
    return low, (number(last) if last else largest) if between else low


def ports(text: str) -> list[Cell]:
    """`22,80:90`."""
    return [span(part, 0xFFFF) for part in text.split(",")]


def masked(text: str, *, full: int = -1) -> tuple[int, int]:
    """`0x1/0xff`: a value and the bits of it that count (-1: all, unless `full` says which those are)."""
    value, _, mask = text.partition("/")
    return number(value), number(mask) if mask else full


def address(key: str, text: str, *, negate: bool = False) -> Test:
    """`10.0.0.0/8`, `fd00::1`, `10.0.0.1/255.0.0.255`. ValueError."""
    plain, _, mask = text.partition("/")
    where = ipaddress.ip_address(plain)
    size = where.max_prefixlen
    bits = _mask(mask, size)
    value, rest = int(where) & bits, ~bits & ((1 << size) - 1)
    if rest & (rest + 1) == 0:  # a prefix
        return among(key, [(value, value | rest)], negate=negate)
    return equal(key, value, negate=negate, mask=bits)


def _mask(text: str, size: int) -> int:
    full = (1 << size) - 1
    if not text:
        return full
    if text.isdigit():
        return full ^ (full >> min(int(text), size))
    return int(ipaddress.ip_address(text))


def addresses(key: str, text: str, *, negate: bool = False) -> Test:
    """`10.0.0.1-10.0.0.9`."""
    first, _, last = text.partition("-")
    return among(
        key, [(protocol_numbers.number(first), protocol_numbers.number(last or first))], negate=negate
    )


def link(key: str, name: str, *, negate: bool = False) -> Test:
    """`eth0`, `eth+`."""
    return among(key, [f"{name[:-1]}*" if name.endswith("+") else name], negate=negate)


def mac(key: str, text: str, *, negate: bool = False) -> Test:
    """`02:00:00:00:00:01`, `2:0:0:0:0:1`, with a mask behind a slash."""
    value, _, mask = text.partition("/")
    bits = mac_number(mask) if mask else -1
    return equal(key, mac_number(value) & bits, negate=negate, mask=bits)


def mac_number(text: str) -> int:
    """A MAC, its bytes as short as they may be. ValueError."""
    parts = [int(part, 16) for part in text.split(":")]
    if len(parts) != 6 or not all(0 <= part < 256 for part in parts):
        raise ValueError(text)
    return int.from_bytes(bytes(parts), "big")


def protocol(text: str, *, negate: bool = False, key: str = "l4proto") -> Test:
    """`tcp`, `47`."""
    value = protocol_numbers.symbol(key if key in protocol_numbers.WORDS else "l4proto", text.lower())
    return equal(key, value, negate=negate)
