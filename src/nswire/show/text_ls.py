"""`nswire ls` for people: one line a link. A column is a row of `COLUMNS`."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, NamedTuple

from nswire.kinds import is_fallback
from nswire.show import table, words
from nswire.show.terminal import Line, Paper, Span, line, span
from nswire.show.to_documents import master_name, open_peer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nswire.model.topology import Link
    from nswire.model.values import Loose

ADDRESSES_SHOWN = 3  # on a terminal
DIGITS = re.compile(r"(\d+)")


class Column(NamedTuple):
    """A column: its name as it is typed and, in capitals, as its header; its cell."""

    name: str
    cell: Callable[[Paper, Link], Line]

    def key(self, paper: Paper, link: Link) -> tuple[object, ...]:
        """What it is sorted by: eth2 comes before eth10, nothing after everything."""
        text = "".join(piece.text for piece in self.cell(paper, link))
        parts = tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in DIGITS.split(text))
        return (not text, parts)


def _addresses(paper: Paper, link: Link) -> Line:
    addresses = [words.address(one) for one in link.addresses]
    if paper.columns is not None and len(addresses) > ADDRESSES_SHOWN:
        addresses[ADDRESSES_SHOWN:] = [f"+{len(addresses) - ADDRESSES_SHOWN}"]
    return (span(" ".join(addresses)),)


def _lower(_: Paper, link: Link) -> Line:
    loose = link.loose
    return _other(link.lower, None if loose is None or loose.relation == "peer" else loose)


def _other(known: Link | None, loose: Loose | None) -> Line:
    if known is not None:
        return words.place(known)
    if loose is None:
        return (Span(""),)
    index = "?" if loose.ifindex is None else f"if{loose.ifindex}"
    return (span(f"{index} ({loose.state})", "doubt"),)


COLUMNS = (
    Column("netns", lambda _, link: (words.netns(link.topology, link.netns),)),
    Column("ifname", lambda _, link: (span(link.ifname, "name"),)),
    Column("ifindex", lambda _, link: line(str(link.ifindex))),
    Column("kind", lambda _, link: (span(link.kind),)),
    Column("state", lambda _, link: (words.state(link),)),
    Column("mac", lambda _, link: (span(link.fact.address),)),
    Column("addresses", _addresses),
    Column("peer", lambda _, link: _other(link.peer, open_peer(link))),
    Column("lower", _lower),
    Column("master", lambda _, link: (span(master_name(link) or ""),)),
    Column("owner", lambda _, link: (span(words.owners(link.owners), "owner"),)),
    Column("link", lambda _, link: words.place(link)),
    Column("mtu", lambda _, link: line(str(link.fact.mtu))),
    Column("alias", lambda _, link: (span(link.fact.alias),)),
)
BY_NAME = {column.name: column for column in COLUMNS}
USUAL = tuple(column.name for column in COLUMNS[:-3])
BRIEF = ("link", "state", "addresses")


def write_links(
    paper: Paper,
    links: Iterable[Link],
    *,
    everything: bool = True,
    columns: Sequence[str] = USUAL,
) -> None:
    """The table of links. Not `everything`: loopbacks, and tunnels that the kernel put there and nobody uses, are only counted."""
    some = list(links)
    loopbacks = [] if everything else [link for link in some if link.loopback]
    tunnels = [] if everything else [link for link in some if is_fallback(link.fact)]
    left = {*loopbacks, *tunnels}
    chosen = [BY_NAME[name] for name in columns]
    header = [column.name.upper() for column in chosen]
    shown = [link for link in some if link not in left]
    table.write(paper, header, [tuple(column.cell(paper, link) for column in chosen) for link in shown])
    if left:
        names = ", ".join(dict.fromkeys(link.ifname for link in tunnels))
        told = [words.counted(len(loopbacks), "loopback")] if loopbacks else []
        told += [f"{words.counted(len(tunnels), 'unused tunnel')} ({names})"] if tunnels else []
        paper.print(span(f"not shown: {', '.join(told)}: --all shows them", "dim"))


def in_order(paper: Paper, links: Iterable[Link], by: str) -> list[Link]:
    """Links sorted by a column; with a `-` before its name the other way round. KeyError: there is no such column."""
    column = BY_NAME[by.removeprefix("-")]
    return sorted(links, key=lambda link: column.key(paper, link), reverse=by.startswith("-"))


def wide() -> Paper:
    """Paper on which nothing is left out, to sort what is not printed as text."""
    return Paper(io.StringIO(), columns=None, color=False)
