"""What a link stands on: the lower link of a VLAN, macvlan ..., the link that a tunnel's outer packets leave by.

Only the upper one names the other, so there is nothing to agree on: its ifindex, in the namespace that its own one
calls by that id (none: the same namespace). The kernel's word on the id is the proof.
"""

from __future__ import annotations

from errno import EACCES, EPERM
from typing import TYPE_CHECKING

from nswire.codec.netlink.nsid import NOT_ASSIGNED
from nswire.kinds import BY_NAME
from nswire.model.facts import View
from nswire.model.values import End, Loose, Wire

if TYPE_CHECKING:
    from nswire.model.facts import Facts
    from nswire.model.values import LinkFact, NsKey
    from nswire.resolve.outcome import Outcome


def resolve(facts: Facts, out: Outcome) -> None:
    """Add to the outcome what links stand on, and what would have to be known for the others."""
    for ns, links in facts.links.items():
        for link in links.values():
            row = BY_NAME.get(link.kind)
            if row is not None and row.relation != "peer":
                index = row.other(link)
                if index is not None:
                    _tie(facts, out, End(ns, link.ifindex), link, row.relation, index)


def _tie(facts: Facts, out: Outcome, end: End, link: LinkFact, relation: str, index: int) -> None:  # noqa: PLR0917
    nsid = link.link_netnsid
    numbering = facts.numbering(end.ns)
    ns: NsKey | None = end.ns if nsid is None else out.nsids.get(numbering, {}).get(nsid)
    if nsid == NOT_ASSIGNED:
        out.loose[end] = Loose(end, relation, "gone", index, nsid)
    elif ns is None and nsid is not None:
        view = View(numbering, nsid)
        refused = facts.unread_hidden.get(view) in (EPERM, EACCES)
        out.loose[end] = Loose(end, relation, "not permitted" if refused else "not visible", index, nsid)
        if view not in facts.unread_hidden:
            out.unexplained.add(view)
    elif ns is not None and ns not in facts.links:
        refused = facts.refused.get(ns) in (EPERM, EACCES)
        out.loose[end] = Loose(end, relation, "not permitted" if refused else "not visible", index, nsid, ns)
    elif ns is not None and index in facts.links[ns]:
        said_by = "" if nsid is None else out.said_by[numbering, nsid]
        out.lowers[end] = Wire(relation, end, End(ns, index), "proved", said_by)
    else:
        out.reread |= {end} if ns is None else {end, End(ns, index)}
        out.loose[end] = Loose(end, relation, "gone", index, nsid, ns)
