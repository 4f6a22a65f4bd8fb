"""The values everything else speaks in. Names are the kernel's and iproute2's; unknown kinds survive as they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

NsKey = int
"""A namespace within one scan: its nsfs inode, or a negative number for one that only an nsid betrays."""

Evidence = Literal["proved", "mutual", "inferred"]

Scalar = int | str | bool
Value = Scalar | dict[str, Scalar]
Pairs = tuple[tuple[str, Scalar], ...]
"""Names and values, in the order in which they are told."""


def said(data: Iterable[tuple[str, Scalar]]) -> list[str]:
    """Names and values as words: `tag 5`; a switch by its name alone, and one that is off not at all."""
    return [name if value is True else f"{name} {value}" for name, value in data if value is not False]


RT_SCOPE_LINK = (
    253  # include/uapi/linux/rtnetlink.h: addresses from there on count on their own segment alone
)

IFF_UP, IFF_LOOPBACK, IFF_RUNNING = 0x1, 0x8, 0x40
FLAGS = {
    "LOOPBACK": 0x8,
    "BROADCAST": 0x2,
    "POINTOPOINT": 0x10,
    "MULTICAST": 0x1000,
    "NOARP": 0x80,
    "ALLMULTI": 0x200,
    "PROMISC": 0x100,
    "MASTER": 0x400,
    "SLAVE": 0x800,
    "DEBUG": 0x4,
    "DYNAMIC": 0x8000,
    "AUTOMEDIA": 0x4000,
    "PORTSEL": 0x2000,
    "NOTRAILERS": 0x20,
    "UP": 0x1,
    "LOWER_UP": 0x10000,
    "DORMANT": 0x20000,
    "ECHO": 0x40000,
}  # include/uapi/linux/if.h, in iproute2's order; it shows IFF_RUNNING only by its lack, as NO-CARRIER
OPERSTATES = ("UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP")  # RFC 2863


class LinkFact(msgspec.Struct, frozen=True, gc=False):
    """One link as its own namespace's kernel describes it (RTM_NEWLINK).

    `link` and `link_netnsid` mean what the kind says they mean: see `kinds`. `data` and `slave_data` are the raw
    IFLA_INFO_DATA and IFLA_INFO_SLAVE_DATA. Numbers are the kernel's; `link_netnsid` counts only in this namespace
    (for a hidden namespace: in the one it was seen from).
    """

    ifindex: int
    ifname: str
    kind: str
    link: int | None
    link_netnsid: int | None
    master: int | None
    address: str
    mtu: int
    operstate: int
    flags: int
    type: int
    altnames: tuple[str, ...]
    alias: str
    permaddr: str
    parentdev: str
    parentbus: str
    data: bytes
    slave_kind: str
    slave_data: bytes


OPTIMISTIC, DADFAILED, DEPRECATED, TENTATIVE = 0x04, 0x08, 0x20, 0x40  # IFA_F_*, include/uapi/linux/if_addr.h
ADDRESS_STATES = {
    TENTATIVE: "tentative",
    DADFAILED: "dadfailed",
    DEPRECATED: "deprecated",
    OPTIMISTIC: "optimistic",
}


class Address(msgspec.Struct, frozen=True, gc=False):
    """An address of a link: `10.10.100.2/24`, AF_INET or AF_INET6, rtnetlink's scope number, its flags (IFA_F_*)."""

    ifindex: int
    address: str
    family: int
    scope: int
    flags: int = 0

    @property
    def ip(self) -> str:
        """Without the length of its network: `10.10.100.2`."""
        return self.address.partition("/")[0]

    @property
    def states(self) -> tuple[str, ...]:
        """What is not as usual with it, in the words of `ip address`: `tentative`, `dadfailed` ..."""
        return tuple(word for bit, word in ADDRESS_STATES.items() if self.flags & bit)

    @property
    def trouble(self) -> tuple[str, ...]:
        """Of these, what is worth telling: that duplicate address detection has begun is what every link does at first."""
        states = self.states
        return states if self.scope < RT_SCOPE_LINK or "dadfailed" in states else ()

    @property
    def usable(self) -> bool:
        """Whether it is answered for, and may be a source: a tentative one only if it is optimistic (RFC 4429)."""
        return not self.flags & DADFAILED and (not self.flags & TENTATIVE or bool(self.flags & OPTIMISTIC))


