"""What a link's own data say in iproute2's words: VLAN id, VNI, mode, policy ... One row an attribute.

The numbers are those of include/uapi/linux/if_link.h and if_tunnel.h. An attribute that is not in the table, or has
another size than expected, is left out: next year's kernel may send anything.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, NamedTuple

from nswire.codec.netlink.framing import Malformed, attributes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Value = int | str | bool


class Field(NamedTuple):
    """An attribute: what iproute2 calls it, and how its bytes are read (None: not as expected)."""

    name: str
    read: Callable[[bytes], Value | None]


def _number(code: str) -> Callable[[bytes], int | None]:
    layout = struct.Struct(code)

    def read(value: bytes) -> int | None:
        return layout.unpack(value)[0] if len(value) == layout.size else None

    return read


def _words(read: Callable[[bytes], int | None], words: Mapping[int, str]) -> Callable[[bytes], Value | None]:
    def named(value: bytes) -> Value | None:
        number = read(value)
        return None if number is None else words.get(number, number)

    return named


def _address(value: bytes) -> str | None:
    family = {4: socket.AF_INET, 16: socket.AF_INET6}.get(len(value))
    # all zeros stand for "any": iproute2 shows none
    return socket.inet_ntop(family, value) if family and any(value) else None


def _yes(_: bytes) -> bool:
    return True


U8, U16, U32, BE16, BE32 = (_number(code) for code in ("=B", "=H", "=I", ">H", ">I"))


def _bool(value: bytes) -> bool | None:
    number = U8(value)
    return None if number is None else bool(number)


MACVLAN = {1: Field("mode", _words(U32, {1: "private", 2: "vepa", 4: "bridge", 8: "passthru", 16: "source"}))}
IPVLAN = {1: Field("mode", _words(U16, {0: "l2", 1: "l3", 2: "l3s"}))}
IPTUNNEL = {
    2: Field("local", _address),
    3: Field("remote", _address),
    4: Field("ttl", U8),
    19: Field("external", _yes),
}
GRE = {
    4: Field("ikey", BE32),
    5: Field("okey", BE32),
    6: Field("local", _address),
    7: Field("remote", _address),
    8: Field("ttl", U8),
    18: Field("external", _yes),
    21: Field("erspan_index", U32),
    22: Field("erspan_ver", U8),
}
VTI = {
    2: Field("ikey", BE32),
    3: Field("okey", BE32),
    4: Field("local", _address),
    5: Field("remote", _address),
}
PORT_STATES = {0: "disabled", 1: "listening", 2: "learning", 3: "forwarding", 4: "blocking"}
BOND_MODES = dict(
    enumerate(
        ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")
    )
)

FIELDS: dict[str, dict[int, Field]] = {
    "vlan": {1: Field("id", U16), 5: Field("protocol", _words(BE16, {0x8100: "802.1Q", 0x88A8: "802.1ad"}))},
    "macvlan": MACVLAN,
    "macvtap": MACVLAN,
    "ipvlan": IPVLAN,
    "ipvtap": IPVLAN,
    "vxlan": {
        1: Field("id", U32),
        2: Field("remote", _address),  # IFLA_VXLAN_GROUP: one host, or a multicast group
        16: Field("remote", _address),
        4: Field("local", _address),
        17: Field("local", _address),
        15: Field("port", BE16),
        7: Field("learning", _bool),
        25: Field("external", _bool),
    },
    "geneve": {
        1: Field("id", U32),
        2: Field("remote", _address),
        7: Field("remote", _address),
        5: Field("port", BE16),
        6: Field("external", _yes),
    },
    "gre": GRE,
    "gretap": GRE,
    "ip6gre": GRE,
    "ip6gretap": GRE,
    "erspan": GRE,
    "ip6erspan": GRE,
    "ipip": IPTUNNEL,
    "sit": IPTUNNEL,
    "ip6tnl": IPTUNNEL,
    "vti": VTI,
    "vti6": VTI,
    "xfrm": {2: Field("if_id", U32), 3: Field("external", _yes)},
    "vrf": {1: Field("table", U32)},
    "bond": {1: Field("mode", _words(U8, BOND_MODES)), 3: Field("miimon", U32)},
    "bridge": {
        5: Field("stp_state", U32),
        7: Field("vlan_filtering", U8),
        39: Field("vlan_default_pvid", U16),
    },
    "netkit": {
        2: Field("primary", _bool),
        3: Field("policy", _words(U32, {0: "forward", 2: "blackhole"})),
        5: Field("mode", _words(U32, {0: "l2", 1: "l3"})),
    },
    "tun": {
        3: Field("type", _words(U8, {1: "tun", 2: "tap"})),
        6: Field("persist", _bool),
        7: Field("multi_queue", _bool),
    },
}

PORT_FIELDS: dict[str, dict[int, Field]] = {
    "bridge": {
        1: Field("state", _words(U8, PORT_STATES)),
        4: Field("hairpin", _bool),
        8: Field("learning", _bool),
        33: Field("isolated", _bool),
    },
    "bond": {
        1: Field("state", _words(U8, {0: "ACTIVE", 1: "BACKUP"})),
        2: Field("mii_status", _words(U8, {0: "UP", 1: "GOING_DOWN", 2: "DOWN", 3: "GOING_BACK"})),
    },
    "vrf": {1: Field("table", U32)},
}


def details(kind: str, data: bytes) -> dict[str, Value]:
    """What the IFLA_INFO_DATA of a link of that kind say, by iproute2's names."""
    return _read(FIELDS.get(kind, {}), data)


def port_details(slave_kind: str, data: bytes) -> dict[str, Value]:
    """What the IFLA_INFO_SLAVE_DATA of a port of such a master say, by iproute2's names."""
    return _read(PORT_FIELDS.get(slave_kind, {}), data)


def _read(fields: dict[int, Field], data: bytes) -> dict[str, Value]:
    found: dict[str, Value] = {}
    try:
        for kind, start, stop in attributes(data, 0, len(data)):
            field = fields.get(kind)
            value = None if field is None else field.read(data[start:stop])
            if field is not None and value is not None:
                found.setdefault(field.name, value)
    except Malformed:
        pass
    return found
