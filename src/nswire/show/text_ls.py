"""`nswire ls` for people: one line a link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.show import table, words
from nswire.show.build import master_name
from nswire.show.paint import Line, Paper, Span, line, span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.model.topology import Link

HEADER = ("NETNS", "IFNAME", "IFINDEX", "KIND", "STATE", "MAC", "ADDRESSES", "PEER", "MASTER")
ADDRESSES_SHOWN = 3  # on a terminal


def write_links(paper: Paper, links: Iterable[Link]) -> None:
    """The table of links."""
    table.write(paper, HEADER, [_row(paper, link) for link in links])


def _row(paper: Paper, link: Link) -> table.Row:
    return (
        (words.netns(link.netns),),
        (span(link.ifname, "name"),),
        line(str(link.ifindex)),
        (span(link.kind),),
        (words.state(link),),
        (span(link.fact.address),),
        (span(_addresses(paper, link)),),
        _peer(link),
        (span(master_name(link) or ""),),
    )


def _addresses(paper: Paper, link: Link) -> str:
    addresses = [address.address for address in link.addresses]
    if paper.columns is not None and len(addresses) > ADDRESSES_SHOWN:
        addresses[ADDRESSES_SHOWN:] = [f"+{len(addresses) - ADDRESSES_SHOWN}"]
    return " ".join(addresses)


def _peer(link: Link) -> Line:
    peer, loose = link.peer, link.loose
    if peer is not None:
        return words.place(peer)
    if loose is None:
        return (Span(""),)
    index = "?" if loose.ifindex is None else f"if{loose.ifindex}"
    return (span(f"{index} ({loose.state})", "doubt"),)
