"""`nswire show`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nswire.cli.common import (
    Answer,
    Asked,
    Options,
    distinct,
    give,
    handles,
    is_homeless,
    look,
    reading,
    status,
    understand,
)

if TYPE_CHECKING:
    from nswire.model.topology import Topology

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

    A handle that finds several things shows them all.
    """
    topology = look(options, addresses=False)
    asked, fine = understand(topology, handles, one=False)
    if asked:
        give(topology, options, "show", _shown(topology, asked))
    return status(topology, options, fine=fine)


def _shown(topology: Topology, asked: list[Asked]) -> Answer:
    from nswire.show import howto, text_show

    homeless = [(one.owner, one.namespace) for one in asked if one.owner is not None and is_homeless(one)]
    rest = [one for one in asked if not is_homeless(one)]
    spaces = list({one.namespace.key: one.namespace for one in rest if one.namespace is not None}.values())
    single = distinct(one for one in rest if one.namespace is None)
    return Answer(
        lambda build: [
            ("owners", (build.owned(one.query, one.owner, one.namespace) for one in asked if one.owner)),
            ("namespaces", (build.namespace(ns) for ns in spaces)),
            ("links", (build.shown(one.query, link) for one in asked for link in one.links)),
        ],
        lambda paper: text_show.write_all(paper, topology, spaces, single, homeless),
        lambda: howto.for_show(single, spaces),
    )
