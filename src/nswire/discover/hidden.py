"""Hidden namespaces: those that only another namespace's id for them betrays.

Whose is an id? First it is made sure that it is none of the namespaces that are known by another way; then the links
and addresses behind it are read through it, without entering (Linux 4.20).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec.netlink import nsid
from nswire.discover.queries import LINKS_CHANGED, is_same, number_in, prove, store_addresses
from nswire.errors import MalformedReply, NetlinkError
from nswire.host import requests
from nswire.host.failures import INSIDE, malformed, refusal
from nswire.host.system import Errand, Refusal
from nswire.model.facts import View
from nswire.model.gaps import RESTLESS, Unseen, counted, netns
from nswire.model.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.discover.scan_state import Scan
    from nswire.host.system import Answer
    from nswire.model.values import NsKey

MOST, FEWEST = (
    1 << 18,
    64,
)  # questions what one calls another, asked at once; namespaces that each is asked about
BY_ID = Unseen("netns.by_nsid", "whether only an id leads to them")
NSIDS = Unseen("netns.nsids", "namespaces that it has ids for and no link to")
TOO_MANY = Reason("scan.too_many_namespaces", "there are too many to ask about each of them")


def identify(scan: Scan, views: Iterable[View]) -> None:
    """Make sure that these ids belong to none of the known namespaces.

    Costly in a hub (the kernel walks all its ids for each question), so only when a link leads nowhere known. A "not
    assigned" of before is asked again, since reading a hidden namespace gives ids to all that it is wired to, the
    reading namespace itself included.
    """
    facts = scan.facts
    throughs = {view.through for view in views} & scan.ways.keys() & facts.links.keys()
    facts.asked = {
        (ns, other): number
        for (ns, other), number in facts.asked.items()
        if number != nsid.NOT_ASSIGNED or ns not in throughs
    }
    known = {ns: set(scan.outcome.nsids.get(ns, {}).values()) for ns in throughs}
    others = list(scan.ways)
    if len(throughs) * len(others) > MOST:
        others = others[: max(FEWEST, MOST // len(throughs))]
        gap = BY_ID(counted(len(scan.ways) - len(others), "namespaces", "namespaces"), TOO_MANY())
        if gap not in facts.gaps:
            facts.gaps.append(gap)
    prove(scan, ((ns, other) for ns in throughs for other in others if other not in known[ns]))


def recognise(scan: Scan, views: Iterable[View]) -> bool:
    """Find out which of these ids are hidden namespaces that were read already, by another namespace's id."""
    facts = scan.facts
    hidden = {view: key for key, view in facts.hidden.items()}
    by_door: dict[NsKey, list[tuple[View, NsKey, int]]] = {}
    for view in views:
        for via in {seen.through for seen in hidden} - {view.through}:
            number = facts.asked.get((view.through, via), nsid.NOT_ASSIGNED)
            if number >= 0 and view.through in scan.ways:
                by_door.setdefault(view.through, []).append((view, via, number))
    before = len(facts.aliases)

    def deliver(errand: Errand, answers: list[Answer]) -> None:
        if not is_same(scan, errand.door.inode, answers[0]):
            return
        for (view, via, _), answer in zip(by_door[errand.door.inode], answers[1:], strict=True):
            known = hidden.get(View(via, number)) if (number := number_in(answer)) is not None else None
            if known is not None:
                facts.aliases[view] = known
                twice = hidden.get(view)
                if twice is not None and twice != known:  # read once more before the kernel had a word for it
                    for table in (facts.hidden, facts.links, facts.addresses):
                        table.pop(twice, None)

    scan.system.visit(
        (
            Errand(
                scan.door(ns),
                (
                    requests.COOKIE,
                    *(requests.nsid_within(number, view.nsid, scan.attempt) for view, _, number in asks),
                ),
            )
            for ns, asks in by_door.items()
        ),
        deliver,
    )
    return len(facts.aliases) > before


def read_hidden(scan: Scan, views: Iterable[View]) -> bool:
    """Read namespaces through ids that belong to nobody known. True if that gave anything new.

    Only those that one namespace sees are read in one go: ids of the same namespace are different namespaces, while
    ids of two may be the same one.
    """
    facts = scan.facts
    left = [view for view in views if view not in facts.unread_hidden and view.through in scan.ways]
    if not left:
        return False
    through = min((view.through for view in left), key=lambda key: (key != facts.home, key))
    mine = sorted(view for view in left if view.through == through)

    def deliver(_: Errand, answers: list[Answer]) -> None:
        for view, links, addresses in zip(mine, answers[::2], answers[1::2], strict=True):
            _hidden_answer(scan, view, links, addresses)

    asks = tuple(q for view in mine for q in (requests.links_of(view.nsid), requests.addresses_of(view.nsid)))
    scan.system.visit((Errand(scan.door(through), asks),), deliver)
    return True


def _hidden_answer(scan: Scan, view: View, links: Answer, addresses: Answer) -> None:
    facts = scan.facts
    key = min(0, *facts.links) - 1
    try:
        if isinstance(links, Refusal):
            facts.unread_hidden[view] = links.errno
            return
        decoded, interrupted = scan.decoder.read(links, view.nsid)
    except NetlinkError as error:
        facts.unread_hidden[view] = error.errno or 0
        return
    except MalformedReply:
        facts.unread_hidden[view] = -1
        return
    facts.hidden[key] = view
    if interrupted:
        facts.gaps.append(LINKS_CHANGED(netns(facts, key), RESTLESS()))
    facts.links[key] = {link.ifindex: link for link in decoded}
    store_addresses(scan, key, addresses, view.nsid)


def list_nsids(scan: Scan) -> None:
    """Ask every namespace for all its ids, also those that no link uses."""

    def deliver(errand: Errand, answers: list[Answer]) -> None:
        key = errand.door.inode
        try:
            if isinstance(answers[0], bytes):
                scan.facts.all_nsids[key] = nsid.decode(answers[0])
                return
            why = refusal(answers[0].errno, INSIDE)
        except (NetlinkError, MalformedReply) as error:
            why = malformed(error)
        scan.facts.gaps.append(NSIDS(netns(scan.facts, key), *why))

    entered = (key for key in scan.ways if key in scan.facts.links)
    scan.system.visit((Errand(scan.door(key), (requests.NSIDS,)) for key in entered), deliver)


def unknown_nsids(scan: Scan) -> set[View]:
    """Listed ids that belong to no known namespace, as far as was asked."""
    views = set()
    for ns, ids in scan.facts.all_nsids.items():
        known = scan.outcome.nsids.get(ns, {})
        views |= {View(ns, number) for number in ids if number not in known}
    return views