class Gateway(msgspec.Struct, frozen=True, gc=False):
    """The next hop of a default route: the link it leaves by and the router's address."""

    ifindex: int
    address: str


class Holder(msgspec.Struct, frozen=True, gc=False):
    """What keeps a namespace alive: a mount, process, thread, open fd or socket; `name` is an entry of /run/netns.

    `pid` is 0 where no process is involved; `path` is the mount point or name; `number` the thread id or descriptor.
    `own` tells a mount that our own mount namespace shows.
    """

    type: Literal["mount", "name", "process", "thread", "fd", "socket"]
    pid: int = 0
    path: str = ""
    number: int = 0
    own: bool = True


class Published(msgspec.Struct, frozen=True, gc=False):
    """A port of the host that leads into a container: `127.0.0.1:8080->80/tcp`. `address` is empty for any."""

    address: str
    port: int
    inside: int
    protocol: Literal["tcp", "udp", "sctp"]

    def __str__(self) -> str:
        """As docker has it."""
        address = f"[{self.address}]" if ":" in self.address else self.address or "*"
        return f"{address}:{self.port}->{self.inside}/{self.protocol}"


class Owner(msgspec.Struct, frozen=True, gc=False):
    """Whose a namespace or link is: `type` and `name` of it, its `id` with whoever knows it (`by`: docker, neutron ...).

    `pid` is the process that stands for it, `data` what else is worth knowing, such as the compose project, `published` the
    ports of the host that lead to it.
    """

    type: str
    name: str
    id: str
    by: str
    pid: int | None = None
    data: Pairs = ()
    published: tuple[Published, ...] = ()


class Namespace(msgspec.Struct, frozen=True):
    """A network namespace. `inode` is None for a hidden one, `cookie` None where the kernel has none or it was refused.

    `label` is what people see and can type; `seen_from` is, for a hidden one, the (namespace, nsid) that betrays it.
    `readable` is False where its links could not be read.
    """

    key: NsKey
    inode: int | None
    cookie: int | None
    names: tuple[str, ...]
    label: str
    home: bool = False
    hidden: bool = False
    readable: bool = True
    holders: tuple[Holder, ...] = ()
    seen_from: tuple[NsKey, int] | None = None


class End(msgspec.Struct, frozen=True, gc=False):
    """Where a link is: (namespace, ifindex)."""

    ns: NsKey
    ifindex: int


class Far(msgspec.Struct, frozen=True, gc=False):
    """An end of a wire that is no link.

    `process`: what serves a tap (`ns`: where that process is). `namespace`: where a tunnel's outer packets are routed,
    or leave. `tunnel`: a port of a virtual switch that is no link of its own.
    """

    type: Literal["process", "namespace", "tunnel"]
    name: str = ""
    ns: NsKey | None = None
    pid: int | None = None
    data: Pairs = ()


class Wire(msgspec.Struct, frozen=True):
    """A relation of a link to another one (`b`), or to something else (`to`; then `b` is None), with the evidence for it.

    Proved between namespaces: the id by which `a`'s namespace calls `b`'s is what says so, and `said_by` is how it is
    known what that id stands for (empty: both are in one namespace); else `said_by` names who says it. See `resolve.evidence`
    for the whole story of a pair in words. `data` is what belongs to the wire itself, such as a VLAN tag.
    """

    relation: str
    a: End
    b: End | None
    evidence: Evidence
    said_by: str = ""
    to: Far | None = None
    data: Pairs = ()


State = Literal["gone", "moved", "not visible", "not permitted", "ambiguous", "not said"]


class Loose(msgspec.Struct, frozen=True):
    """An end whose other end is not known for certain: `state` says why, `candidates` are all that would fit.

    `ns` is the namespace the other end is in, if that much is known; `ifindex` its index there. `spaces` are candidates
    of an end that is a namespace.
    """

    a: End
    relation: str
    state: State
    ifindex: int | None
    nsid: int | None
    ns: NsKey | None = None
    candidates: tuple[End, ...] = ()
    spaces: tuple[NsKey, ...] = ()


class Taken(msgspec.Struct, frozen=True):
    """How an answer was made."""

    time: str
    duration: float
    version: str
    kernel: str
    hostname: str
    capabilities: tuple[str, ...]
    uid: int
    source: str = "live"
