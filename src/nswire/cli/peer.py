"""`nswire peer`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nswire.cli.common import (
    Answer,
    Options,
    distinct,
    give,
    handles,
    look,
    names,
    reading,
    status,
    understand,
)

if TYPE_CHECKING:
    from nswire.model.topology import Topology
    from nswire.show.sections import Asked

EPILOG = """\b
Examples:
  nswire peer tap39d60faa-aa        the link at the other end, in whatever namespace it is
  nswire peer 69                    any handle will do: an ifindex, if only one link has it,
  nswire peer fa:16:3e:98:e6:f3     a MAC, an address ...
  nswire peer pid:812               one answer for each link of that process's namespace
  nswire peer                       every pair there is
  nswire peer -j eth0 | jq -r '.results[].peer.ifname'

\b
An end whose peer cannot be seen is an answer, too: it says where it is, and what would show it.
Exit status: 1 if what was asked has no peer at all.
"""


@click.command(epilog=EPILOG)
@handles()
@click.option(
    "--why", is_flag=True, help="How it is known: all that the kernel said of both ends; never a table."
)
@click.option("-a", "--all-addresses", is_flag=True, help="Link-local addresses, too.")
@reading
def command(options: Options, handles: tuple[str, ...], *, why: bool, all_addresses: bool) -> int:
    """Say what is at the other end of a link, why that is so, and which way its packets get out.

    HANDLE may be a name, NETNS/IFNAME, ifindex, MAC, IP address, alias, pid:N, netns:NAME, net:[INODE],
    container:NAME, pod:NAMESPACE/NAME, vm:NAME, port:UUID, unit:NAME or tcp:PORT. One that names a namespace or an
    owner stands for all its links; many of them are told as a table. Without HANDLE: every pair, and the ends whose
    peer is not known. Of a bridge, bond or other master all ports are told, each with its far end; of a link that
    carries nothing why that is, and which command would change it.
    """
    topology = look(options, addresses=not handles)
    if not handles:
        give(topology, options, "peer", _every_pair(topology))
        return status(topology, options)
    asked, fine = understand(topology, handles, one=True)
    if asked or (options.as_json and names()):
        give(topology, options, "peer", _some(asked, addresses=all_addresses, why=why))
    return status(topology, options, fine=fine, no=any(_has_none(one) for one in asked))


def _has_none(asked: Asked) -> bool:
    from nswire.show.to_documents import open_peer, servers

    unseen = asked.owner is not None and asked.namespace is None and not asked.links
    if unseen or (asked.namespace is not None and not asked.namespace.readable):
        return False  # that it has none is more than we know
    return all(link.peer is None and open_peer(link) is None and not servers(link) for link in asked.links)


def _every_pair(topology: Topology) -> Answer:
    from nswire.show import equivalent_commands, sections, text_pairs

    return Answer(
        lambda build: sections.every_pair(build, topology),
        lambda paper: text_pairs.write_pairs(paper, topology),
        lambda: equivalent_commands.for_pairs(topology),
    )


def _some(asked: list[Asked], *, addresses: bool, why: bool) -> Answer:
    from nswire.show import equivalent_commands, sections, text_peer

    return Answer(
        lambda build: sections.peers(build, asked),
        lambda paper: text_peer.write_peers(
            paper, [text_peer.Question(*one) for one in asked], text_peer.Detail(addresses, why)
        ),
        lambda: equivalent_commands.for_peer(distinct(asked)),
    )
