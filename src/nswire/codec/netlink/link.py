"""Links: RTM_GETLINK -> `LinkFact` (struct ifinfomsg, include/uapi/linux/if_link.h).

A host has thousands of links and each has some 35 attributes, nearly always the same ones at the same places. So the
places are learned once per layout: one precompiled struct takes all attribute headers, which must be exactly the learned ones
(masked and compared as one large number), another one the values. A message with a new layout is walked attribute by
attribute, which also teaches the layout.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from nswire.codec.netlink.framing import (
    NLM_F_DUMP,
    attribute,
    attributes,
    ip,
    messages,
    request,
    split,
    text,
    u16,
    u32,
)
from nswire.errors import MalformedReply
from nswire.model.values import IFF_LOOPBACK, LinkFact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RTM_NEWLINK, RTM_GETLINK = 16, 18
IFLA_EXT_MASK, IFLA_TARGET_NETNSID = 29, 46
RTEXT_FILTER_SKIP_STATS = 8
IFLA_LINKINFO = 18
IFLA_GROUP = 27
IFLA_ALT_IFNAME = 53
IFLA_PHYS_SWITCH_ID, IFLA_PHYS_PORT_NAME, IFLA_XDP = 36, 38, 43
IFLA_DEVLINK_PORT, IFLA_DPLL_PIN, IFLA_NETNS_IMMUTABLE, IFLA_HEADROOM, IFLA_TAILROOM = 62, 65, 67, 68, 69
DEVLINK_BUS, DEVLINK_DEV, DEVLINK_INDEX = 1, 2, 3  # DEVLINK_ATTR_*, include/uapi/linux/devlink.h
DPLL_PIN_ID = 1  # DPLL_A_PIN_ID, include/uapi/linux/dpll.h
XDP_PROGRAMS = (4, 5, 6, 7)  # IFLA_XDP_PROG_ID, _DRV_PROG_ID, _SKB_PROG_ID, _HW_PROG_ID
OF_IP = frozenset(
    (768, 769, 776, 778, 823)
)  # ARPHRD_TUNNEL, TUNNEL6, SIT, IPGRE, IP6GRE: their address is an IP one
LONG = 64  # bytes of what nobody reads that are not worth to be taken along between two headers
LAYOUTS = 1024  # learned at most; a recording with a million different ones only gets slower

_ifinfomsg = struct.Struct("=BxHiII")

# what is read: (0 or the attribute around it, attribute type) -> struct code ("s": its bytes), in the order in which `_fact`
# takes the values
WANTED: dict[tuple[int, int], str] = {
    (0, 3): "s",  # IFLA_IFNAME
    (0, 1): "s",  # IFLA_ADDRESS
    (0, 4): "I",  # IFLA_MTU
    (0, 16): "B",  # IFLA_OPERSTATE
    (0, 5): "I",  # IFLA_LINK
    (0, 37): "i",  # IFLA_LINK_NETNSID
    (0, 10): "I",  # IFLA_MASTER
    (IFLA_LINKINFO, 1): "s",  # IFLA_INFO_KIND
    (IFLA_LINKINFO, 2): "s",  # IFLA_INFO_DATA
    (IFLA_LINKINFO, 4): "s",  # IFLA_INFO_SLAVE_KIND
    (IFLA_LINKINFO, 5): "s",  # IFLA_INFO_SLAVE_DATA
    (0, 52): "s",  # IFLA_PROP_LIST
    (0, 20): "s",  # IFLA_IFALIAS
    (0, 54): "s",  # IFLA_PERM_ADDRESS
    (0, 56): "s",  # IFLA_PARENT_DEV_NAME
    (0, 57): "s",  # IFLA_PARENT_DEV_BUS_NAME
    (0, 46): "i",  # IFLA_TARGET_NETNSID
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
    """The ids of the XDP programs of the one link in an answer. NetlinkError, MalformedReply."""
    return tuple(
        dict.fromkeys(
            struct.unpack("=I", value)[0]
            for name, value in _nested(_one(answer).get(IFLA_XDP, b""))
            if name in XDP_PROGRAMS and len(value) == 4 and any(value)
        )
    )


def groups(answer: bytes) -> dict[int, int]:
    """The group of each link in a dump, by ifindex. NetlinkError, MalformedReply."""
    found = {}
    for kind, start, end in messages(answer):
        if kind != RTM_NEWLINK or end - start < _ifinfomsg.size:
            raise MalformedReply(f"a message of type {kind} among links")
        said = {name: answer[at:stop] for name, at, stop in attributes(answer, start + _ifinfomsg.size, end)}
        found[_ifinfomsg.unpack_from(answer, start)[2]] = u32(said.get(IFLA_GROUP)) or 0
    return found


def port(answer: bytes) -> dict[str, str]:
    """The port of a NIC's own switch that the one link in an answer is, or stands for. NetlinkError, MalformedReply."""
    said = _one(answer)
    return {
        **({"switch id": said[IFLA_PHYS_SWITCH_ID].hex()} if IFLA_PHYS_SWITCH_ID in said else {}),
        **({"port": text(said[IFLA_PHYS_PORT_NAME])} if IFLA_PHYS_PORT_NAME in said else {}),
    }


