"""What a link stands on: the lower link of a VLAN, macvlan ..., the link that a tunnel's outer packets leave by.

Only the upper one names the other, so there is nothing to agree on: its ifindex, in the namespace that its own one
calls by that id (none: the same namespace). The kernel's word on the id is the proof. A tunnel that names no link
names at least, by that id, the namespace whose routes its outer packets take.
"""

from __future__ import annotations

from errno import EACCES, EPERM
from typing import TYPE_CHECKING

from nswire import kinds
from nswire.codec.netlink.nsid import NOT_ASSIGNED
from nswire.model.facts import View
from nswire.model.values import End, Far, Loose, Wire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nswire.kinds.kind import Kind
    from nswire.model.facts import Facts
    from nswire.model.values import LinkFact, NsKey, State
    from nswire.resolve.resolution import Outcome

    ByAddress = Mapping[tuple[int, str], list[End]]

SAME_ADDRESS = "the only link with that ifindex and this MAC"


def resolve(facts: Facts, out: Outcome) -> None:
    """Add to the outcome what links stand on, and what would have to be known for the others."""
    unsaid: list[tuple[End, LinkFact, Kind]] = []
    for ns, links in facts.links.items():
        for link in links.values():
            if link.kind not in kinds.STANDING:
                continue
            row = kinds.of(link.kind)
            end = End(ns, link.ifindex)
            if row.netns_unsaid:
                unsaid.append((end, link, row))
                continue
            others = row.others(link)
            for index in others:
                _tie(facts, out, end, link, index)
            if not others and row.relation == "underlay" and link.link_netnsid is not None:
                _tie(facts, out, end, link, None)
    if unsaid:
        by_address = _by_address(facts)
        for end, link, row in unsaid:
            _guess(facts, out, end, link, row, by_address)


def _tie(facts: Facts, out: Outcome, end: End, link: LinkFact, index: int | None) -> None:
    """Tie a link to the one with that index (None: to no link, but to a namespace) where its nsid leads."""
    relation = str(kinds.of(link.kind).relation)
    nsid = link.link_netnsid
    numbering = facts.numbering(end.ns)
    ns: NsKey | None = end.ns if nsid is None else out.nsids.get(numbering, {}).get(nsid)

    def leave(state: State) -> None:
        out.loose[end] = Loose(end, relation, state, index, nsid, ns)

    if nsid == NOT_ASSIGNED:
        leave("gone")
    elif ns is None and nsid is not None:
        view = View(numbering, nsid)
        leave("not permitted" if facts.unread_hidden.get(view) in (EPERM, EACCES) else "not visible")
        if view not in facts.unread_hidden:
            out.unexplained.add(view)
    elif ns is not None and index is None:
        _add(out, Wire(relation, end, None, "proved", _said(out, numbering, nsid), Far("namespace", ns=ns)))
    elif ns is not None and ns not in facts.links:
        leave("not permitted" if facts.refused.get(ns) in (EPERM, EACCES) else "not visible")
    elif ns is not None and index in facts.links[ns]:
        _add(out, Wire(relation, end, End(ns, index), "proved", _said(out, numbering, nsid)))
    elif index is not None:
        out.reread |= {end} if ns is None else {end, End(ns, index)}
        leave("gone")


def _said(out: Outcome, numbering: NsKey, nsid: int | None) -> str:
    return "" if nsid is None else out.said_by[numbering, nsid]


def _add(out: Outcome, wire: Wire) -> None:
    out.lowers[wire.a] = (*out.lowers.get(wire.a, ()), wire)


# -- kinds whose kernel does not say in which namespace the lower link is --------------------------------------------


def _by_address(facts: Facts) -> ByAddress:
    """The links that may be under another one, by what such a kind tells of them: ifindex and MAC."""
    found: dict[tuple[int, str], list[End]] = {}
    for ns, links in facts.links.items():
        for link in links.values():
            if link.address:
                found.setdefault((link.ifindex, link.address), []).append(End(ns, link.ifindex))
    return found


def _guess(facts: Facts, out: Outcome, end: End, link: LinkFact, row: Kind, by_address: ByAddress) -> None:  # noqa: PLR0917
    """The index may be one of any namespace; but the two have one MAC, and none of its own family is under it."""
    relation = str(row.relation)
    for index in row.others(link):
        fits = tuple(
            fit
            for fit in by_address.get((index, link.address), ())
            if fit != end and kinds.of(facts.links[fit.ns][fit.ifindex].kind).family != row.family
        )
        if len(fits) == 1:
            _add(out, Wire(relation, end, fits[0], "inferred", SAME_ADDRESS))
        elif fits:
            out.loose[end] = Loose(end, relation, "ambiguous", index, None, candidates=fits)
        else:
            out.loose[end] = Loose(end, relation, "not visible", index, None)
