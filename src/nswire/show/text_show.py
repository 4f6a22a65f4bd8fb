"""`nswire show` for people: one screen about a link or a namespace."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from nswire.model import owner_types
from nswire.model.values import said
from nswire.resolve.evidence import why
from nswire.show import words
from nswire.show.cleanup_commands import release
from nswire.show.terminal import Line, Paper, Span, fold_text, line, span
from nswire.show.text_ls import write_links
from nswire.show.text_netns import held_by, tell, told
from nswire.show.text_peer import tree, write_node
from nswire.show.to_documents import LINK_TYPES, master_name, said_of, said_of_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nswire.model.topology import Link, Topology
    from nswire.model.values import Namespace, Owner, Pairs, Value, Wire

LABEL = 12  # columns of the names on the left
PLAIN = ("of", "daemon")  # data that an owner's plain words have already, nearly always
LISTED = 24  # holders or ports told by name


def write_link(paper: Paper, link: Link) -> None:
    """Everything about a link."""
    paper.print(*words.place(link))
    for name, value in _link_rows(link):
        if any(piece.text for piece in value):
            paper.print(f"  {name:<{LABEL}}", *value)
    paper.print()
    write_node(paper, tree(link), "  ", "  ")
    for reason in why(link):
        fold_text(paper, line("  "), reason, "dim")


def _link_rows(link: Link) -> Iterator[tuple[str, Line]]:
    fact = link.fact
    yield "namespace", _namespace_words(link.topology, link.netns)
    for owner in link.owners:
        yield "owner", _owner_words(owner, *(("guest_macs",) if link.guest is not None else ()))
    yield "ifindex", line(str(link.ifindex))
    yield "kind", (span(_told(link.kind, said_of(link)) or "physical or built in"),)
    yield "state", line(words.state(link), "  ", span(",".join(link.flags), "dim"))
    yield "type", (span(LINK_TYPES.get(fact.type, str(fact.type))),)
    yield "MAC", (span(fact.address),)
    yield "permanent", (span("" if fact.permaddr == fact.address else fact.permaddr),)
    yield "MTU", line(str(fact.mtu))
    for address in link.addresses:
        yield "address", (span(words.address(address)),)
    for name in fact.altnames:
        yield "altname", (span(name),)
    yield "alias", (span(fact.alias),)
    yield "device", (span(" ".join(part for part in (fact.parentbus, fact.parentdev) if part)),)
    yield "master", (span(master_name(link) or ""),)
    yield "port", (span(_told(fact.slave_kind, said_of_port(link))),)
    yield "ports", _named(link.ports)
    yield "under", _named(link.uppers)
    for wire in link.late_wires():
        yield wire.relation, _wire_words(link, wire)
    for name, values in link.details.items():
        yield name, (span(" ".join(said(_flat(values)))),)


def _owner_words(owner: Owner, *without: str) -> Line:
    """An owner with all that is known of him; `without` what is told elsewhere, such as the MACs of a VM's other NICs."""
    more = [owner.id] if owner.id not in (owner.name, str(owner.pid)) else []
    plain = words.owner(owner)
    more += [
        f"{name} {value}"
        for name, value in owner.data
        if name not in (*owner_types.LABEL_DATA, *without) and not (name in PLAIN and str(value) in plain)
    ]
    return (span(plain, "owner"), *((Span("  "), span(" ".join(more), "dim")) if more else ()))


def write_owner(paper: Paper, owner: Owner, ns: Namespace | None) -> None:
    """Somebody who has neither a namespace nor a link of his own."""
    paper.print(*_owner_words(owner), Span(f"  {words.homeless(ns)}"))


def _wire_words(link: Link, wire: Wire) -> Line:
    """A wire as seen from one of its ends: `to host/ifb0 (from ingress, to egress, by matchall)`."""
    other = link.topology.at(wire.b if wire.a == link.end else wire.a)
    far = () if wire.to is None else words.far(wire.to, link.topology)
    end = (Span("to " if wire.a == link.end else "from "), *words.place(other)) if other is not None else far
    more = (*said(wire.data), *(said(wire.to.data) if wire.to is not None else ()))
    told = ", ".join((*((wire.evidence,) if wire.evidence != "proved" else ()), *more))
    return (*end, *((Span(" ("), span(told), Span(")")) if told else ()))


def _told(kind: str, data: Mapping[str, Value]) -> str:
    """A kind and what its data say: `vxlan  id 7  port 4789  learning`."""
    return " ".join([kind, *said(_flat(data))]) if kind else ""


def _flat(data: Mapping[str, Value]) -> Pairs:
    """What is nested beside what is not."""
    return tuple(
        pair
        for name, value in data.items()
        for pair in (value.items() if isinstance(value, dict) else ((name, value),))
    )


def _named(links: Sequence[Link]) -> Line:
    names: list[Span] = []
    for link in links[:LISTED]:
        names += [span(link.ifname), Span(" ")]
    more = len(links) - LISTED
    return (*names, Span(f"and {more} more: --json shows all" if more > 0 else ""))


def _namespace_words(topology: Topology, ns: Namespace) -> Line:
    inode = "" if ns.inode is None or ns.label == f"net:[{ns.inode}]" else f"  net:[{ns.inode}]"
    return line(words.netns(topology, ns), inode, "  ", span(held_by(topology, ns), "dim"))


def write_namespace(paper: Paper, topology: Topology, ns: Namespace) -> None:
    """Everything about a namespace, and a table of its links."""
    paper.print(words.netns(topology, ns))
    for name, value in _namespace_rows(topology, ns):
        if any(piece.text for piece in value):
            paper.print(f"  {name:<{LABEL}}", *value)
    links = list(topology.links(ns.key))
    if links:
        paper.print()
        write_links(paper, links)


def _namespace_rows(topology: Topology, ns: Namespace) -> Iterator[tuple[str, Line]]:
    yield "inode", line("" if ns.inode is None else str(ns.inode))
    yield "cookie", line("" if ns.cookie is None else str(ns.cookie))
    for name in ns.names:
        yield "name", (span(name, "netns"),)
    yield "links", line(str(topology.count(ns.key)) if ns.readable else "they cannot be read")
    yield "self", line("nswire runs here" if ns.home else "")
    if ns.seen_from is not None:
        yield "hidden", (span(held_by(topology, ns), "doubt"),)
    holders, comms = told(ns), topology.named_holders(ns.key)
    listed = [holder for holder in holders if not holder.pid or holder in comms][:LISTED]
    for holder in listed:
        yield "held by", (span(tell(holder, comms.get(holder, ""))),)
    if len(holders) > len(listed):
        yield "", line(f"and {len(holders) - len(listed)} more: --json shows all")
    for command in release(ns):
        yield "to let go", (span(command),)
    for owner in topology.owners(ns.key):
        yield "owner", _owner_words(owner)


def write_all(
    paper: Paper,
    topology: Topology,
    namespaces: Sequence[Namespace],
    links: Sequence[Link],
    owners: Sequence[tuple[Owner, Namespace | None]] = (),
) -> None:
    """Owners without links of their own, namespaces, links; an empty line between any two."""
    writes = [partial(write_owner, paper, owner, ns) for owner, ns in owners]
    writes += [partial(write_namespace, paper, topology, ns) for ns in namespaces]
    writes += [partial(write_link, paper, link) for link in links]
    for number, write in enumerate(writes):
        if number:
            paper.print()
        write()
