"""VLANs of bridge ports: RTM_GETLINK of AF_BRIDGE (include/uapi/linux/if_bridge.h)."""

from __future__ import annotations

import struct

from nswire.codec.netlink.framing import NLM_F_DUMP, Malformed, attribute, attributes, messages, request
from nswire.codec.netlink.link import IFLA_EXT_MASK, RTM_GETLINK, RTM_NEWLINK
from nswire.model.routing import PortVlans

AF_BRIDGE = 7
RTEXT_FILTER_BRVLAN_COMPRESSED = 4
IFLA_AF_SPEC, IFLA_BRIDGE_VLAN_INFO = 26, 2
PVID, UNTAGGED, RANGE_BEGIN, RANGE_END = 2, 4, 8, 16

_ifinfomsg = struct.Struct("=BxHiII")
_vlan = struct.Struct("=HH")


def ask_vlans() -> bytes:
    """A request for the VLANs of all ports of all bridges of the asking namespace."""
    mask = attribute(IFLA_EXT_MASK, struct.pack("=I", RTEXT_FILTER_BRVLAN_COMPRESSED))
    return request(RTM_GETLINK, _ifinfomsg.pack(AF_BRIDGE, 0, 0, 0, 0) + mask, NLM_F_DUMP)


def vlans(answer: bytes) -> dict[int, PortVlans]:
    """The VLANs by the port's ifindex (a bridge's own by the bridge's). KernelError, Malformed."""
    found: dict[int, PortVlans] = {}
    for kind, start, end in messages(answer):
        if kind != RTM_NEWLINK or end - start < _ifinfomsg.size:
            raise Malformed(f"a message of type {kind} among bridge ports")
        ifindex = _ifinfomsg.unpack_from(answer, start)[2]
        for name, at, stop in attributes(answer, start + _ifinfomsg.size, end):
            if name == IFLA_AF_SPEC:
                found[ifindex] = _ports(answer, at, stop)
    return found


def _ports(answer: bytes, start: int, end: int) -> PortVlans:
    pvid, first = 0, 0
    untagged: list[tuple[int, int]] = []
    tagged: list[tuple[int, int]] = []
    for name, at, stop in attributes(answer, start, end):
        if name != IFLA_BRIDGE_VLAN_INFO or stop - at < _vlan.size:
            continue
        flags, number = _vlan.unpack_from(answer, at)
        if flags & PVID:
            pvid = number
        if flags & RANGE_BEGIN:
            first = number
            continue
        ranges = untagged if flags & UNTAGGED else tagged
        ranges.append((first if flags & RANGE_END else number, number))
    return PortVlans(pvid, tuple(untagged), tuple(tagged))
