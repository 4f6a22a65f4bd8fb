"""What is on a picture as a document: the same choice of links and wires, nothing of it folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from nswire.show.documents import MapWireDoc, OpenDoc

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.draw.selection import Drawn
    from nswire.model.topology import Topology
    from nswire.model.values import End, Loose, NsKey, Wire
    from nswire.show.documents import Place
    from nswire.show.to_documents import Builder


def parts(build: Builder, topology: Topology, drawn: Drawn) -> list[tuple[str, Iterable[object]]]:
    """The lists of the document."""
    wires = dict.fromkeys(strand.wire for strand in drawn.strands if strand.wire is not None)
    loose = dict.fromkeys(strand.loose for strand in drawn.strands if strand.loose is not None)
    return [
        ("namespaces", (build.netns(topology.namespaces[ns]) for ns in drawn.links)),
        ("links", (build.link(link) for links in drawn.links.values() for link in links)),
        ("wires", (_wire(build, topology, wire) for wire in wires)),
        ("open", (_open(build, topology, one) for one in loose)),
    ]


def _space(topology: Topology, ns: NsKey) -> int | str:
    """A namespace by its inode; a hidden one has none that is known, so by its label."""
    named = topology.namespaces[ns]
    return named.label if named.inode is None else named.inode


def _place(topology: Topology, end: End) -> Place:
    return _space(topology, end.ns), end.ifindex


def _wire(build: Builder, topology: Topology, wire: Wire) -> MapWireDoc:
    return MapWireDoc(
        relation=wire.relation,
        a=_place(topology, wire.a),
        b=None if wire.b is None else _place(topology, wire.b),
        evidence=wire.evidence,
        to=UNSET if wire.to is None else build.to(wire.to),
        data=dict(wire.data) if wire.data else UNSET,
    )


def _open(build: Builder, topology: Topology, loose: Loose) -> OpenDoc:
    spaces = ((_space(topology, ns), None) for ns in loose.spaces if ns in topology.namespaces)
    return OpenDoc(
        relation=loose.relation,
        a=_place(topology, loose.a),
        state=loose.state,
        far=build.far(loose),
        candidates=(*(_place(topology, end) for end in loose.candidates), *spaces),
    )
