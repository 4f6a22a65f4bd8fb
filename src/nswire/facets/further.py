"""What newer kernels say of any link, and a scan does not read: that it cannot be moved, room for headers, devlink port, DPLL pin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec.netlink import link as link_codec
from nswire.facets.asked import decoded, of_each
from nswire.facets.facet import LOOPBACK, Asking, Detail, Facet
from nswire.host import questions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nswire.model.values import End, Gap, Loose, Value, Wire


def ask(asking: Asking, ends: Collection[End]) -> Iterator[Wire | Loose | Detail | Gap]:
    """`netns_immutable` (Linux 6.17), `headroom`, `tailroom`, `devlink_port`, `dpll_pin`: `link_codec.further`."""
    for end, (answer,) in of_each(asking, ends, lambda link: (questions.one_link(link.ifindex, 0),)):
        found = decoded(answer, link_codec.further)
        if not isinstance(found, int) and found:
            said: dict[str, Value] = dict(found)
            yield Detail(end, said)


FACET = Facet("further", lambda link: link.type != LOOPBACK, ask)
