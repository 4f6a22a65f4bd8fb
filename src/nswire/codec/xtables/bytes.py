"""Matches that look at the bytes of a packet: `u32` and `bpf`, as far as these are simple (xt_u32.c, xt_bpf.c, net/core/filter.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nswire.codec.xtables import made
from nswire.codec.xtables.rows import Extension, spec
from nswire.model.firewall import Key, Opaque, Test

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.codec.xtables.rows import Where
    from nswire.codec.xtables.words import Part
    from nswire.model.firewall import Cell, Statement

LOADS = {0x20: 32, 0x28: 16, 0x30: 8}  # BPF_LD | BPF_ABS, of a word, half a word, a byte
JUMP_EQUAL, RETURN = 0x15, 0x06  # BPF_JMP | BPF_JEQ | BPF_K, BPF_RET | BPF_K
TERM = re.compile(r"(0x[0-9a-f]+|\d+)((?:(?:&|<<|>>)(?:0x[0-9a-f]+|\d+))*)=([0-9a-fx:,]+)", re.IGNORECASE)
STEP = re.compile(r"(&|<<|>>)(0x[0-9a-f]+|\d+)", re.IGNORECASE)


def _u32(part: Part, _: Where) -> Iterable[Statement]:
    """`6&0xFF=0x1`: four bytes from there on, masked and shifted. With `@` it looks elsewhere: what is there is not followed."""
    (one,) = part.options
    tests = []
    for term in re.sub(r"\s", "", one.value).split("&&"):
        found = TERM.fullmatch(term)
        if found is None:
            return [Opaque(part.text, lasting=part.text)]
        mask, shift = made.U32, 0
        for sign, number in STEP.findall(found[2]):
            if sign == "<<" or (sign == "&" and shift):
                return [Opaque(part.text, lasting=part.text)]
            if sign == "&":
                mask &= int(number, 0)
            else:
                shift += int(number, 0)
        cells: list[Cell] = [made.span(word, made.U32) for word in found[3].split(",")]
        key = Key(f"@nh,{8 * int(found[1], 0)},32", mask, shift)
        tests.append(Test((key,), tuple((cell,) for cell in cells)))
    if one.negate:
        return (
            [Test(tests[0].keys, tests[0].rows, negate=True)]
            if len(tests) == 1
            else [Opaque(part.text, lasting=part.text)]
        )
    return tests


def _bpf(part: Part, _: Where) -> Iterable[Statement]:
    """A program that loads from a place of the packet, compares, and returns whether it is so: one comparison."""
    (one,) = part.options
    unread = [Opaque(part.text, lasting=part.text)]
    if one.name != "--bytecode":
        return unread
    count, *lines = one.value.split(",")
    if int(count) != len(lines) or len(lines) != 4:
        return unread
    load, jump, *ends = [tuple(map(int, line.split())) for line in lines]
    if (
        load[0] not in LOADS
        or jump[0] != JUMP_EQUAL
        or {jump[1], jump[2]} != {0, 1}
        or any(end[0] != RETURN for end in ends)
    ):
        return unread
    equal, other = (bool(ends[jump[at]][3]) for at in (1, 2))
    if equal == other:
        return unread
    return [made.equal(f"@nh,{8 * load[3]},{LOADS[load[0]]}", jump[3], negate=equal == one.negate)]


BYTES = {"u32": Extension(_u32, spec("--u32")), "bpf": Extension(_bpf, spec("--bytecode --object-pinned"))}
