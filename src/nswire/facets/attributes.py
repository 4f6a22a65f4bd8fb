"""What newer kernels say of any link, and a scan does not read: that it cannot be moved, room for headers, devlink port, DPLL pin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec.netlink import link as link_codec
from nswire.facets.facet import LOOPBACK, Detail, Facet
from nswire.facets.query import decoded, of_each
from nswire.host import requests

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nswire.host.client import Client
    from nswire.model.gaps import Gap
    from nswire.model.values import End, Loose, Value, Wire


def ask(client: Client, ends: Collection[End]) -> Iterator[Wire | Loose | Detail | Gap]:
    """`netns_immutable` (Linux 6.17), `headroom`, `tailroom`, `devlink_port`, `dpll_pin`: `link_codec.further`.

    That it cannot be moved is news of a physical link alone: of bridges and their like that is always so.
    """
    for end, (answer,) in of_each(client, ends, lambda link: (requests.one_link(link.ifindex, 0),)):
        found = decoded(answer, link_codec.further)
        said: dict[str, Value] = {} if isinstance(found, int) else dict(found)
        if client.facts.links[end.ns][end.ifindex].kind:
            said.pop("netns_immutable", None)
        if said:
            yield Detail(end, said)


FACET = Facet("attributes", lambda link: link.type != LOOPBACK, ask)
