"""`nswire netns`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nswire.cli.common import Answer, Options, give, handles, look, reading, status, understand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nswire.model.topology import Topology
    from nswire.model.values import Namespace

EPILOG = """\b
Examples:
  nswire netns                      every namespace, also those that have no name, and hidden ones
  nswire netns pid:812              the one that a process is in
  nswire netns tap39d60faa-aa       the one that a link is in
  nswire netns -j | jq '.namespaces[] | select(.hidden)'

\b
All sources are asked: names, mounts in every mount namespace, processes, threads, descriptors, sockets, and the
kernel's own ids. That is slower than the other verbs, which look no further than they have to.
"""


@click.command(epilog=EPILOG)
@handles()
@reading
def command(options: Options, handles: tuple[str, ...]) -> int:
    """List network namespaces: what they are called, how many links are in them, what keeps them alive.

    A HANDLE that names a link stands for the namespace that it is in. Without HANDLE: all of them.
    """
    from nswire.sources import ALL

    topology = look(options, ALL, addresses=False)
    if not handles:
        give(topology, options, "netns", _listed(topology, tuple(topology.namespaces.values())))
        return status(topology, options)
    asked, fine = understand(topology, handles, one=False)
    if asked:
        from nswire.show.sections import spaces

        give(topology, options, "netns", _listed(topology, spaces(asked)))
    return status(topology, options, fine=fine)


def _listed(topology: Topology, namespaces: Sequence[Namespace]) -> Answer:
    from nswire.show import equivalent_commands, sections, text_netns

    return Answer(
        lambda build: sections.listed(build, namespaces),
        lambda paper: text_netns.write_namespaces(paper, topology, namespaces),
        lambda: equivalent_commands.for_namespaces(namespaces),
    )
