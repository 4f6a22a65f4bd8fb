"""Links: RTM_GETLINK -> `LinkFact` (struct ifinfomsg, include/uapi/linux/if_link.h).

A host has thousands of links and each has some 35 attributes, nearly always the same ones at the same places. So the
places are learned once per layout: all attribute headers, which must equal the learned ones exactly (masked and compared as
one large number), and a precompiled struct that takes the values. A message with a new layout is walked attribute by
attribute, which also teaches the layout.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from nswire.codec.netlink.framing import (
    NLM_F_DUMP,
    Malformed,
    attribute,
    attributes,
    ip,
    messages,
    request,
    split,
    text,
)
from nswire.model.values import LinkFact

if TYPE_CHECKING:
    from collections.abc import Callable

RTM_NEWLINK, RTM_GETLINK = 16, 18
IFLA_EXT_MASK, IFLA_TARGET_NETNSID = 29, 46
RTEXT_FILTER_SKIP_STATS = 8
IFLA_INFO_KIND, IFLA_INFO_DATA, IFLA_INFO_SLAVE_KIND, IFLA_INFO_SLAVE_DATA = 1, 2, 4, 5
IFLA_ALT_IFNAME = 53
IFLA_PHYS_SWITCH_ID, IFLA_PHYS_PORT_NAME, IFLA_XDP = 36, 38, 43
XDP_PROGRAMS = (4, 5, 6, 7)  # IFLA_XDP_PROG_ID, _DRV_PROG_ID, _SKB_PROG_ID, _HW_PROG_ID
OF_IP = frozenset(
    (768, 769, 776, 778, 823)
)  # ARPHRD_TUNNEL, TUNNEL6, SIT, IPGRE, IP6GRE: their address is an IP one
LAYOUTS = 1024  # learned at most; a recording with a million different ones only gets slower

_ifinfomsg = struct.Struct("=BxHiII")

# what is read: attribute type -> struct code ("s": its bytes), in the order in which `_fact` takes the values
WANTED: dict[int, str] = {
    3: "s",  # IFLA_IFNAME
    1: "s",  # IFLA_ADDRESS
    4: "I",  # IFLA_MTU
    16: "B",  # IFLA_OPERSTATE
    5: "I",  # IFLA_LINK
    37: "i",  # IFLA_LINK_NETNSID
    10: "I",  # IFLA_MASTER
    18: "s",  # IFLA_LINKINFO
    52: "s",  # IFLA_PROP_LIST
    20: "s",  # IFLA_IFALIAS
    54: "s",  # IFLA_PERM_ADDRESS
    56: "s",  # IFLA_PARENT_DEV_NAME
    57: "s",  # IFLA_PARENT_DEV_BUS_NAME
    46: "i",  # IFLA_TARGET_NETNSID
}


def ask(target: int | None = None) -> bytes:
    """A request for all links without their statistics, of the asking namespace or of the one it calls `target`."""
    body = _ifinfomsg.pack(0, 0, 0, 0, 0) + attribute(
        IFLA_EXT_MASK, struct.pack("=I", RTEXT_FILTER_SKIP_STATS)
    )
    return request(RTM_GETLINK, body + _target(target), NLM_F_DUMP)


def ask_one(ifindex: int, target: int | None = None) -> bytes:
    """A request for one link."""
    body = _ifinfomsg.pack(0, 0, ifindex, 0, 0) + attribute(
        IFLA_EXT_MASK, struct.pack("=I", RTEXT_FILTER_SKIP_STATS)
    )
    return request(RTM_GETLINK, body + _target(target))


def xdp(answer: bytes) -> tuple[int, ...]:
    """The ids of the XDP programs of the one link in an answer. KernelError, Malformed."""
    return tuple(
        dict.fromkeys(
            struct.unpack("=I", value)[0]
            for name, value in _nested(_one(answer).get(IFLA_XDP, b""))
            if name in XDP_PROGRAMS and len(value) == 4 and any(value)
        )
    )


def port(answer: bytes) -> dict[str, str]:
    """The port of a NIC's own switch that the one link in an answer is, or stands for. KernelError, Malformed."""
    said = _one(answer)
    return {
        **({"switch id": said[IFLA_PHYS_SWITCH_ID].hex()} if IFLA_PHYS_SWITCH_ID in said else {}),
        **({"port": text(said[IFLA_PHYS_PORT_NAME])} if IFLA_PHYS_PORT_NAME in said else {}),
    }


def _one(answer: bytes) -> dict[int, bytes]:
    """The attributes of the first link in an answer."""
    for kind, start, end in messages(answer):
        if kind != RTM_NEWLINK or end - start < _ifinfomsg.size:
            raise Malformed(f"a message of type {kind} among links")
        return {name: answer[at:stop] for name, at, stop in attributes(answer, start + 16, end)}
    return {}


