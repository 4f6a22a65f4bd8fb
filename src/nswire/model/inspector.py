"""What a topology asks for only when it is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from nswire.model.tables import NothingKnown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from nswire.model.gaps import Gap
    from nswire.model.sockets import Forward, Listener
    from nswire.model.tables import Lookups
    from nswire.model.values import Address, End, Gateway, Loose, NsKey, Owner, Value, Wire


class Inspector(Protocol):
    """What a topology asks for only when it is wanted."""

    def addresses(self, ns: NsKey) -> tuple[Address, ...]:
        """The addresses of a namespace."""
        ...

    def gaps(self) -> tuple[Gap, ...]:
        """What could not be seen while asking."""
        ...

    def gateways(self, ns: NsKey) -> tuple[Gateway, ...]:
        """The gateways of a namespace's default routes."""
        ...

    def comm(self, pid: int) -> str:
        """The name of a process; empty if it is not known."""
        ...

    def wires(self, end: End, relations: Collection[str]) -> tuple[Wire, ...]:
        """The wires of a link that rtnetlink's description of it does not tell: its server, its virtual switch ..."""
        ...

    def loose(self, end: End, relations: Collection[str]) -> tuple[Loose, ...]:
        """Those of these wires whose other end is not known for certain."""
        ...

    def details(self, end: End, *only: str) -> Mapping[str, Mapping[str, Value]]:
        """What else is known of a link, by what it was asked for; `only`: that is asked for, or all."""
        ...

    def everything(self) -> None:
        """Ask all that can be asked of all links."""
        ...

    def listeners(self, ns: NsKey) -> frozenset[tuple[str, int]]:
        """(`tcp` or `udp`, port) of what listens in a namespace."""
        ...

    def forwards(self, ns: NsKey, pid: int, listener: Listener) -> tuple[Forward, ...] | None:
        """Where a process hands on what comes to a socket of its; None: it is no program that does nothing else."""
        ...

    def lookups(self) -> Lookups:
        """The tables that paths look up."""
        ...

    def owners(self, ns: NsKey) -> tuple[Owner, ...]:
        """Whose a namespace is; those who merely use the host's own are not told for it."""
        ...

    def link_owners(self, end: End) -> tuple[Owner, ...]:
        """Whose a link is, beyond whose its namespace is."""
        ...

    def owned(self) -> tuple[tuple[Owner, NsKey | None, tuple[End, ...]], ...]:
        """Every owner that is known, with the namespace it is in and the links that are its own."""
        ...

    def known(self, pids: Iterable[int]) -> Known:
        """All of that, asked now; names of these processes."""
        ...


class Known(NamedTuple):
    """What was asked on demand, all of it: see the methods of `Inspector` for what each is."""

    addresses: Mapping[NsKey, tuple[Address, ...]]
    gateways: Mapping[NsKey, tuple[Gateway, ...]]
    comms: Mapping[int, str]
    wires: Mapping[End, tuple[Wire, ...]]
    loose: Mapping[End, tuple[Loose, ...]]
    details: Mapping[End, Mapping[str, Mapping[str, Value]]]
    listeners: Mapping[NsKey, frozenset[tuple[str, int]]]
    owners: Mapping[NsKey, tuple[Owner, ...]]
    link_owners: Mapping[End, tuple[Owner, ...]]
    owned: tuple[tuple[Owner, NsKey | None, tuple[End, ...]], ...]
    gaps: tuple[Gap, ...]


class Answered:
    """An `Inspector` that knows all there is to be asked, and asks nothing: of a topology that is a value (`Topology.enriched`).

    Only the tables that paths look up are not in it (`lookups`).
    """

    def __init__(self, known: Known) -> None:
        self._known = known

    def addresses(self, ns: NsKey) -> tuple[Address, ...]:
        """The addresses of a namespace."""
        return self._known.addresses.get(ns, ())

    def gaps(self) -> tuple[Gap, ...]:
        """What could not be seen."""
        return self._known.gaps

    def gateways(self, ns: NsKey) -> tuple[Gateway, ...]:
        """The gateways of a namespace's default routes."""
        return self._known.gateways.get(ns, ())

    def comm(self, pid: int) -> str:
        """The name of a process that holds a namespace; empty if it is not known."""
        return self._known.comms.get(pid, "")

    def wires(self, end: End, relations: Collection[str]) -> tuple[Wire, ...]:
        """The wires of a link that rtnetlink's description of it does not tell."""
        found = self._known.wires.get(end, ())
        return tuple(wire for wire in found if not relations or wire.relation in relations)

    def loose(self, end: End, relations: Collection[str]) -> tuple[Loose, ...]:
        """Those of these wires whose other end is not known for certain."""
        found = self._known.loose.get(end, ())
        return tuple(loose for loose in found if not relations or loose.relation in relations)

    def details(self, end: End, *only: str) -> Mapping[str, Mapping[str, Value]]:  # noqa: ARG002 (all of them are known)
        """What else is known of a link."""
        return self._known.details.get(end, {})

    def everything(self) -> None:
        """Nothing to ask."""

    def listeners(self, ns: NsKey) -> frozenset[tuple[str, int]]:
        """(`tcp` or `udp`, port) of what listens in a namespace."""
        return self._known.listeners.get(ns, frozenset())

    def forwards(self, ns: NsKey, pid: int, listener: Listener) -> None:
        """Not known: it takes a look at a process."""

    def lookups(self) -> Lookups:
        """Nothing to look up."""
        return NothingKnown()

    def owners(self, ns: NsKey) -> tuple[Owner, ...]:
        """Whose a namespace is."""
        return self._known.owners.get(ns, ())

    def link_owners(self, end: End) -> tuple[Owner, ...]:
        """Whose a link is, beyond whose its namespace is."""
        return self._known.link_owners.get(end, ())

    def owned(self) -> tuple[tuple[Owner, NsKey | None, tuple[End, ...]], ...]:
        """Every owner that is known, with the namespace it is in and the links that are its own."""
        return self._known.owned

    def known(self, pids: Iterable[int]) -> Known:  # noqa: ARG002 (all of them are known)
        """All of it."""
        return self._known


class NothingMore(Answered):
    """An `Inspector` that has nothing to add: of a topology that is made by hand."""

    _known = Known({}, {}, {}, {}, {}, {}, {}, {}, {}, (), ())

    def __init__(self) -> None:
        """Nothing is to be known."""
