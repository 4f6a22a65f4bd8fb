"""A small rtnetlink writer: makes links, addresses and routes, waits for each ACK.

One `Rtnl` is one namespace. Requests may be gathered (`with rtnl.batch():`): many messages in one datagram, their ACKs read
together.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import struct
from typing import TYPE_CHECKING

from . import attributes as nla
from .channel import Channel

if TYPE_CHECKING:
    from .attributes import Name

Which = int | str | bytes
"""A link: by ifindex, by name, or by altname."""

_DUMP, _EXCL, _CREATE = 0x300, 0x200, 0x400
_SKIP_STATS = 8
# A link group that nobody uses; links are in it for the moment before they are deleted.
_DOOMED = 0x6C6162
# A network of two addresses (/31) has no broadcast address.
_POINT_TO_POINT = 2
_FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}


class Rtnl(Channel):
    """Writes to the network namespace that the calling thread is in now, or to the one behind `netns_fd`.

    Every method raises OSError (FileExistsError, PermissionError ...) whose text names the operation and its subject.
    """

    # -- links ----------------------------------------------------------------------------------------------------

    def link(
        self,
        name: Name,
        kind: str,
        *data: bytes,
        index: int = 0,
        mac: str | bytes | None = None,
        mtu: int = 0,
        lower: int = 0,
        lower_netnsid: int | None = None,
        master: Which = 0,
        netns_fd: int | None = None,
        up: bool = False,
    ) -> None:
        """Create a link of any kind; `data` are the encoded attributes of IFLA_INFO_DATA.

        `master` is a link of the namespace that the new one is born in; `lower` one of this socket's namespace.
        """
        info = [nla.text(nla.IFLA_INFO_KIND, kind)]
        if data:
            info.append(nla.nest(nla.IFLA_INFO_DATA, *data))
        parts = [
            nla.ifinfomsg(index, flags=nla.IFF_UP if up else 0, change=nla.IFF_UP if up else 0),
            _common(name, mac, mtu, netns_fd),
            nla.nest(nla.IFLA_LINKINFO, *info),
        ]
        if lower:
            parts.append(nla.u32(nla.IFLA_LINK, lower))
        if lower_netnsid is not None:
            parts.append(nla.u32(nla.IFLA_LINK_NETNSID, lower_netnsid))
        if master:
            parts.append(nla.u32(nla.IFLA_MASTER, self._index(master)))
        self.request(nla.RTM_NEWLINK, _CREATE | _EXCL, b"".join(parts), f"create {kind} {_shown(name)}")

    def veth(
        self,
        name: Name,
        peer: Name,
        *,
        index: int = 0,
        peer_index: int = 0,
        mac: str | bytes | None = None,
        peer_mac: str | bytes | None = None,
        mtu: int = 0,
        netns_fd: int | None = None,
        peer_netns_fd: int | None = None,
        master: Which = 0,
        up: bool = False,
    ) -> None:
        """Create a veth pair, each end where its descriptor says or else here; `master` and `mtu` as in `link`.

        An index of 0 lets the kernel choose; it heeds `peer_index` only together with `index` (drivers/net/veth.c), so
        the one without the other raises ValueError. `up` is for `name` alone: the kernel configures the peer before the
        two know each other, and refuses then (ENOTCONN).
        """
        if peer_index and not index:
            raise ValueError(
                f"cannot create veth {_shown(name)}: peer_index {peer_index} needs an index as well"
            )
        other = nla.ifinfomsg(peer_index) + _common(peer, peer_mac, mtu, peer_netns_fd)
        self.link(
            name,
            "veth",
            nla.nest(nla.VETH_INFO_PEER, other),
            index=index,
            mac=mac,
            mtu=mtu,
            netns_fd=netns_fd,
            master=master,
            up=up,
        )

    def bridge(
        self,
        name: Name,
        *,
        index: int = 0,
        mac: str | bytes | None = None,
        netns_fd: int | None = None,
        up: bool = False,
        multicast_snooping: bool = True,
    ) -> None:
        """Create a bridge."""
        snooping = nla.u8(nla.IFLA_BR_MCAST_SNOOPING, int(multicast_snooping))
        self.link(name, "bridge", snooping, index=index, mac=mac, netns_fd=netns_fd, up=up)

    def set(
        self,
        which: Which,
        *,
        up: bool | None = None,
        master: Which | None = None,
        name: Name | None = None,
        address: str | bytes | None = None,
        alias: Name | None = None,
        mtu: int = 0,
        netns_fd: int | None = None,
        new_index: int = 0,
    ) -> None:
        """Change a link. `master=0` frees a port; `new_index` is for a move to another namespace (`netns_fd`)."""
        index, parts = _addressed(which)
        flags = {None: (0, 0), True: (nla.IFF_UP, nla.IFF_UP), False: (0, nla.IFF_UP)}[up]
        if name is not None and not index:
            index, parts = self.index(which), []
        if name is not None:
            parts.append(nla.text(nla.IFLA_IFNAME, name))
        if master is not None:
            parts.append(nla.u32(nla.IFLA_MASTER, self._index(master)))
        if address is not None:
            parts.append(nla.attribute(nla.IFLA_ADDRESS, nla.mac(address)))
        if alias is not None:
            parts.append(nla.attribute(nla.IFLA_IFALIAS, os.fsencode(alias)))
        if mtu:
            parts.append(nla.u32(nla.IFLA_MTU, mtu))
        if netns_fd is not None:
            parts.append(nla.u32(nla.IFLA_NET_NS_FD, netns_fd))
        if new_index:
            parts.append(nla.u32(nla.IFLA_NEW_IFINDEX, new_index))
        body = nla.ifinfomsg(index, flags=flags[0], change=flags[1]) + b"".join(parts)
        self.request(nla.RTM_SETLINK, 0, body, f"set link {_shown(which)}")

    def altname(self, which: Which, *names: Name) -> None:
        """Add altnames (1 to 127 bytes each) to a link."""
        properties = nla.nest(nla.IFLA_PROP_LIST, *(nla.text(nla.IFLA_ALT_IFNAME, name) for name in names))
        index, parts = _addressed(which)
        body = nla.ifinfomsg(index) + b"".join(parts) + properties
        self.request(nla.RTM_NEWLINKPROP, _CREATE | _EXCL, body, f"add altname to {_shown(which)}")

    def delete(self, which: Which) -> None:
        """Delete a link (a veth goes with its peer)."""
        index, parts = _addressed(which)
        self.request(
            nla.RTM_DELLINK, 0, nla.ifinfomsg(index) + b"".join(parts), f"delete link {_shown(which)}"
        )

    def delete_together(self, indexes: list[int]) -> None:
        """Delete these links at once; those that are gone already are passed over.

        One by one each waits for the kernel's grace periods (5 to 20 ms); links of one group go together.
        """
        group = nla.u32(nla.IFLA_GROUP, _DOOMED)
        with contextlib.suppress(OSError), self.batch():
            for index in indexes:
                self.request(nla.RTM_SETLINK, 0, nla.ifinfomsg(index) + group, f"set group of link {index}")
        with contextlib.suppress(OSError):
            self.request(nla.RTM_DELLINK, 0, nla.ifinfomsg() + group, "delete links")

    def index(self, which: Which) -> int:
        """The ifindex of a link. Raises OSError (ENODEV)."""
        if isinstance(which, int):
            return which
        _, parts = _addressed(which)
        mask = nla.u32(nla.IFLA_EXT_MASK, _SKIP_STATS)
        body = nla.ifinfomsg() + b"".join(parts) + mask
        replies = self.ask(nla.RTM_GETLINK, 0, body, f"find link {_shown(which)}")
        return _indexes(replies)[0]

    def indexes(self) -> list[int]:
        """The ifindexes in use, as the kernel lists them."""
        body = nla.ifinfomsg() + nla.u32(nla.IFLA_EXT_MASK, _SKIP_STATS)
        return _indexes(self.ask(nla.RTM_GETLINK, _DUMP, body, "list links"))

    # -- addresses and routes -------------------------------------------------------------------------------------

    def address(self, index: int, cidr: str) -> None:
        """Add "10.0.0.1/24" or an IPv6 address (without duplicate detection) to the link with this ifindex."""
        interface = ipaddress.ip_interface(cidr)
        packed = interface.ip.packed
        parts = [nla.attribute(nla.IFA_LOCAL, packed), nla.attribute(nla.IFA_ADDRESS, packed)]
        if (
            isinstance(interface, ipaddress.IPv4Interface)
            and interface.network.num_addresses > _POINT_TO_POINT
        ):
            parts.append(nla.attribute(nla.IFA_BROADCAST, interface.network.broadcast_address.packed))
        if isinstance(interface, ipaddress.IPv6Interface):
            parts.append(nla.u32(nla.IFA_FLAGS, nla.IFA_F_NODAD))
        fixed = struct.pack("=BBBBi", _FAMILY[interface.version], interface.network.prefixlen, 0, 0, index)
        self.request(
            nla.RTM_NEWADDR, _CREATE | _EXCL, fixed + b"".join(parts), f"add address {cidr} to link {index}"
        )

    def route(self, destination: str, *, via: str | None = None, dev: int = 0, local: bool = False) -> None:
        """Add a route to "10.0.0.0/8" or to "default" ("default6" for IPv6), through a gateway, a link, or both.

        A `local` one (AnyIP) makes the namespace itself answer for all these addresses.
        """
        network = ipaddress.ip_network(
            {"default": "0.0.0.0/0", "default6": "::/0"}.get(destination, destination)
        )
        parts = []
        if network.prefixlen:
            parts.append(nla.attribute(nla.RTA_DST, network.network_address.packed))
        if via is not None:
            parts.append(nla.attribute(nla.RTA_GATEWAY, ipaddress.ip_address(via).packed))
        if dev:
            parts.append(nla.u32(nla.RTA_OIF, dev))
        main_table, by_boot, universe, on_link, host = 254, 3, 0, 253, 254
        scope = universe if via is not None or isinstance(network, ipaddress.IPv6Network) else on_link
        scope, kind = (host, 2) if local else (scope, 1)  # RTN_LOCAL, RTN_UNICAST
        fixed = struct.pack(
            "=BBBBBBBBI",
            *(_FAMILY[network.version], network.prefixlen, 0, 0, main_table, by_boot, scope, kind, 0),
        )
        self.request(nla.RTM_NEWROUTE, _CREATE | _EXCL, fixed + b"".join(parts), f"add route {destination}")

    def _index(self, which: Which) -> int:
        return which if isinstance(which, int) else self.index(which)


def _common(name: Name, mac: str | bytes | None, mtu: int, netns_fd: int | None) -> bytes:
    parts = [nla.text(nla.IFLA_IFNAME, name)]
    if mac is not None:
        parts.append(nla.attribute(nla.IFLA_ADDRESS, nla.mac(mac)))
    if mtu:
        parts.append(nla.u32(nla.IFLA_MTU, mtu))
    if netns_fd is not None:
        parts.append(nla.u32(nla.IFLA_NET_NS_FD, netns_fd))
    return b"".join(parts)


def _addressed(which: Which) -> tuple[int, list[bytes]]:
    """How a request names its link: the ifindex, or 0 and an attribute with the name."""
    if isinstance(which, int):
        return which, []
    name = os.fsencode(which)
    return 0, [nla.text(nla.IFLA_IFNAME if len(name) < nla.IFNAMSIZ else nla.IFLA_ALT_IFNAME, name)]


def _indexes(replies: list[bytes]) -> list[int]:
    return [struct.unpack_from("=i", reply, 4)[0] for reply in replies]


def _shown(which: Which) -> str:
    return str(which) if isinstance(which, int) else ascii(os.fsdecode(which))
