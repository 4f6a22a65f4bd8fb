"""`nswire show`."""

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
    reading,
    status,
    understand,
)

if TYPE_CHECKING:
    from nswire.model.topology import Topology
    from nswire.show.sections import Asked

EPILOG = """\b
Examples:
  nswire show tap39d60faa-aa        names, addresses, driver's data, ports, peer, way up, namespace
  nswire show netns:router          what holds a namespace, and its links
  nswire show 69                    every link that has that ifindex
  nswire show -j eth0 | jq '.links[0].up'
"""


@click.command(epilog=EPILOG)
@handles(required=True)
@reading
def command(options: Options, handles: tuple[str, ...]) -> int:
    """Show everything known about a link or a namespace.

    A handle that finds several things shows them all; but a name that a link of the own namespace has is that link.
    """
    topology = look(options, addresses=False)
    asked, fine = understand(topology, handles, one=False, prefer=True)
    if asked:
        give(topology, options, "show", _shown(topology, asked))
    return status(topology, options, fine=fine)


def _shown(topology: Topology, asked: list[Asked]) -> Answer:
    from nswire.show import equivalent_commands, sections, text_show

    homeless = [(one.owner, one.namespace) for one in asked if one.owner is not None and one.homeless]
    spaces = sections.housing(asked)
    single = distinct(one for one in asked if one.namespace is None and not one.homeless)
    return Answer(
        lambda build: sections.shown(build, asked),
        lambda paper: text_show.write_all(paper, topology, spaces, single, homeless),
        lambda: equivalent_commands.for_show(single, spaces),
    )
