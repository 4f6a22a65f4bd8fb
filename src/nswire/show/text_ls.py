"""`nswire ls` for people: one line a link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.kinds import is_fallback
from nswire.show import table, words
from nswire.show.terminal import Line, Paper, Span, line, span
from nswire.show.to_documents import master_name, open_peer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.model.topology import Link
    from nswire.model.values import Loose

HEADER = (
    "NETNS",
    "IFNAME",
    "IFINDEX",
    "KIND",
    "STATE",
    "MAC",
    "ADDRESSES",
    "PEER",
    "LOWER",
    "MASTER",
    "OWNER",
)
ADDRESSES_SHOWN = 3  # on a terminal


def write_links(paper: Paper, links: Iterable[Link], *, fallbacks: bool = True) -> None:
    """The table of links. Without `fallbacks` those that the kernel put there and nobody uses are only counted."""
    everything = list(links)
    left = [link for link in everything if is_fallback(link.fact) and not fallbacks]
    shown = [link for link in everything if not is_fallback(link.fact) or fallbacks]
    table.write(paper, HEADER, [_row(paper, link) for link in shown])
    if left:
        names = ", ".join(dict.fromkeys(link.ifname for link in left))
        paper.print(span(f"not shown: {len(left)} unused tunnels ({names}): --all shows them", "dim"))


def _row(paper: Paper, link: Link) -> table.Row:
    return (
        (words.netns(link.topology, link.netns),),
        (span(link.ifname, "name"),),
        line(str(link.ifindex)),
        (span(link.kind),),
        (words.state(link),),
        (span(link.fact.address),),
        (span(_addresses(paper, link)),),
        _peer(link),
        _lower(link),
        (span(master_name(link) or ""),),
        (span(words.owners(link.owners), "owner"),),
    )


def _addresses(paper: Paper, link: Link) -> str:
    addresses = [words.address(one) for one in link.addresses]
    if paper.columns is not None and len(addresses) > ADDRESSES_SHOWN:
        addresses[ADDRESSES_SHOWN:] = [f"+{len(addresses) - ADDRESSES_SHOWN}"]
    return " ".join(addresses)


def _peer(link: Link) -> Line:
    return _other(link.peer, open_peer(link))


def _lower(link: Link) -> Line:
    loose = link.loose
    return _other(link.lower, None if loose is None or loose.relation == "peer" else loose)


def _other(known: Link | None, loose: Loose | None) -> Line:
    if known is not None:
        return words.place(known)
    if loose is None:
        return (Span(""),)
    index = "?" if loose.ifindex is None else f"if{loose.ifindex}"
    return (span(f"{index} ({loose.state})", "doubt"),)
