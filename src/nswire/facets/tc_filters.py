"""The tc filters of a link, by where they are. Two facets look at them: where they send packets, and their programs.

The qdisc `ingress` has filters for what comes in only, and shows them as those of what goes out, too. Its kind would tell, but
client for one qdisc makes the kernel notify all listeners. So it is told by its answer for a parent that there is not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec.netlink import tc
from nswire.facets.query import decoded
from nswire.host import requests

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nswire.host.system import Answer, Question
    from nswire.model.tables import Filter
    from nswire.model.values import LinkFact

PARENTS = {"ingress": tc.INGRESS, "root": tc.ROOT, "egress": tc.EGRESS}


def ask(link: LinkFact) -> tuple[Question, ...]:
    """The questions about a link."""
    return tuple(requests.filters(link.ifindex, parent) for parent in (*PARENTS.values(), tc.ANY))


def at(answers: Sequence[Answer]) -> dict[str, tuple[Filter, ...] | int]:
    """The filters by place, or the errno of what was refused."""
    found = {place: decoded(answer, tc.decode) for place, answer in zip(PARENTS, answers[:-1], strict=True)}
    if decoded(answers[-1], tc.decode):
        del found["egress"]
    return found
