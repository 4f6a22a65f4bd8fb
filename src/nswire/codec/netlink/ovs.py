"""Open vSwitch's kernel datapath: its ports (include/uapi/linux/openvswitch.h)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from nswire.codec.netlink import generic
from nswire.codec.netlink.framing import s32, text, u32

DATAPATH, VPORT = "ovs_datapath", "ovs_vport"
OVS_CMD_GET = 3  # of both families
VERSIONS = {DATAPATH: 2, VPORT: 1}
PORT_NO, TYPE, NAME, OPTIONS, IFINDEX, NETNSID = 1, 2, 3, 4, 8, 9
TYPES = {1: "netdev", 2: "internal", 3: "gre", 4: "vxlan", 5: "geneve"}

_ovs_header = struct.Struct("=i")  # the ifindex of the datapath's own link


class Vport(NamedTuple):
    """A port of a datapath: where its link is, `ifindex` in the namespace that the asking one calls `nsid` (None: itself).

    Linux 4.15 tells both. The name is the link's by now, which may not be the one that the database knows.
    """

    datapath: int
    number: int
    type: str
    name: str
    ifindex: int | None
    nsid: int | None


def ask_datapaths() -> bytes:
    """A request for all datapaths of the asking namespace."""
    return generic.request(OVS_CMD_GET, VERSIONS[DATAPATH], _ovs_header.pack(0))


def ask_vports(datapath: int) -> bytes:
    """A request for all ports of the datapath whose link has that ifindex."""
    return generic.request(OVS_CMD_GET, VERSIONS[VPORT], _ovs_header.pack(datapath))


def datapaths(answer: bytes) -> tuple[int, ...]:
    """The ifindexes of the datapaths' own links. NetlinkError, MalformedReply."""
    return tuple(_ovs_header.unpack(header)[0] for header, _ in generic.answers(answer, _ovs_header.size))


def vports(answer: bytes) -> tuple[Vport, ...]:
    """The ports in an answer. NetlinkError, MalformedReply."""
    return tuple(
        Vport(
            _ovs_header.unpack(header)[0],
            u32(values.get(PORT_NO)) or 0,
            TYPES.get(number := u32(values.get(TYPE)) or 0, str(number)),
            text(values.get(NAME, b"")),
            u32(values.get(IFINDEX)),
            s32(values.get(NETNSID)),
        )
        for header, values in generic.answers(answer, _ovs_header.size)
    )
