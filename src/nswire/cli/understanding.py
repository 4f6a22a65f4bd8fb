"""What was typed: to what it stands for, with what is said on stderr where that is nothing, or several things."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nswire.cli.errors import complain
from nswire.escape import visible
from nswire.model import owner_types
from nswire.show.escape import shell_word
from nswire.show.sections import Asked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.handles import Match
    from nswire.model.topology import Topology
    from nswire.show.documents_query import HandleDoc

GAPS_TOLD = 5
PORT = "port that anything listens on"
HINTS = {  # by the thing that there is none of; owners have one hint
    "link": "nswire ls lists all links",
    "namespace": "nswire netns lists all namespaces",
    "process with a namespace that can be seen": "nswire netns lists all namespaces, and what holds them",
    PORT: "nswire ls --listening lists all ports that anything listens on",
}
OF_OWNERS = "nswire ls --columns link,owner lists all links with their owners"
CANDIDATES_TOLD = 10
HANDLES = "nswire.handles"  # in the context of a command: what `names` gives
THINGS = {
    **owner_types.WANTED,
    "netns:": "namespace",
    "net:[": "namespace",
    "pid:": "process with a namespace that can be seen",
    "nsid:": "namespace",
    ":": PORT,
    "tcp:": PORT,
    "udp:": PORT,
}


def understand(
    topology: Topology, words: Iterable[str], *, one: bool, prefer: bool = False
) -> tuple[list[Asked], bool]:
    """What the handles stand for, and whether all of them were understood; errors are told on stderr.

    With `one`, a handle that finds several things is an error; a namespace is one thing, with all its links. With `one`
    or `prefer`, of links that have the same name that of the own namespace is meant, which is told on stderr.
    """
    from nswire.handles import find, own

    asked, fine = [], True
    for word in words:
        matches = find(topology, word)
        mine = own(topology, matches) if len(matches) > 1 and (one or prefer) else None
        if mine is not None:
            _tell_others(word, mine, matches)
            matches = [mine]
        if not matches:
            _tell_unknown(topology, word)
        elif one and len(matches) > 1:
            _tell_ambiguous(word, matches)
        else:
            asked += [Asked(word, match.links, match.namespace, match.owner) for match in matches]
            continue
        fine = False
    return asked, fine


def _tell_unknown(topology: Topology, word: str) -> None:
    from nswire.handles import nearest

    near = [name for name in nearest(topology, word) if name != word]
    command = click.get_current_context().command_path
    offered = f"; did you mean {' or '.join(map(shell_word, near))}?" if near else ""
    prefix = next((prefix for prefix in THINGS if word.startswith(prefix)), "")
    what = THINGS.get(prefix, "link")
    what = "link" if "/" in word and what == "namespace" else what
    if what == "link" and command.endswith(" netns"):
        what = "namespace"
    gaps = topology.gaps  # what is in one of them may well be there
    seen = " in the readable namespaces" if gaps else ""
    complain(f"{command}: {visible(word) or repr(word)}: no such {what}{seen}{offered}")
    able = "CAP_SYS_ADMIN" in topology.taken.capabilities
    complain(f"  {HINTS.get(what, OF_OWNERS)}" + ("" if able else "; root sees those of more namespaces"))
    for gap in gaps[:GAPS_TOLD]:
        complain(f"  not seen: {visible(gap.text_with_hint)}")
    if len(gaps) > GAPS_TOLD:
        complain(f"  and {len(gaps) - GAPS_TOLD} more")


def _tell_ambiguous(word: str, matches: list[Match]) -> None:
    command = click.get_current_context().command_path
    _remember(word, None, matches)
    complain(f"{command}: {visible(word)}: ambiguous: {len(matches)} matches; use one of:")
    for match in matches[:CANDIDATES_TOLD]:
        complain(f"  {shell_word(match.unique)}{_described(match)}")
    more = len(matches) - CANDIDATES_TOLD
    if more > 0:
        complain(f"  and {more} more; nswire ls {shell_word(word)} lists them")


def _tell_others(word: str, mine: Match, matches: list[Match]) -> None:
    """That others are called so as well: how many, and who lists them."""
    _remember(word, mine, matches)
    command, others = click.get_current_context().command_path, len(matches) - 1
    more = "1 more link has" if others == 1 else f"{others} more links have"
    complain(
        f"{command}: {visible(word)}: taken as {shell_word(mine.unique)}, in the own namespace; "
        f"{more} that name: nswire ls {shell_word(word)}"
    )


def _remember(word: str, mine: Match | None, matches: list[Match]) -> None:
    known = click.get_current_context().meta.setdefault(HANDLES, [])
    others = tuple(match.unique for match in matches if match is not mine)
    known.append((word, None if mine is None else mine.unique, others))


def names() -> list[HandleDoc]:
    """For JSON: the handles that several things are called by; which of them was meant, if any, and all the others."""
    from nswire.show.documents_query import HandleDoc

    known = click.get_current_context().meta.get(HANDLES, ())
    return [HandleDoc(query=word, chosen=chosen, others=others) for word, chosen, others in known]


def _described(match: Match) -> str:
    from nswire.show import words

    links = words.counted(len(match.links), "link")
    if match.owner is not None:
        return f"  {visible(words.owner(match.owner))}, {links}, by its {match.kind}"
    if match.namespace is not None:
        return f"  namespace, {links}, by its {match.kind}"
    link = match.links[0]
    told = (link.kind, f"ifindex {link.ifindex}", link.fact.address, f"by its {match.kind}")
    return "  " + ", ".join(visible(word) for word in told if word)
