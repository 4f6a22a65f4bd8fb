"""What listens in a namespace: one line a socket, with the process that has it open."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire.show import table, words
from nswire.show.documents import ListeningDoc
from nswire.show.terminal import Line, Paper, Span, line, span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nswire.model.sockets import Listener, Process
    from nswire.model.topology import Topology
    from nswire.model.values import Namespace
    from nswire.show.to_documents import Builder

HEADER = ("NETNS", "SOCKET", "PID", "PROCESS")


class Listening(NamedTuple):
    """A socket that listens, in a namespace, and a process that has it open, if one is known."""

    ns: Namespace
    socket: Listener
    process: Process | None


def listening(topology: Topology, ns: Namespace) -> Iterator[Listening]:
    """What listens there, by protocol and port; nothing of a namespace that cannot be entered."""
    lookups = topology.lookups()
    found = lookups.listeners(ns.key) if ns.readable and not ns.hidden else None
    for one in sorted(set(found or ()), key=lambda one: (one.protocol, one.port, one.family, one.address)):
        yield Listening(ns, one, lookups.holder(one.inode) if one.inode else None)


def written(one: Listener) -> str:
    """`tcp 0.0.0.0:80`, `udp [::]:53`, as `ss` has it."""
    address = f"[{one.address}]" if ":" in one.address else one.address
    return f"{one.protocol} {address}:{one.port}"


def write(paper: Paper, topology: Topology, found: Iterable[Listening]) -> None:
    """The table."""
    rows: list[tuple[Line, ...]] = [
        (
            (words.netns(topology, one.ns),),
            (span(written(one.socket)),),
            line("" if one.process is None else str(one.process.pid)),
            (span("" if one.process is None else one.process.name),),
        )
        for one in found
    ]
    if rows:
        table.write(paper, HEADER, rows)
    else:
        paper.print(Span("nothing listens here", "dim"))


def document(build: Builder, one: Listening) -> ListeningDoc:
    """For JSON."""
    return ListeningDoc(
        netns=build.netns(one.ns),
        protocol=one.socket.protocol,
        address=one.socket.address,
        port=one.socket.port,
        pid=None if one.process is None else one.process.pid,
        process=None if one.process is None else one.process.name,
    )
