"""`nswire peer`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from nswire.cli.common import Asked, Options, handles, look, paper, reading, status, understand, write_how

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.topology import Topology

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
@reading
def command(options: Options, handles: tuple[str, ...]) -> int:
    """Say what is at the other end of a link, why that is so, and which way its packets get out.

    HANDLE may be a name, NETNS/IFNAME, ifindex, MAC, IP address, alias, pid:N, netns:NAME or net:[INODE]. One that
    names a namespace stands for all its links. Without HANDLE: every pair, and the ends whose peer is not known.
    """
    topology = look(options)
    if not handles:
        _every_pair(topology, options)
        return status(topology, options)
    asked, fine = understand(topology, handles, one=True)
    if asked:
        (_as_json if options.as_json else _as_text)(topology, options, asked)
    no = any(all(link.wire is None and link.loose is None for link in one.links) for one in asked)
    return status(topology, options, fine=fine, no=no)


def _every_pair(topology: Topology, options: Options) -> None:
    from nswire.show import howto

    if options.as_json:
        from nswire.show import jsonout
        from nswire.show.build import Builder, loose_ends, pairs
        from nswire.show.documents import head

        build = Builder(topology)
        results = (build.peer(None, link) for link in (*pairs(topology), *loose_ends(topology)))
        parts = [("results", results), ("gaps", topology.gaps)]
        jsonout.write(sys.stdout, head("peer", topology.taken), [*parts, *_how(options, howto.for_pairs, topology)])
        return
    from nswire.show import text_peer, words

    sheet = paper(options)
    text_peer.write_pairs(sheet, topology)
    words.write_gaps(sheet, topology.gaps)
    if options.how:
        write_how(howto.for_pairs(topology))
