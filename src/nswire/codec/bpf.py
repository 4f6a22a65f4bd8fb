"""BPF programs: what `Live` answers about those attached to a link (`programs`), and about one of them (`program`)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from nswire.codec.netlink import hook
from nswire.model.tables import Hook

if TYPE_CHECKING:
    from collections.abc import Iterator

# enum bpf_attach_type, include/uapi/linux/bpf.h
PLACES = {46: "tcx ingress", 47: "tcx egress", 54: "netkit primary", 55: "netkit peer"}

_pair = struct.Struct("=II")
_link = struct.Struct("=IIIi")  # program, family, hook, priority
_info = struct.Struct("=II8s48x16s")  # type, id, tag, ... name


class Program(NamedTuple):
    """A program: its id, name (may be empty) and tag."""

    id: int
    name: str
    tag: str


def attached(answer: bytes) -> Iterator[tuple[str, int]]:
    """(place, id) of each program; what is cut off is left out."""
    at = 0
    while at + _pair.size <= len(answer):
        kind, count = _pair.unpack_from(answer, at)
        at += _pair.size
        for number in range(min(count, (len(answer) - at) // 4)):
            yield (
                PLACES.get(kind, f"attach type {kind}"),
                struct.unpack_from("=I", answer, at + 4 * number)[0],
            )
        at += 4 * count


def at_netfilter(answer: bytes, family: str) -> Iterator[Hook]:
    """The programs at hooks of a family, in whatever namespace: what `Live` answers about all of them (`netfilter-links`)."""
    for number, pf, at, priority in _link.iter_unpack(answer[: len(answer) // _link.size * _link.size]):
        if pf == hook.FAMILIES[family]:
            yield Hook(hook.name(at), priority, program=number, somewhere=True)


def program(answer: bytes) -> Program | None:
    """The program; None if the answer is none."""
    if len(answer) < _info.size:
        return None
    _, number, tag, name = _info.unpack_from(answer)
    return Program(number, name.split(b"\0", 1)[0].decode("utf-8", "surrogateescape"), tag.hex())
