"""What all steps of a walk have in common: the host and its tables, what the walk has learned on its way, and who carries it on.

Steps know each other by the protocols here alone, so that none stands above the one that it hands a packet to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from nswire.model.reasons import Cause
from nswire.path import sysctls
from nswire.path.conntrack import Tracker
from nswire.path.supposed import Supposed
from nswire.path.values import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from nswire.model.firewall import Chain, Firewall, SetName
    from nswire.model.tables import Lookups
    from nswire.model.topology import Link, Topology
    from nswire.model.values import Address, End, NsKey
    from nswire.path.branching import Chooser
    from nswire.path.fib import Fib
    from nswire.path.netfilter.compare import Known
    from nswire.path.values import Frame, Landing, Mend, Packet, ProxyRelay, Relay, Steps

    Carry = Callable[[Frame, Steps], Landing]


class L2(Protocol):
    """What carries frames over links (`path.l2`)."""

    light: bool

    def deliver(self, link: Link, frame: Frame, steps: Steps) -> Landing:
        """Send a frame that is for somebody; where it lands."""
        ...

    def explore(self, link: Link, frame: Frame) -> Iterator[Landing]:
        """Where a frame may land at all, by structure alone."""
        ...

    def heard(self, link: Link, frame: Frame) -> list[Landing]:
        """Where a frame that comes in by a link may land at all, by structure alone."""
        ...

    def in_full(self) -> AbstractContextManager[None]:
        """Ask everything for a while."""
        ...

    def send(self, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
        """A frame that goes out by a link."""
        ...

    def arrive(self, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
        """A frame that comes in by a link."""
        ...

    def to_stack(self, link: Link, frame: Frame, steps: Steps, also: str = "") -> Landing:
        """Up to the IP stack, if the frame is for it."""
        ...

    def lost(
        self, link: Link, frame: Frame, steps: Steps, reason: Cause, mend: Mend | None = None
    ) -> Landing:
        """The end of a frame."""
        ...

    def unknown(self, link: Link, frame: Frame, steps: Steps, reason: Cause, kind: str = "link") -> Landing:
        """A frame that cannot be followed."""
        ...


class L3(Protocol):
    """The IP stacks of namespaces (`path.ip`)."""

    def originate(
        self, ns: NsKey, packet: Packet, steps: Steps = (), oif: int = 0, *, anysrc: bool = False
    ) -> Landing:
        """A packet that a namespace itself sends."""
        ...

    def arrived(self, landing: Landing) -> Landing:
        """Go on with a frame that came up to a stack; anything else is where it ends."""
        ...

    def source_address(self, end: End, gateway: str, dst: str) -> str:
        """The address that a packet out of that link gets; empty if it has none."""
        ...

    def back_out(self, link: Link, packet: Packet) -> tuple[str, str] | None:
        """The next hop of a packet that came in by a link and is routed out by it again, and the route; None: it is not."""
        ...

    def send(self, link: Link, packet: Packet, target: str, steps: Steps, *, carry: Carry) -> Landing:
        """Send a packet to a next hop on the segment of that link, by `carry`."""
        ...


class PathContext:
    """A walk, with what it has learned on its way: connections, and behind which port of a bridge a MAC is.

    `l2` and `l3` are given to it by whoever begins a walk (`path.trace.walker`).
    """

    DEEPEST = 8  # tunnels in tunnels

    l2: L2
    l3: L3

    def __init__(self, topology: Topology, lookups: Lookups, fib: Fib, chooser: Chooser) -> None:
        self.topology = topology
        self.lookups = lookups
        self.fib = fib
        self.chooser = chooser
        self.learned: dict[tuple[End, int, str], End] = {}
        self.learned_neighbours: dict[tuple[End, str], str] = {}
        self.askers: dict[tuple[End, str], str] = {}  # who answers a question knows from then on who asked it
        self.mtus: list[tuple[int, End]] = []
        self.depth = 0
        self.leaves_out: bool | None = None  # chains of priority 0, by br_netfilter: not yet asked for
        self.inside: list[End] = []  # the tunnels that the packet is in
        self.overhead = 0
        self.relays: list[Relay | ProxyRelay] = []
        self.conntrack = Tracker()
        self.supposed = Supposed()
        self.changes: dict[tuple[NsKey, SetName], list[tuple[str, tuple[Known, ...]]]] = {}
        """What rules have added to sets (`add`) or taken out of them (`delete`)."""
        self._chains: dict[NsKey, dict[tuple[bool, str, str, str], Chain]] = {}

    # -- what all ask --------------------------------------------------------------------------------------------

    def name(self, ns: NsKey) -> str:
        """A namespace as people call it."""
        return self.topology.title(self.topology.namespaces[ns])

    def named(self, ns: NsKey, ifname: str) -> Link | None:
        """The link of that name."""
        return next((link for link in self.topology.links(ns) if link.ifname == ifname), None)

    def chain(self, ns: NsKey, firewall: Firewall, name: tuple[bool, str, str, str]) -> Chain | None:
        """The chain of that name: whether it is of the old iptables, its family, table and own name."""
        if ns not in self._chains:
            self._chains[ns] = {(one.legacy, one.family, one.table, one.name): one for one in firewall.chains}
        return self._chains[ns].get(name)

    def has(self, ns: NsKey, address: str) -> bool:
        """Whether any link of a namespace has that address, usable or not."""
        return self.address(ns, address) is not None

    def address(self, ns: NsKey, address: str) -> Address | None:
        """That address of any link of a namespace; one that can be used, if several have it."""
        links = self.topology.links(ns)
        found = [one for link in links for one in self.topology.addresses_of(link.end) if one.ip == address]
        return next((one for one in found if one.usable), next(iter(found), None))

    def setting(self, link: Link, name: str) -> int:
        """What counts for a link of such a sysctl (`ipv4/conf/{}/rp_filter`). NotKnown."""
        known = sysctls.setting(self.lookups, link, name)
        if known is not None:
            return known
        return self.chooser.choose(
            [f"{name.replace('{}', link.ifname)} counts as {value}" for value in (0, 1)]
        )

    def step(self, kind: str, text: str | Cause, ns: NsKey, end: End | None = None, **more: object) -> Steps:
        """One step, told of this depth of tunnels."""
        cause = text if isinstance(text, Cause) else None
        return (Step(kind, str(text), ns, end, depth=self.depth, cause=cause, **more),)  # type: ignore[arg-type]