def further(answer: bytes) -> dict[str, int | str | bool]:
    """What newer kernels say of any link: that it cannot be moved (6.17), its room for headers, its devlink port and DPLL pin.

    What is 0 or false is left out. NetlinkError, MalformedReply.
    """
    said = _one(answer)
    found: dict[str, int | str | bool] = {
        name: value
        for number, name in ((IFLA_HEADROOM, "headroom"), (IFLA_TAILROOM, "tailroom"))
        if (value := u16(said.get(number)))
    }
    if any(said.get(IFLA_NETNS_IMMUTABLE, b"")):
        found["netns_immutable"] = True
    port = dict(_nested(said.get(IFLA_DEVLINK_PORT, b"")))
    if DEVLINK_BUS in port and DEVLINK_DEV in port:
        index = u32(port.get(DEVLINK_INDEX))
        where = f"{text(port[DEVLINK_BUS])}/{text(port[DEVLINK_DEV])}"
        found["devlink_port"] = where if index is None else f"{where}/{index}"
    pin = u32(dict(_nested(said.get(IFLA_DPLL_PIN, b""))).get(DPLL_PIN_ID))
    if pin is not None:
        found["dpll_pin"] = pin
    return found


def _one(answer: bytes) -> dict[int, bytes]:
    """The attributes of the first link in an answer."""
    for kind, start, end in messages(answer):
        if kind != RTM_NEWLINK or end - start < _ifinfomsg.size:
            raise MalformedReply(f"a message of type {kind} among links")
        return {name: answer[at:stop] for name, at, stop in attributes(answer, start + 16, end)}
    return {}


def _nested(value: bytes) -> list[tuple[int, bytes]]:
    return [(name, value[at:stop]) for name, at, stop in attributes(value, 0, len(value))]


def _target(nsid: int | None) -> bytes:
    return b"" if nsid is None else attribute(IFLA_TARGET_NETNSID, struct.pack("=i", nsid))


class _Layout(NamedTuple):
    """Where the values of a message are whose attribute headers, all of them, are these.

    `pieces` are all of a message but for long values that nobody reads; `loopbacks` what some of them say.
    """

    pieces: Callable[[bytes, int], tuple[bytes, ...]]
    mask: int
    headers: int
    values: Callable[[bytes, int], tuple[Any, ...]]
    pick: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    loopbacks: dict[bytes, LinkFact]