def _nested(value: bytes) -> list[tuple[int, bytes]]:
    return [(name, value[at:stop]) for name, at, stop in attributes(value, 0, len(value))]


def _target(nsid: int | None) -> bytes:
    return b"" if nsid is None else attribute(IFLA_TARGET_NETNSID, struct.pack("=i", nsid))


class _Layout(NamedTuple):
    """Where the values of a message are whose attribute headers, all of them, are these: compared as one large number."""

    mask: int
    headers: int
    values: Callable[[bytes, int], tuple[Any, ...]]
    pick: Callable[[tuple[Any, ...]], tuple[Any, ...]]


class Decoder:
    """Decodes dumps of links; keeps the layouts that it has learned. One per scan."""

    def __init__(self) -> None:
        self._layouts: dict[int, list[_Layout]] = {}
        self._learned = 0

    def decode(self, answer: bytes, target: int | None = None) -> tuple[LinkFact, ...]:
        """The links in an answer, in the kernel's order.

        With `target`, Malformed unless the kernel echoes it in each of them: an old one answers for itself.
        Raises KernelError and Malformed.
        """
        return self.read(answer, target)[0]

    def read(self, answer: bytes, target: int | None = None) -> tuple[tuple[LinkFact, ...], bool]:
        """The same, and whether the kernel flagged it as inconsistent: links came or went during the dump."""
        cut = split(answer)
        found = []
        for kind, start, end in cut.messages:
            if kind != RTM_NEWLINK or end - start < 20:
                raise Malformed(f"a message of type {kind} among links")
            found.append(self._decode(answer, start, end, target))
        return tuple(found), cut.interrupted

    def _decode(self, answer: bytes, start: int, end: int, target: int | None) -> LinkFact:
        whole = int.from_bytes(answer[start:end], "little")
        for layout in self._layouts.get(end - start, ()):
            if whole & layout.mask == layout.headers:
                break
        else:
            layout = _layout(answer, start, end)
            if self._learned < LAYOUTS:
                self._learned += 1
                self._layouts.setdefault(end - start, []).append(layout)
        row = layout.pick((*layout.values(answer, start), None))
        if row[-1] != target:
            raise Malformed("the kernel does not answer for another namespace")
        return _fact(row)


def _layout(answer: bytes, start: int, end: int) -> _Layout:
    mask = bytearray(end - start)
    values = "=BxHiI4x"
    places: dict[int, int] = {}
    at_values = 16
    for kind, at, stop in attributes(answer, start + 16, end):
        offset = at - start
        mask[offset - 4 : offset] = b"\xff\xff\xff\xff"
        code = WANTED.get(kind)
        if code is None or kind in places:
            continue
        size = stop - at
        if code == "s":
            code = f"{size}s"
        elif struct.calcsize("=" + code) != size:
            raise Malformed(f"attribute {kind} of a link has {size} bytes")
        places[kind] = 4 + len(places)
        values += f"{offset - at_values}x{code}"
        at_values = stop - start
    absent = 4 + len(places)
    pick = itemgetter(2, 3, 1, *(places.get(kind, absent) for kind in WANTED))
    number = int.from_bytes(mask, "little")
    return _Layout(
        number, int.from_bytes(answer[start:end], "little") & number, struct.Struct(values).unpack_from, pick
    )


def _fact(row: tuple[Any, ...]) -> LinkFact:
    (
        ifindex,
        flags,
        arphrd,
        name,
        address,
        mtu,
        state,
        link,
        nsid,
        master,
        info,
        props,
        alias,
        perm,
        parent,
        bus,
        _,
    ) = row
    kind, data, slave_kind, slave_data = _info(info) if info else ("", b"", "", b"")
    return LinkFact(
        ifindex,
        text(name) if name else "",
        kind,
        link,
        nsid,
        master or None,
        ((arphrd in OF_IP and ip(address)) or address.hex(":")) if address else "",
        mtu or 0,
        state or 0,
        flags,
        arphrd,
        _altnames(props) if props else (),
        text(alias) if alias else "",
        perm.hex(":") if perm else "",
        text(parent) if parent else "",
        text(bus) if bus else "",
        data,
        slave_kind,
        slave_data,
    )


@lru_cache(maxsize=256)
def _info(value: bytes) -> tuple[str, bytes, str, bytes]:
    found = {kind: value[at:stop] for kind, at, stop in attributes(value, 0, len(value))}
    return (
        text(found.get(IFLA_INFO_KIND, b"")),
        found.get(IFLA_INFO_DATA, b""),
        text(found.get(IFLA_INFO_SLAVE_KIND, b"")),
        found.get(IFLA_INFO_SLAVE_DATA, b""),
    )


def _altnames(value: bytes) -> tuple[str, ...]:
    return tuple(
        text(value[at:stop]) for kind, at, stop in attributes(value, 0, len(value)) if kind == IFLA_ALT_IFNAME
    )
