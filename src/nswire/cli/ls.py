"""`nswire ls`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click

from nswire.cli.common import (
    FAILED,
    NO,
    Answer,
    Options,
    distinct,
    give,
    handles,
    look,
    reading,
    status,
    understand,
)
from nswire.cli.errors import Failure, complain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nswire.model.topology import Link, Topology
    from nswire.show.terminal import Paper

EPILOG = """\b
Examples:
  nswire ls                         the links of every namespace
  nswire ls 69                      every link that has ifindex 69, wherever it is
  nswire ls netns:router            the links of a namespace, loopback aside
  nswire ls 'tap*' kind:tun         globs of names; filters with different keys have to agree
  nswire ls state:down kind:veth kind:bond
  nswire ls owner:web -br           whose they are; brief, as `ip -br address`
  nswire ls --columns link,mtu,peer --sort -mtu
  nswire ls --listening             every port that anything listens on, and who
  nswire ls -j | jq '.links | group_by(.kind) | map({(.[0].kind): length}) | add'

\b
Filters: kind:KIND (nic: without one), state:STATE (up, down, lowerlayerdown, no-carrier ...), netns:NAME, owner:NAME
(name, id or type of whose it is, TYPE:NAME); a value may be a glob. Handles are ORed, so are filters with one key.
Columns: netns ifname ifindex kind state mac addresses peer lower master owner link mtu alias.
Exit status: 1 if no link fits.
"""


class Shape(NamedTuple):
    """How the table looks: its columns (None: the usual ones), what it is sorted by, whether it is brief, what is left out."""

    columns: tuple[str, ...] | None
    sort: str
    brief: bool
    everything: bool


def _columns(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    from nswire.show.text_ls import BY_NAME

    names = tuple(name.strip().casefold() for name in text.split(","))
    for name in names:
        if name not in BY_NAME:
            raise click.BadParameter(f"there is no column {name!r}; there are {', '.join(BY_NAME)}")
    return names


def _sort(_context: click.Context, _option: click.Parameter, text: str) -> str:
    from nswire.show.text_ls import BY_NAME

    if text and text.removeprefix("-").casefold() not in BY_NAME:
        raise click.BadParameter(f"there is no column {text!r}; there are {', '.join(BY_NAME)}")
    return text.casefold()


@click.command(epilog=EPILOG)
@handles()
@click.option(
    "-a",
    "--all",
    "everything",
    is_flag=True,
    help="Also loopbacks, and the unused tunnels of each namespace (gre0 ...).",
)
@click.option("--columns", callback=_columns, metavar="NAME,...", help="These columns, in this order.")
@click.option(
    "--sort", callback=_sort, default="", metavar="COLUMN", help="Sort by a column; -COLUMN: backwards."
)
@click.option("-br", "--brief", is_flag=True, help="Only where, state and addresses.")
@click.option("--listening", is_flag=True, help="Instead: what listens in these namespaces, and who.")
@reading
def command(options: Options, handles: tuple[str, ...], **given: Any) -> int:
    """List links, across all namespaces: where, name, index, kind, state, MAC, addresses, peer, master.

    HANDLE may be any handle, a glob of names ('tap*', '*/eth0') or a filter (kind:, state:, netns:, owner:). Without: all
    links. Loopbacks are left out unless they are named, and so are the tunnels that the kernel puts into every namespace (gre0,
    tunl0, sit0 ...), as long as they are down; JSON has all of them. A handle that finds several links lists them all.
    """
    if given["brief"] and given["columns"]:
        raise Failure("--columns", "-br has columns of its own", "give one of the two")
    topology = look(options, addresses=not handles)
    shape = Shape(given["columns"], given["sort"], given["brief"], given["everything"])
    if given["listening"]:
        return _listening(topology, options, handles)
    if not handles:
        give(topology, options, "ls", _listed(topology, list(topology.links()), shape, every=True))
        return status(topology, options)
    links, named, fine = _chosen(topology, handles)
    if not links:
        if not fine:
            return FAILED
        complain(f"{click.get_current_context().command_path}: no link fits all of that")
        if options.as_json:
            give(topology, options, "ls", _listed(topology, [], shape, every=False))
        return NO
    shape = shape._replace(everything=shape.everything or named)
    give(topology, options, "ls", _listed(topology, links, shape, every=False))
    return status(topology, options, fine=fine)


def _listening(topology: Topology, options: Options, words: tuple[str, ...]) -> int:
    from nswire.show import equivalent_commands, text_listening
    from nswire.show.sections import spaces

    asked, fine = understand(topology, words, one=False)
    namespaces = spaces(asked) if words else list(topology.namespaces.values())
    found = [one for ns in namespaces for one in text_listening.listening(topology, ns)]
    if namespaces:
        answer = Answer(
            lambda build: [
                ("links", ()),
                ("listening", (text_listening.document(build, one) for one in found)),
            ],
            lambda paper: text_listening.write(paper, topology, found),
            lambda: equivalent_commands.for_listening(namespaces),
        )
        give(topology, options, "ls", answer)
    return status(topology, options, fine=fine, no=not found)


def _chosen(topology: Topology, words: tuple[str, ...]) -> tuple[list[Link], bool, bool]:
    """The links that are meant, whether by handles alone, and whether all handles were understood."""
    from nswire.handles import filters, find

    chosen = filters.divide(words, lambda word: bool(find(topology, word)))
    spaces = chosen.filters.get("netns", ())
    if len(spaces) == len(words) and not any(filters.GLOB & set(space) for space in spaces):
        asked, fine = understand(
            topology, words, one=False
        )  # handles like others: an unknown one is an error
        return distinct(asked), True, fine
    asked, fine = understand(topology, chosen.handles, one=False)
    links = distinct(asked)
    for glob in chosen.globs:
        links += filters.named(topology.links(), glob)
    if not chosen.handles and not chosen.globs:
        links = list(topology.links())
    found = list(dict.fromkeys(filters.agreeing(links, chosen.filters)))
    return found, bool(chosen.handles or chosen.globs), fine


def _listed(topology: Topology, links: Sequence[Link], shape: Shape, *, every: bool) -> Answer:
    from nswire.show import equivalent_commands, text_ls

    def ordered(paper: Paper) -> list[Link]:
        return text_ls.in_order(paper, links, shape.sort) if shape.sort else list(links)

    columns = shape.columns or (text_ls.BRIEF if shape.brief else text_ls.USUAL)
    return Answer(
        lambda build: [("links", (build.link(link) for link in ordered(text_ls.wide())))],
        lambda paper: text_ls.write_links(
            paper, ordered(paper), everything=shape.everything, columns=columns
        ),
        lambda: equivalent_commands.for_links(topology, links, every=every),
    )
