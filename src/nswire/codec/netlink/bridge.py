"""VLANs of bridge ports: RTM_GETLINK of AF_BRIDGE, and their states: RTM_GETVLAN (include/uapi/linux/if_bridge.h)."""

from __future__ import annotations

import struct

from nswire.codec.netlink.framing import NLM_F_DUMP, attribute, attributes, messages, request, u16, values
from nswire.codec.netlink.link import IFLA_EXT_MASK, RTM_GETLINK, RTM_NEWLINK
from nswire.errors import MalformedReply
from nswire.model.routing import PortVlans, VlanState

AF_BRIDGE = 7
RTEXT_FILTER_BRVLAN_COMPRESSED = 4
IFLA_AF_SPEC, IFLA_BRIDGE_VLAN_INFO = 26, 2
RTM_NEWVLAN, RTM_GETVLAN = 112, 114
BRIDGE_VLANDB_ENTRY, ENTRY_INFO, ENTRY_RANGE, ENTRY_STATE, ENTRY_NEIGH_SUPPRESS = 1, 1, 2, 3, 9
STATES = ("disabled", "listening", "learning", "forwarding", "blocking")  # BR_STATE_*
PVID, UNTAGGED, RANGE_BEGIN, RANGE_END = 2, 4, 8, 16

_ifinfomsg = struct.Struct("=BxHiII")
_vlan = struct.Struct("=HH")
_vlan_msg = struct.Struct("=BxxxI")


def ask_vlans() -> bytes:
    """A request for the VLANs of all ports of all bridges of the asking namespace."""
    mask = attribute(IFLA_EXT_MASK, struct.pack("=I", RTEXT_FILTER_BRVLAN_COMPRESSED))
    return request(RTM_GETLINK, _ifinfomsg.pack(AF_BRIDGE, 0, 0, 0, 0) + mask, NLM_F_DUMP)


def vlans(answer: bytes) -> dict[int, PortVlans]:
    """The VLANs by the port's ifindex (a bridge's own by the bridge's). NetlinkError, MalformedReply."""
    found: dict[int, PortVlans] = {}
    for kind, start, end in messages(answer):
        if kind != RTM_NEWLINK or end - start < _ifinfomsg.size:
            raise MalformedReply(f"a message of type {kind} among bridge ports")
        ifindex = _ifinfomsg.unpack_from(answer, start)[2]
        for name, at, stop in attributes(answer, start + _ifinfomsg.size, end):
            if name == IFLA_AF_SPEC:
                found[ifindex] = _ports(answer, at, stop)
    return found


def ask_states() -> bytes:
    """A request for the states of the VLANs of all ports (Linux 5.6)."""
    return request(RTM_GETVLAN, _vlan_msg.pack(AF_BRIDGE, 0), NLM_F_DUMP)


def states(answer: bytes) -> dict[int, tuple[VlanState, ...]]:
    """The states of ranges of VLANs by the port's ifindex. NetlinkError, MalformedReply."""
    found: dict[int, list[VlanState]] = {}
    for kind, start, end in messages(answer):
        if kind != RTM_NEWVLAN or end - start < _vlan_msg.size:
            raise MalformedReply(f"a message of type {kind} among VLANs of bridge ports")
        _, ifindex = _vlan_msg.unpack_from(answer, start)
        for name, at, stop in attributes(answer, start + _vlan_msg.size, end):
            said = values(answer, at, stop) if name == BRIDGE_VLANDB_ENTRY else {}
            info, state = said.get(ENTRY_INFO, b""), said.get(ENTRY_STATE, b"")
            if len(info) != _vlan.size:
                continue
            _, first = _vlan.unpack(info)
            word = STATES[state[0]] if len(state) == 1 and state[0] < len(STATES) else "forwarding"
            suppress = any(said.get(ENTRY_NEIGH_SUPPRESS, b""))
            found.setdefault(ifindex, []).append(
                VlanState(first, u16(said.get(ENTRY_RANGE)) or first, word, suppress)
            )
    return {ifindex: tuple(some) for ifindex, some in found.items()}


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
