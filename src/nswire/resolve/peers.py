"""Peers: the two ends of veth, netkit and vxcan pairs.

A link says two things about its other end: its ifindex (IFLA_LINK) and what its own namespace calls the other's
namespace (IFLA_LINK_NETNSID; absent: the same namespace). Two links that name each other's ifindex are only
candidates, since ifindexes repeat in every namespace. The kernel's word on the nsid of one side is the proof.

Where many name each other (laboratories number alike, and so may somebody who wants us to count) nobody is asked about
all of them: the kernel shows, through the nsid, what the link there looks like, and only those that look so are asked about.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from errno import EACCES, EPERM
from functools import cached_property
from typing import TYPE_CHECKING

from nswire.codec.netlink.nsid import NOT_ASSIGNED
from nswire.kinds import PAIRS, is_single
from nswire.kinds.kind import iflink
from nswire.model.facts import Behind, View
from nswire.model.values import End, Loose, Wire
from nswire.resolve.resolution import Outcome

if TYPE_CHECKING:
    from nswire.model.facts import Facts
    from nswire.model.values import LinkFact, NsKey, State

    Looks = tuple[str, int, int | None, str, str]

FEW = 8  # ends that are asked about one by one, before it is asked what the other end looks like
NEAR = 16  # on either side: of those that look alike, the ones whose namespaces are the next older and younger ones


def resolve(facts: Facts) -> Outcome:
    """Pair what can be paired."""
    return _Resolver(facts).run()


class _Resolver:
    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.out = Outcome()
        self.ends = {
            End(ns, link.ifindex): link
            for ns, links in facts.links.items()
            for link in links.values()
            if link.kind in PAIRS and not is_single(link)
        }

    @cached_property
    def by_indexes(self) -> dict[tuple[int, int], list[End]]:
        """The ends by their own ifindex and the one that they name."""
        found: dict[tuple[int, int], list[End]] = {}
        for end, link in self.ends.items():
            other = iflink(link)
            if other is not None:
                found.setdefault((link.ifindex, other), []).append(end)
        return found

    @cached_property
    def by_looks(self) -> dict[Looks, list[End]]:
        """The ends that are open when all is settled, by what else is known of them, the oldest namespace first."""
        found: dict[Looks, list[End]] = {}
        for end in sorted((end for end in self.ends if end not in self.out.wires), key=self._age):
            found.setdefault(_looks(self.ends[end]), []).append(end)
        return found

    def _age(self, end: End) -> tuple[int, int]:
        """Cookies are given one after the other, a few at a time to each processor."""
        return self.facts.cookies.get(end.ns, 0), end.ns

    @cached_property
    def distinct(self) -> Counter[NsKey]:
        """How many ids the ends of a namespace name."""
        return Counter(ns for ns, _ in {(end.ns, link.link_netnsid) for end, link in self.ends.items()})

    def run(self) -> Outcome:
        if self._kernel_is_mute():
            self._pair_by_agreement()
            return self.out
        for (ns, about), nsid in self.facts.asked.items():
            if nsid >= 0:
                self._learn(ns, nsid, about, "RTM_GETNSID")
        for key, view in self.facts.hidden.items():
            self._learn(view.through, view.nsid, key, "IFLA_TARGET_NETNSID")
        for alias, key in self.facts.aliases.items():
            self._learn(alias.through, alias.nsid, key, "RTM_GETNSID")
        open_ends = self.ends
        while True:
            left = {end: link for end, link in open_ends.items() if not self._settle(end, link)}
            if len(left) == len(open_ends):
                break
            open_ends = left  # each pair may have taught us an nsid that settles others
        for end, link in open_ends.items():
            self._leave(end, link)
        return self.out

    # -- the kernel tells the namespace --------------------------------------------------------------------------

    def _settle(self, end: End, link: LinkFact) -> bool:
        """Pair this end if the facts prove it. False: not yet."""
        if end in self.out.wires:
            return True
        index = iflink(link)
        ns = self._other_namespace(end.ns, link)
        if index is None or ns is None:
            return False
        other = End(ns, index)
        if other in self.out.wires or not self._names(other, end) or not self._confirmed(end, other):
            return False
        self._pair(end, other)
        return True

    def _confirmed(self, end: End, other: End) -> bool:
        """True unless the other side has to be heard, too, and does not say the same.

        One side's word suffices while nothing changes. But an end that was read, then moved, may name the place where
        by now another link stands that happens to name it back: so after any sign of change both sides are asked.
        """
        link = self.ends[other]
        numbering = self.facts.numbering(other.ns)
        if not self.facts.restless or link.link_netnsid is None or end.ns < 0 or numbering < 0:
            return True
        if self._other_namespace(other.ns, link) == end.ns:
            return True
        question = (numbering, end.ns)
        if question not in self.facts.asked:
            self.out.ask.add(question)
        return False

    def _other_namespace(self, ns: NsKey, link: LinkFact) -> NsKey | None:
        if link.link_netnsid is None:
            return ns
        return self.out.nsids.get(self.facts.numbering(ns), {}).get(link.link_netnsid)

    def _names(self, end: End, other: End) -> bool:
        """True if the link at `end` exists, is of the same kind, names `other`'s ifindex and no other namespace."""
        link, mine = self.ends.get(end), self.ends[other]
        if link is None or link.kind != mine.kind or iflink(link) != other.ifindex or end == other:
            return False
        if (link.link_netnsid is None) != (mine.link_netnsid is None):
            return False
        return self._other_namespace(end.ns, link) in (None, other.ns)

    def _pair(self, end: End, other: End) -> None:
        nsid, mine = self.ends[end].link_netnsid, self.ends[other].link_netnsid
        said_by = "" if nsid is None else self.out.said_by[self.facts.numbering(end.ns), nsid]
        self.out.wires[end] = self.out.wires[other] = Wire("peer", end, other, "proved", said_by)
        if mine is not None and not self.facts.restless:
            self._learn(self.facts.numbering(other.ns), mine, end.ns, "the other end of a proved pair")
        self._learn_own(end, other.ifindex)
        self._learn_own(other, end.ifindex)

    def _learn_own(self, end: End, index: int) -> None:
        """A link that was shown through an nsid names its own other end, which is ours, by the id that we have for ourselves."""
        nsid = self.ends[end].link_netnsid
        if nsid is None:
            return
        shown = self.facts.behind.get(Behind(self.facts.numbering(end.ns), nsid, index))
        if shown is not None and shown.link_netnsid is not None and iflink(shown) == end.ifindex:
            self._learn(self.facts.numbering(end.ns), shown.link_netnsid, end.ns, "IFLA_TARGET_NETNSID")

    def _learn(self, ns: NsKey, nsid: int, about: NsKey, said_by: str) -> None:
        """Note what `ns` calls a namespace. The first word counts: an id never changes while both live."""
        if self.out.nsids.setdefault(ns, {}).setdefault(nsid, about) == about:
            self.out.said_by.setdefault((ns, nsid), said_by)

    def _leave(self, end: End, link: LinkFact) -> None:
        """An end that stays open for now: note why, and what to ask."""
        if end in self.out.wires:
            return
        index = iflink(link)
        nsid = link.link_netnsid
        state: State
        if index is None:
            self.out.unsaid.add(end)
            self.out.loose[end] = Loose(end, "peer", "not said", self.facts.peer_index.get(end), None)
            return
        if nsid == NOT_ASSIGNED:  # a namespace that is being taken down gets no id any more
            self.out.loose[end] = Loose(end, "peer", "gone", index, nsid)
            return
        ns = self._other_namespace(end.ns, link)
        if ns is None:
            self._search(end, link, index)
        elif ns in self.facts.refused or ns not in self.facts.links:
            refused = self.facts.refused.get(ns) in (EPERM, EACCES)
            state = "not permitted" if refused else "not visible"
            self.out.loose[end] = Loose(end, "peer", state, index, nsid, ns)
        else:
            other = End(ns, index)
            self.out.reread |= {end, other}
            rival = self.out.wires.get(other)
            if rival is not None:  # two ends claim the same one: at most one of them is still there
                self.out.reread |= {claimed for claimed in (rival.a, rival.b) if claimed is not None}
            state = "moved" if other in self.ends else "gone"
            self.out.loose[end] = Loose(end, "peer", state, index, nsid, ns)

    def _search(self, end: End, link: LinkFact, index: int) -> None:
        """The namespace behind an id is not known yet: who could it be? Ask the side that has fewer ids."""
        numbering = self.facts.numbering(end.ns)
        nsid = link.link_netnsid
        fits, many = self._candidates(end, link, index)
        asked = False
        for other in fits:
            if other.ns == end.ns or other in self.out.wires or not self._names(other, end):
                continue
            questions = [
                (a, b)
                for a, b in ((numbering, other.ns), (self.facts.numbering(other.ns), end.ns))
                if a > 0 and b > 0 and a != b
            ]
            if not questions or any(question in self.facts.asked for question in questions):
                continue
            asked = True
            self.out.ask.add(min(questions, key=lambda question: (self.distinct[question[0]], question)))
        state: State = "not visible"
        if nsid is not None:
            view = View(numbering, nsid)
            if self.facts.unread_hidden.get(view) in (EPERM, EACCES):
                state = "not permitted"
            elif view in self.facts.unread_hidden:
                self.out.reread.add(end)  # the id is dead: so may be the link that we read it from
            elif many and not asked:
                state = "ambiguous"
            elif not asked and Behind(numbering, nsid, index) not in self.out.look:
                self.out.unexplained.add(view)
        candidates = tuple(fits) if state == "ambiguous" else ()
        self.out.loose[end] = Loose(end, "peer", state, index, nsid, candidates=candidates)

    def _candidates(self, end: End, link: LinkFact, index: int) -> tuple[list[End], bool]:
        """The ends that may be the other one, as far as they are worth a question; True: there are more than that."""
        fits = self.by_indexes.get((index, end.ifindex), [])
        nsid = link.link_netnsid
        if len(fits) <= FEW or nsid is None:
            return fits, False
        behind = Behind(self.facts.numbering(end.ns), nsid, index)
        if behind not in self.facts.behind:
            self.out.look.add(behind)
            return [], False
        shown = self.facts.behind[behind]
        if shown is None:  # a kernel before 4.20, or it went
            return fits, False
        fits = self.by_looks.get(_looks(shown), [])
        if len(fits) <= 2 * NEAR:
            return fits, False
        at = bisect_left(fits, self._age(end), key=self._age)
        return fits[max(0, at - NEAR) : at + NEAR], True

    # -- the kernel does not tell --------------------------------------------------------------------------------

    def _kernel_is_mute(self) -> bool:
        """True for answers without link nsids, as from kernels before 4.0.

        That no link has one proves nothing, since all pairs may well lie within their namespaces; but then each of
        them must be reciprocated there. A single one that is not shows that the ids are missing.
        """
        cross = any(link.link_netnsid is not None for link in self.ends.values())
        if cross or not self.ends:
            return False
        if self.facts.peer_index:
            return True
        lonely = {
            end
            for end, link in self.ends.items()
            if (index := iflink(link)) is not None and not self._names(End(end.ns, index), end)
        }
        if not lonely or len(self.facts.links) == 1:
            return False
        self.out.reread |= lonely  # it may also be that they changed while we looked
        return True

    def _pair_by_agreement(self) -> None:
        """Two ends that name each other's ifindex, and no third fits either of them: mutual. Else all that fit."""
        index_of = {
            end: index
            for end, link in self.ends.items()
            if (index := iflink(link) or self.facts.peer_index.get(end)) is not None
        }
        naming: dict[tuple[int, int], list[End]] = {}
        for end, index in index_of.items():
            naming.setdefault((end.ifindex, index), []).append(end)
        for end in self.ends:
            if end not in index_of:
                self.out.unsaid.add(end)
                self.out.loose[end] = Loose(end, "peer", "not said", None, None)
                continue
            index = index_of[end]
            fits = [o for o in naming.get((index, end.ifindex), ()) if o != end and self._same_kind(o, end)]
            rivals = [o for o in naming[end.ifindex, index] if o != end and self._same_kind(o, end)]
            if len(fits) == 1 and (not rivals or rivals == fits):
                self.out.wires[end] = self.out.wires.get(fits[0]) or Wire("peer", end, fits[0], "mutual")
            elif fits:
                self.out.loose[end] = Loose(end, "peer", "ambiguous", index, None, candidates=tuple(fits))
            else:
                self.out.loose[end] = Loose(end, "peer", "not visible", index, None)

    def _same_kind(self, end: End, other: End) -> bool:
        return self.ends[end].kind == self.ends[other].kind


def _looks(link: LinkFact) -> Looks:
    """What is the same of a link from wherever it is seen."""
    return link.kind, link.ifindex, iflink(link), link.address, link.ifname
