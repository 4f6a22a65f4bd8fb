"""Routes, rules, neighbours: what a kernel decides with where a packet goes. Names are iproute2's."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

ROUTE_TYPES = {
    1: "unicast",
    2: "local",
    3: "broadcast",
    4: "anycast",
    5: "multicast",
    6: "blackhole",
    7: "unreachable",
    8: "prohibit",
    9: "throw",
}  # RTN_*, include/uapi/linux/rtnetlink.h
TABLES = {253: "default", 254: "main", 255: "local"}
DEAD, LINKDOWN = 1, 16  # RTNH_F_*


class NextHop(msgspec.Struct, frozen=True, gc=False):
    """One way of a route: by which link, to which router (empty: the destination itself is on the link).

    `encap` names a light-weight tunnel (mpls, seg6 ...) that is put around the packet; empty: none.
    """

    ifindex: int
    gateway: str = ""
    weight: int = 1
    flags: int = 0
    encap: str = ""


class Route(msgspec.Struct, frozen=True, gc=False):
    """An entry of a routing table, or the answer to a lookup. `dst` and `src` are networks; `mtu` 0: the link's.

    `hoplimit` is the TTL of what is sent by it; 0: the namespace's.
    """

    family: int
    dst: str
    table: int = 254
    type: str = "unicast"
    scope: int = 0
    protocol: int = 0
    priority: int = 0
    tos: int = 0
    prefsrc: str = ""
    hops: tuple[NextHop, ...] = ()
    nh_id: int = 0
    mtu: int = 0
    src: str = ""
    mark: int = 0
    hoplimit: int = 0


class Ports(NamedTuple):
    """The ports that a rule is about: from `first` to `last`, or with a `mask` those that are like `first` under it."""

    first: int
    last: int
    mask: int = 0

    @property
    def text(self) -> str:
        """As `ip rule` prints them."""
        if self.mask not in (0, 0xFFFF):
            return f"{self.first}/{self.mask:#x}"
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


class Masked(NamedTuple):
    """A number that a rule wants under a mask: the DSCP, or the flow label, of a packet."""

    value: int
    mask: int

    def fits(self, number: int) -> bool:
        """Whether the number is like that under the mask."""
        return (number ^ self.value) & self.mask == 0

    def text(self, whole: int) -> str:
        """As `ip rule` prints it; `whole` is the mask of all bits."""
        return f"{self.value:#x}" if self.mask == whole else f"{self.value:#x}/{self.mask:#x}"


class Rule(msgspec.Struct, frozen=True, gc=False):
    """A policy routing rule: which packets look where. `table` 0: none; `target` is that of a goto."""

    family: int
    priority: int
    action: str
    table: int = 0
    target: int = 0
    src: str = ""
    dst: str = ""
    iif: str = ""
    oif: str = ""
    fwmark: int = 0
    fwmask: int = 0
    tos: int = 0
    proto: int = 0
    sports: Ports | None = None
    dports: Ports | None = None
    uids: tuple[int, int] | None = None
    l3mdev: bool = False
    suppress_prefixlength: int = -1
    suppress_ifgroup: int = -1
    invert: bool = False
    dscp: Masked | None = None
    flowlabel: Masked | None = None
    unknown: tuple[int, ...] = ()


class Neighbour(msgspec.Struct, frozen=True, gc=False):
    """An entry of the neighbour table: which MAC an address of a link's segment has. `state` is the kernel's number."""

    ifindex: int
    address: str
    lladdr: str
    state: int
    proxy: bool = False


class FdbEntry(msgspec.Struct, frozen=True, gc=False):
    """An entry of a forwarding table: behind which port of a bridge a MAC is, or to which host a vxlan sends it.

    `master` 0: the link's own table. `own`: the bridge's or the link's own address. `vlan` 0: in any. `sticky`: it stays
    there, also if the MAC is heard elsewhere. `locked`: the kernel itself noted it for somebody who may not come in yet. `nh_id`: a vxlan sends to that group of next hops.
    """

    ifindex: int
    lladdr: str
    master: int = 0
    vlan: int = 0
    own: bool = False
    dst: str = ""
    vni: int = 0
    port: int = 0
    via: int = 0
    sticky: bool = False
    locked: bool = False
    nh_id: int = 0


FAILED, NOARP, PERMANENT = 0x20, 0x40, 0x80  # NUD_*
VALID = 0x02 | 0x04 | 0x08 | 0x10 | NOARP | PERMANENT  # states with a MAC that is used


class NextHopObject(msgspec.Struct, frozen=True, gc=False):
    """A next hop that stands for itself (`ip nexthop`): a way, a group of others by weight, or a blackhole."""

    id: int
    hop: NextHop | None = None
    group: tuple[tuple[int, int], ...] = ()
    blackhole: bool = False


class VlanState(NamedTuple):
    """The state of a port (or of the bridge itself) in the VLANs from `first` to `last`; `neigh_suppress` in these alone."""

    first: int
    last: int
    state: str = "forwarding"
    neigh_suppress: bool = False


class PortVlans(msgspec.Struct, frozen=True, gc=False):
    """The VLANs of a bridge port: the one that untagged frames come in by (0: none), and ranges that leave so or tagged."""

    pvid: int
    untagged: tuple[tuple[int, int], ...]
    tagged: tuple[tuple[int, int], ...]
