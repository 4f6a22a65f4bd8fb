"""`nswire peer` for people where it is about many links: a table of every pair, or of all links that were asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.show import table, words
from nswire.show.terminal import Line, Paper, Span, fold_text, line, span
from nswire.show.to_documents import loose_ends, master_name, open_peer, pairs, servers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nswire.model.topology import Link, Topology
    from nswire.model.values import Loose

LOOSE_HEADER = ("LINK", "IFINDEX", "KIND", "STATE", "NOT KNOWN")
HEADER = ("LINK", "IFINDEX", "PEER", "IFINDEX", "KIND", "STATE", "MASTER", "EVIDENCE")
MANY_HEADER = ("LINK", "IFINDEX", "KIND", "STATE", "PEER", "MASTER", "EVIDENCE")


def write_many(paper: Paper, links: Sequence[Link]) -> None:
    """One line a link, with what is at its other end; then how to see all of it."""
    table.write(paper, MANY_HEADER, [_row(link) for link in links])
    fold_text(paper, (), "the way up to the NIC: ask about one of them, or with --why about all", "dim")


def _row(link: Link) -> table.Row:
    loose = open_peer(link)
    evidence = link.wire.evidence if link.wire is not None else "" if loose is None else loose.state
    return (
        words.place(link),
        line(str(link.ifindex)),
        (span(words.kind(link)),),
        (words.state(link),),
        other_end(link),
        (span(master_name(link) or ""),),
        (span(evidence, "dim" if evidence == "proved" else "doubt"),),
    )


def other_end(link: Link) -> Line:
    """What is at the other end of a link, in a few words: its peer, the process that has it, what it is over. Empty: nothing."""
    if link.peer is not None:
        return words.place(link.peer)
    loose, lower = open_peer(link), link.lower
    if loose is not None:
        return (span(f"ifindex {loose.ifindex}, {loose.state}", "doubt"),)
    for far in servers(link):
        return words.far(far, link.topology)
    return (Span(""),) if lower is None else (Span("over "), *words.place(lower))


def write_pairs(paper: Paper, topology: Topology) -> None:
    """One line a pair, the home side first; then the ends whose peer is not known."""
    rows = [_pair_row(link, link.peer) for link in pairs(topology) if link.peer is not None]
    loose = [(link, link.loose) for link in loose_ends(topology) if link.loose is not None]
    if rows:
        table.write(paper, HEADER, rows)
    if rows and loose:
        paper.print()
    if loose:
        table.write(paper, LOOSE_HEADER, [_loose_row(link, end) for link, end in loose])
        for hint in dict.fromkeys(words.unlock(topology, end) for _, end in loose):
            paper.print(span(hint, "dim"))
    if not rows and not loose:
        paper.print(Span("no pairs here", "dim"))


def _loose_row(link: Link, loose: Loose) -> table.Row:
    fits: list[Span] = []
    for end in loose.candidates:
        candidate = link.topology.get(end)
        if candidate is not None:
            fits += [Span(" "), *words.place(candidate)]
    return (
        words.place(link),
        line(str(link.ifindex)),
        (span(link.kind),),
        (words.state(link),),
        (span(words.far_end(link.topology, loose), "doubt"), *fits),
    )


def _pair_row(link: Link, peer: Link) -> table.Row:
    evidence = "" if link.wire is None else link.wire.evidence
    return (
        words.place(link),
        line(str(link.ifindex)),
        words.place(peer),
        line(str(peer.ifindex)),
        (span(link.kind),),
        (words.state(link),),
        (span(master_name(link) or ""),),
        (span(evidence, "dim" if evidence == "proved" else "doubt"),),
    )