class Decoder:
    """Decodes dumps of links; keeps the layouts that it has learned. One per scan."""

    def __init__(self) -> None:
        self._layouts: dict[int, list[_Layout]] = {}
        self._learned = 0

    def decode(self, answer: bytes, target: int | None = None) -> tuple[LinkFact, ...]:
        """The links in an answer, in the kernel's order.

        With `target`, MalformedReply unless the kernel echoes it in each of them: an old one answers for itself.
        Raises NetlinkError and MalformedReply.
        """
        return self.read(answer, target)[0]

    def read(self, answer: bytes, target: int | None = None) -> tuple[tuple[LinkFact, ...], bool]:
        """The same, and whether the kernel flagged it as inconsistent: links came or went during the dump."""
        said, interrupted = split(answer)
        found = []
        for kind, start, end in said:
            if kind != RTM_NEWLINK or end - start < 20:
                raise MalformedReply(f"a message of type {kind} among links")
            layouts = self._layouts.setdefault(end - start, [])
            for at, layout in enumerate(layouts):
                pieces, mask, headers, values, pick, loopbacks = layout
                message = b"".join(pieces(answer, start))
                fact = loopbacks.get(message)
                if fact or int.from_bytes(message, "little") & mask == headers:
                    if at:  # the next one is likely to be alike
                        layouts.insert(0, layouts.pop(at))
                    break
            else:
                layout = _layout(answer, start, end)
                pieces, _, _, values, pick, loopbacks = layout
                message, fact = b"".join(pieces(answer, start)), None
                if self._learned < LAYOUTS:
                    self._learned += 1
                    layouts.append(layout)
            if fact is None or target is not None:
                row = pick((*values(answer, start), None))
                if row[-1] != target:
                    raise MalformedReply("the kernel does not answer for another namespace")
                fact = _fact(row)
                # each namespace has one, and nearly all are the same
                if fact.flags & IFF_LOOPBACK and target is None:
                    loopbacks[message] = fact
            found.append(fact)
        return tuple(found), interrupted


def _layout(answer: bytes, start: int, end: int) -> _Layout:
    taken = [(0, 16)]
    mask = bytes(16)
    values = "=BxHiI4x"
    places: dict[tuple[int, int], int] = {}
    at_values = 16
    for kind, at, stop in _attributes(answer, start + 16, end):
        offset = at - start
        begin, until = taken[-1]
        if offset - until < LONG:
            mask += bytes(offset - 4 - until)
            taken[-1] = (begin, offset)
        else:
            taken.append((offset - 4, offset))
        mask += b"\xff\xff\xff\xff"
        code = WANTED.get(kind)
        if code is None or kind in places:
            continue
        size = stop - at
        mask += bytes(size)
        taken[-1] = (taken[-1][0], offset + size)
        if code == "s":
            code = f"{size}s"
        elif struct.calcsize("=" + code) != size:
            raise MalformedReply(f"attribute {kind[1]} of a link has {size} bytes")
        places[kind] = 4 + len(places)
        values += f"{offset - at_values}x{code}"
        at_values = stop - start
    absent = 4 + len(places)
    pick = itemgetter(2, 3, 1, *(places.get(kind, absent) for kind in WANTED))
    pieces = "="
    at_pieces = 0
    for begin, until in taken:
        pieces += f"{begin - at_pieces}x{until - begin}s"
        at_pieces = until
    take = struct.Struct(pieces).unpack_from
    number = int.from_bytes(mask, "little")
    headers = int.from_bytes(b"".join(take(answer, start)), "little") & number
    return _Layout(take, number, headers, struct.Struct(values).unpack_from, pick, {})


def _attributes(answer: bytes, start: int, end: int) -> Iterator[tuple[tuple[int, int], int, int]]:
    """All attributes, with those of IFLA_LINKINFO."""
    for kind, at, stop in attributes(answer, start, end):
        yield (0, kind), at, stop
        if kind == IFLA_LINKINFO:
            for inner, begin, until in attributes(answer, at, stop):
                yield (kind, inner), begin, until


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
        kind,
        data,
        slave_kind,
        slave_data,
        props,
        alias,
        perm,
        parent,
        bus,
        _,
    ) = row
    return LinkFact(
        ifindex,
        text(name) if name else "",
        _kind(kind) if kind else "",
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
        data or b"",
        _kind(slave_kind) if slave_kind else "",
        slave_data or b"",
    )


_kind = lru_cache(maxsize=256)(text)


def _altnames(value: bytes) -> tuple[str, ...]:
    return tuple(
        text(value[at:stop]) for kind, at, stop in attributes(value, 0, len(value)) if kind == IFLA_ALT_IFNAME
    )
