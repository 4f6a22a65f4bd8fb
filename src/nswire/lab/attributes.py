"""rtnetlink attributes, encoded: numbers and bytes, no sockets.

Numbers are those of linux/rtnetlink.h, linux/if_link.h and their neighbours.
"""

from __future__ import annotations

import os
import struct

Name = str | bytes
"""An interface name, altname or alias; str is encoded as file names are, so bytes of any value come through."""

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19
RTM_NEWADDR, RTM_DELADDR = 20, 21
RTM_NEWROUTE, RTM_DELROUTE = 24, 25
RTM_NEWLINKPROP, RTM_DELLINKPROP = 108, 109

IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINK = 1, 3, 4, 5
IFLA_MASTER, IFLA_LINKINFO, IFLA_IFALIAS, IFLA_GROUP, IFLA_NET_NS_FD = 10, 18, 20, 27, 28
IFLA_EXT_MASK, IFLA_LINK_NETNSID, IFLA_NEW_IFINDEX = 29, 37, 49
IFLA_PROP_LIST, IFLA_ALT_IFNAME = 52, 53
IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2
VETH_INFO_PEER = 1
IFLA_BR_MCAST_SNOOPING = 23
IFLA_MACVLAN_MODE = 1
IFLA_VLAN_ID = 1
IFLA_VXLAN_ID, IFLA_VXLAN_LINK, IFLA_VXLAN_PORT = 1, 3, 15

IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST, IFA_FLAGS = 1, 2, 4, 8
IFA_F_NODAD = 0x02
RTA_DST, RTA_OIF, RTA_GATEWAY = 1, 4, 5

IFF_UP = 1
NLA_F_NESTED = 0x8000
IFNAMSIZ = 16

_header = struct.Struct("=HH")
_u32 = struct.Struct("=I")


def attribute(number: int, value: bytes) -> bytes:
    """One attribute with its padding."""
    return _header.pack(4 + len(value), number) + value + bytes(-len(value) % 4)


def u8(number: int, value: int) -> bytes:
    """An attribute of one byte."""
    return attribute(number, bytes((value,)))


def u16(number: int, value: int) -> bytes:
    """An attribute of two bytes, in the machine's order."""
    return attribute(number, struct.pack("=H", value))


def be16(number: int, value: int) -> bytes:
    """An attribute of two bytes, in network order (ports)."""
    return attribute(number, struct.pack(">H", value))


def u32(number: int, value: int) -> bytes:
    """An attribute of four bytes, in the machine's order."""
    return attribute(number, _u32.pack(value))


def text(number: int, value: Name) -> bytes:
    """A name with its closing zero."""
    return attribute(number, os.fsencode(value) + b"\0")


def nest(number: int, *attributes: bytes) -> bytes:
    """An attribute made of attributes."""
    return attribute(number | NLA_F_NESTED, b"".join(attributes))


def mac(value: str | bytes) -> bytes:
    """Six bytes from "02:aa:00:00:00:01"; bytes pass unchanged."""
    return value if isinstance(value, bytes) else bytes.fromhex(value.replace(":", ""))


def ifinfomsg(index: int = 0, *, flags: int = 0, change: int = 0) -> bytes:
    """Fixed part of a link message (family unspecified)."""
    return struct.pack("=BxHiII", 0, 0, index, flags, change)


def macvlan_data(mode: int = 4) -> bytes:
    """IFLA_INFO_DATA content of a macvlan or macvtap: private 1, vepa 2, bridge 4, passthru 8."""
    return u32(IFLA_MACVLAN_MODE, mode)


def vlan_data(tag: int) -> bytes:
    """IFLA_INFO_DATA content of a VLAN."""
    return u16(IFLA_VLAN_ID, tag)


def vxlan_data(vni: int, *, lower: int = 0, port: int = 4789) -> bytes:
    """IFLA_INFO_DATA content of a VXLAN; its lower link goes here and not into IFLA_LINK."""
    return (
        u32(IFLA_VXLAN_ID, vni)
        + be16(IFLA_VXLAN_PORT, port)
        + (u32(IFLA_VXLAN_LINK, lower) if lower else b"")
    )
