"""Teams: what a team's driver was told to do (include/uapi/linux/if_team.h)."""

from __future__ import annotations

import struct

from nswire.codec.netlink import generic
from nswire.codec.netlink.framing import attribute, text, u32

FAMILY = "team"
OPTIONS_GET, VERSION = 2, 1
TEAM_IFINDEX, LIST_OPTION, ITEM_OPTION = 1, 2, 1
NAME, TYPE, DATA, PORT_IFINDEX = 1, 3, 4, 6
NLA_U32, NLA_STRING = 3, 5


def ask(ifindex: int) -> bytes:
    """A request for the options of one team."""
    return generic.request(
        OPTIONS_GET, VERSION, attribute(TEAM_IFINDEX, struct.pack("=I", ifindex)), dump=False
    )


def decode(answer: bytes) -> dict[str, int | str]:
    """The options of the team itself (not those of single ports) that are numbers or words. NetlinkError, MalformedReply."""
    found: dict[str, int | str] = {}
    for _, values in generic.answers(answer):
        for _, item in generic.nested(values.get(LIST_OPTION, b"")):
            option = dict(generic.nested(item))
            kind = option.get(TYPE, b"\0")[0] if option.get(TYPE) else 0
            if PORT_IFINDEX in option or NAME not in option:
                continue
            name, data = text(option[NAME]), option.get(DATA, b"")
            number = u32(data)
            if kind == NLA_STRING:
                found[name] = text(data)
            elif kind == NLA_U32 and number is not None:
                found[name] = number
    return found
