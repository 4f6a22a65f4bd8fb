"""What a path asks for on its way: only along it, and only when it gets there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, NoReturn, Protocol

from nswire.model.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from nswire.model.firewall import Firewall
    from nswire.model.reasons import Cause
    from nswire.model.routing import FdbEntry, Neighbour, NextHopObject, PortVlans, Route, Rule, VlanState
    from nswire.model.sockets import Credentials, Listener, Process
    from nswire.model.values import End, NsKey, Value

NOT_READ = Reason("tables.not_read", "its tables were not read", unknown=True)


class Query(NamedTuple):
    """A packet, as far as routing looks at it. `iif`: it came in there (0: it is sent from here); protocols by number.

    `uid`: the user whose packet it is (None: not known, for one that is sent from here; for others there is none).

    With `match` the answer is the entry of the table that decides, else what becomes of the packet.
    """

    dst: str
    src: str = ""
    iif: int = 0
    oif: int = 0
    mark: int = 0
    proto: int = 0
    sport: int = 0
    dport: int = 0
    match: bool = False
    tos: int = 0
    uid: int | None = None

    @property
    def family(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.dst else 4


class Redirect(NamedTuple):
    """A mirred action: packets (`copy`: copies of them) go to the link `ifindex`, out of it or (`ingress`) as if received there."""

    ifindex: int
    copy: bool
    ingress: bool


class Filter(NamedTuple):
    """A tc filter of a link: its kind, where it sends packets, and the BPF program (id 0: none, or not told).

    `protocol` is the EtherType that it looks at (3: all). `chain` 0 is the one that packets meet. `plain`: sending packets
    elsewhere, or copies of them, is all that it does with those that match.
    """

    kind: str
    redirects: tuple[Redirect, ...]
    program: str
    program_id: int
    protocol: int = 3
    chain: int = 0
    plain: bool = True


Loses = Literal["nothing", "some", "all"]


class Qdisc(NamedTuple):
    """A queueing discipline of a link, at its root or in one of its classes: whether it loses what is given to it, and why."""

    ifindex: int
    kind: str
    root: bool
    loses: Loses = "nothing"
    why: str = ""


class Transform(NamedTuple):
    """What an XFRM policy wants done to a packet, or to have been done: `esp tunnel 192.0.2.1 -> 192.0.2.2`; or, `optional`, would like."""

    text: str
    optional: bool = False


class Policy(NamedTuple):
    """An XFRM policy, as far as it looks at packets: direction (`in`, `out`, `fwd`), `block` or `allow`, what to do to those that it takes.

    `sports` and `dports` are a port and a mask; a mask of 0: any. `special`: it is of a kind that is not followed (a device, an xfrm
    interface's, a sub policy). Those of lower priority come first.
    """

    direction: str
    family: int
    src: str
    dst: str
    proto: int
    sport: tuple[int, int]
    dport: tuple[int, int]
    mark: tuple[int, int]
    priority: int
    block: bool
    transforms: tuple[Transform, ...] = ()
    special: str = ""


class Policies(NamedTuple):
    """The XFRM policies of a namespace in the order in which they are looked at, and directions in which nothing else passes."""

    policies: tuple[Policy, ...] = ()
    blocked: frozenset[str] = frozenset()


class Hook(NamedTuple):
    """Something that netfilter calls at a hook: a function of the kernel (with its module), or a BPF program.

    `somewhere`: in which namespace the program is the kernel does not tell.
    """

    hook: str
    priority: int
    function: str = ""
    module: str = ""
    program: int = 0
    somewhere: bool = False


class Marked(NamedTuple):
    """Whether any route or rule of a namespace has a realm (RTA_FLOW, FRA_FLOW), or says how large segments may be (RTAX_ADVMSS)."""

    realms: bool = True
    segments: bool = True


class Moment(NamedTuple):
    """When a machine was looked at: seconds since 1970, and how far its own clock is before UTC (None: not known).

    `cpus`: the numbers of its processors are below that (0: not known).
    """

    time: float
    zone: int | None = None
    cpus: int = 0


class NotKnown(Exception):
    """A table cannot be had, and with it what becomes of a packet cannot be told; the cause says which."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.text)
        self.cause = cause


class Lookups(Protocol):
    """The tables of namespaces, and the kernel's own decisions. NotKnown where a table cannot be had (a gap says why)."""

    def decision(self, ns: NsKey, query: Query, /) -> Route | int | None:
        """What the kernel itself would do: the route, or the errno of its refusal; None where it cannot be asked."""
        ...

    def marked(self, ns: NsKey, /) -> Marked:
        """What else routes and rules have to say."""
        ...

    def moment(self) -> Moment | None:
        """When all this is so."""
        ...

    def rules(self, ns: NsKey, family: int, /) -> tuple[Rule, ...]:
        """The policy rules in their order; `family` is 4 or 6."""
        ...

    def routes(self, ns: NsKey, /) -> tuple[Route, ...]:
        """All routes of all tables."""
        ...

    def prefixes(self, ns: NsKey, /) -> Mapping[str, int]:
        """How many routes the IPv4 tables Main and Local hold, as the kernel counts them: all of both in each, while they are one."""
        ...

    def next_hops(self, ns: NsKey, /) -> Mapping[int, NextHopObject]:
        """The next hop objects by their ids."""
        ...

    def neighbours(self, ns: NsKey, /) -> tuple[Neighbour, ...]:
        """The neighbour table, with the addresses that are answered for (`proxy`)."""
        ...

    def fdb(self, ns: NsKey, *lladdrs: str) -> tuple[FdbEntry, ...]:
        """What the forwarding tables of bridges and vxlans have of these MACs."""
        ...

    def vlans(self, ns: NsKey, /) -> Mapping[int, PortVlans]:
        """The VLANs of bridge ports, by ifindex."""
        ...

    def vlan_states(self, ns: NsKey, /) -> Mapping[int, tuple[VlanState, ...]]:
        """The states of bridge ports in single VLANs, by ifindex; none from a kernel that has no such thing."""
        ...

    def qdiscs(self, end: End, /) -> tuple[Qdisc, ...]:
        """The queueing disciplines of a link."""
        ...

    def policies(self, ns: NsKey, /) -> Policies:
        """The XFRM policies."""
        ...

    def hooks(self, ns: NsKey, family: str, /) -> tuple[Hook, ...]:
        """What netfilter calls for a family (`ip`, `ip6`, `bridge`) that is no chain of a ruleset and no part of netfilter itself."""
        ...

    def sysctl(self, ns: NsKey, name: str, ifname: str = "", /) -> int | None:
        """A number under /proc/sys/net, such as `ipv4/ip_forward`, or `ipv4/conf/{}/rp_filter` of a link; None: this kernel has none."""
        ...

    def groups(self, ns: NsKey, /) -> Mapping[int, int]:
        """The group of each link, by ifindex."""
        ...

    def firewall(self, ns: NsKey, /) -> Firewall:
        """The packet filter, whoever made it."""
        ...

    def listeners(self, ns: NsKey, /) -> tuple[Listener, ...] | None:
        """What listens; None if that cannot be told."""
        ...

    def holder(self, inode: int, /) -> Process | None:
        """The process that has a socket open; None if none is seen to."""
        ...

    def credentials(self, pid: int, /) -> Credentials | None:
        """What a process may do; None if that cannot be told."""
        ...

    def details(self, end: End, facet: str, /) -> Mapping[str, Value]:
        """What a facet tells of a link."""
        ...

    def switched(self, bridge: str, flow: str, /) -> str | None:
        """What Open vSwitch says would become of that flow (`ofproto/trace`)."""
        ...

    def filters(self, end: End, /) -> Mapping[str, tuple[Filter, ...]]:
        """The tc filters of a link by place (`ingress`, `egress`, `root`)."""
        ...

    def ahead(self, tables: Collection[str], /) -> None:
        """Ask for some of these tables in all namespaces, since all of them will be wanted."""
        ...

    def everything(self) -> None:
        """Ask for all of these tables in all namespaces: for a recording."""
        ...


class NothingKnown:
    """`Lookups` that know nothing: of a topology that is made by hand."""

    def decision(self, _: NsKey, __: Query, /) -> None:
        """The kernel is not there."""

    def marked(self, _: NsKey, /) -> Marked:
        """There may be anything."""
        return Marked()

    def moment(self) -> None:
        """Not known."""

    def listeners(self, _: NsKey, /) -> None:
        """Not known."""

    def holder(self, _: int, /) -> None:
        """Not known."""

    def credentials(self, _: int, /) -> None:
        """Not known."""

    def switched(self, _: str, __: str, /) -> None:
        """Not known."""

    def ahead(self, _: Collection[str], /) -> None:
        """Nobody to ask."""

    def everything(self) -> None:
        """Nobody to ask."""

    def details(self, _: End, __: str, /) -> Mapping[str, Value]:
        """None that are known."""
        return {}

    def _nothing(self, *_: object) -> NoReturn:
        """NotKnown."""
        raise NotKnown(NOT_READ())

    rules = routes = prefixes = next_hops = neighbours = fdb = vlans = sysctl = groups = firewall = (
        filters
    ) = _nothing
    vlan_states = qdiscs = policies = hooks = _nothing
