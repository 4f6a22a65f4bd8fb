"""`nswire ls`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nswire.cli.common import Answer, Options, distinct, give, handles, look, reading, status, understand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nswire.model.topology import Link, Topology

EPILOG = """\b
Examples:
  nswire ls                         the links of every namespace
  nswire ls 69                      every link that has ifindex 69, wherever it is
  nswire ls netns:router            the links of a namespace, loopback aside
  nswire ls pid:812 host            those of a process's namespace, and of the host
  nswire ls -j | jq '.links | group_by(.kind) | map({(.[0].kind): length}) | add'
"""


@click.command(epilog=EPILOG)
@handles()
@click.option(
    "-a", "--all", "everything", is_flag=True, help="Also the unused tunnels of each namespace (gre0 ...)."
)
@reading
def command(options: Options, handles: tuple[str, ...], *, everything: bool) -> int:
    """List links, across all namespaces: where, name, index, kind, state, MAC, addresses, peer, master.

    Without HANDLE: all of them, but for the tunnels that the kernel puts into every namespace (gre0, tunl0, sit0 ...), as
    long as they are down; JSON has those, too. A handle that finds several links lists them all.
    """
    topology = look(options, addresses=not handles)
    if not handles:
        links = list(topology.links())
        give(topology, options, "ls", _listed(topology, links, every=True, everything=everything))
        return status(topology, options)
    asked, fine = understand(topology, handles, one=False)
    if asked:
        give(topology, options, "ls", _listed(topology, distinct(asked), every=False, everything=True))
    return status(topology, options, fine=fine)


def _listed(topology: Topology, links: Sequence[Link], *, every: bool, everything: bool) -> Answer:
    from nswire.show import equivalent_commands, text_ls

    return Answer(
        lambda build: [("links", (build.link(link) for link in links))],
        lambda paper: text_ls.write_links(paper, links, fallbacks=everything),
        lambda: equivalent_commands.for_links(topology, links, every=every),
    )
