"""`nswire netns` for people: one line a namespace, with what holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.show import table, words
from nswire.show.terminal import Paper, line, span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nswire.model.topology import Topology
    from nswire.model.values import Holder, Namespace

HEADER = ("NAME", "INODE", "LINKS", "OWNER", "HELD BY")

# how a holder is told, best known first
HOLDERS: tuple[tuple[str, Callable[[Holder, str], str]], ...] = (
    ("process", lambda holder, comm: f"pid {holder.pid}{comm}"),
    ("thread", lambda holder, comm: f"thread {holder.number} of pid {holder.pid}{comm}"),
    ("name", lambda holder, _: holder.path),
    (
        "mount",
        lambda holder, comm: (
            holder.path if holder.own else f"{holder.path} as pid {holder.pid}{comm} sees it"
        ),
    ),
    ("fd", lambda holder, comm: f"fd {holder.number} of pid {holder.pid}{comm}"),
    ("socket", lambda holder, comm: f"socket fd {holder.number} of pid {holder.pid}{comm}"),
)
_TELL = dict(HOLDERS)


def write_namespaces(paper: Paper, topology: Topology, namespaces: Iterable[Namespace]) -> None:
    """The table of namespaces."""
    table.write(paper, HEADER, [_row(topology, ns) for ns in namespaces])


def _row(topology: Topology, ns: Namespace) -> table.Row:
    return (
        (words.netns(topology, ns),),
        line("" if ns.inode is None else str(ns.inode)),
        line(str(topology.count(ns.key)) if ns.readable else "?"),
        (span(words.owners(topology.owners(ns.key)), "owner"),),
        (span(held_by(topology, ns), "doubt" if ns.hidden else ""),),
    )


def held_by(topology: Topology, ns: Namespace) -> str:
    """What holds it, shortest telling: one of each type. Escape it like any text from outside."""
    parts = []
    if ns.seen_from is not None:
        through, nsid = ns.seen_from
        parts.append(f"seen from {topology.namespaces[through].label} as nsid {nsid}")
    holders, comms = told(ns), topology.named_holders(ns.key)
    for kind, _ in HOLDERS:
        found = [holder for holder in holders if holder.type == kind]
        if found:
            parts.append(
                tell(found[0], comms.get(found[0], ""))
                + (f" +{len(found) - 1} more" if len(found) > 1 else "")
            )
    return ", ".join(parts) or ("nswire itself" if ns.home else "not known")


def told(ns: Namespace) -> list[Holder]:
    """Its holders, without the mount that is behind a name of `ip netns`."""
    named = {holder.path for holder in ns.holders if holder.type == "name"}
    return [
        holder
        for holder in ns.holders
        if not (holder.type == "mount" and holder.own and holder.path in named)
    ]


def tell(holder: Holder, comm: str) -> str:
    """One holder in words. Escape it like any text from outside."""
    return _TELL[holder.type](holder, f" ({comm})" if comm else "")
