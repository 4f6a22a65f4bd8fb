"""The visits of a scan: which errands are run in which namespaces, and where their answers go."""

from __future__ import annotations

import contextlib
import sys
from errno import EACCES, EPERM, ETIMEDOUT
from typing import TYPE_CHECKING

from nswire.codec import ethtool
from nswire.codec.netlink import address, nsid, route
from nswire.errors import MalformedReply, NetlinkError
from nswire.host import requests
from nswire.host.failures import GONE, INSIDE, malformed, refusal
from nswire.host.system import Errand, Refusal
from nswire.model.gaps import ENTER, RESTLESS, VANISHED, Unseen, netns, silent

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from nswire.discover.scan_state import Scan
    from nswire.host.system import Answer, Question
    from nswire.model.facts import Behind
    from nswire.model.values import End, Gateway, NsKey

COOKIE = 8  # bytes
LINKS = Unseen("netns.links", "its links", ENTER)
ADDRESSES = Unseen("netns.addresses", "its addresses")
ROUTES = Unseen("netns.gateways", "its routes, which tell the way out of a bridge")
LINKS_CHANGED = Unseen("netns.links_changed", "links that came or went during the dump")
ADDRESSES_CHANGED = Unseen("netns.addresses_changed", "addresses that changed during the dump")
LINK = Unseen("link.reread", "the link {link}", hint="ask again")
SILENT_LINKS = Unseen("netns.links_silent", "the links of net:[{netns}]")


def read(scan: Scan, keys: Iterable[NsKey]) -> None:
    """Read the links (and addresses) of these namespaces, one short visit each, and what they call home.

    Home is asked about in passing: in a leaf that costs nothing, and it proves nearly every wire of an ordinary host.
    """
    facts = scan.facts
    home = facts.home
    base = (requests.COOKIE, requests.LINKS)
    more = (requests.ADDRESSES,) if scan.addresses else ()
    # the dump of links comes first: it gives ids to what they lead to
    here, there = (*base, *more), (*base, requests.nsid_of(scan.door(home)), *more)

    def deliver(errand: Errand, answers: list[Answer]) -> None:
        key = errand.door.inode
        cookie, links, *rest = answers
        if isinstance(links, Refusal):
            _refused(scan, key, links)
            return
        if isinstance(cookie, bytes) and len(cookie) == COOKIE:
            facts.cookies[key] = int.from_bytes(cookie, sys.byteorder)
        _store_links(scan, key, links, None)
        if scan.addresses:
            scan.undecoded[key] = rest[-1]
        if key != home:
            called = number_in(rest[0])
            if called is not None:
                facts.asked[key, home] = called

    # home first: without privileges the worker may be unable to come back to it
    order = sorted(keys, key=lambda key: key != home)
    scan.system.visit((Errand(scan.door(key), here if key == home else there) for key in order), deliver)


def read_addresses(scan: Scan, keys: Collection[NsKey]) -> None:
    """Read the addresses of these namespaces: asked for only when somebody wants to know them."""

    def deliver(errand: Errand, answers: list[Answer]) -> None:
        key = errand.door.inode
        cookie, addresses = answers
        if is_same(scan, key, cookie):
            store_addresses(scan, key, addresses, None)
        else:
            scan.facts.gaps.append(ADDRESSES(netns(scan.facts, key), VANISHED()))

    scan.facts.addresses.update((key, ()) for key in keys)
    scan.system.visit(
        (Errand(scan.door(key), (requests.COOKIE, requests.ADDRESSES)) for key in keys if key in scan.ways),
        deliver,
    )


def read_gateways(scan: Scan, keys: Collection[NsKey], found: dict[NsKey, tuple[Gateway, ...]]) -> None:
    """Read the gateways of the default routes of these namespaces. What cannot be read is left empty, and a gap."""

    def deliver(errand: Errand, answers: list[Answer]) -> None:
        key = errand.door.inode
        cookie, routes = answers
        try:
            if isinstance(routes, Refusal):
                why = refusal(routes.errno, INSIDE)
            elif not is_same(scan, key, cookie):
                why = VANISHED(), 0
            else:
                found[key] = route.gateways(routes)
                return
        except (NetlinkError, MalformedReply) as error:
            why = malformed(error)
        scan.facts.gaps.append(ROUTES(netns(scan.facts, key), *why))

    found.update((key, ()) for key in keys)
    scan.system.visit(
        (Errand(scan.door(key), (requests.COOKIE, requests.ROUTES)) for key in keys if key in scan.ways),
        deliver,
    )


def prove(scan: Scan, asks: Iterable[tuple[NsKey, NsKey]]) -> bool:
    """Ask namespaces what they call others. True if anything was learned or ruled out."""
    by_asked: dict[NsKey, list[NsKey]] = {}
    for ns, about in asks:
        if (ns, about) not in scan.facts.asked:
            by_asked.setdefault(ns, []).append(about)

    def deliver(errand: Errand, answers: list[Answer]) -> None:
        key = errand.door.inode
        same = is_same(scan, key, answers[0])
        for about, answer in zip(by_asked[key], answers[1:], strict=True):
            number = number_in(answer)
            # no answer rules the candidate out of what can be proved, so that it is not asked for ever
            scan.facts.asked[key, about] = number if same and number is not None else nsid.NOT_ASSIGNED

    scan.system.visit(
        (
            Errand(
                scan.door(ns),
                (requests.COOKIE, *(requests.nsid_of(scan.door(about), scan.attempt) for about in abouts)),
            )
            for ns, abouts in sorted(by_asked.items())
            if not scan.tired()
        ),
        deliver,
    )
    return bool(by_asked)


def reread(scan: Scan, ends: Iterable[End], attempt: int) -> None:
    """Read single links again, each in its own namespace or, for a hidden one, through the one that betrays it."""
    facts = scan.facts
    by_door: dict[NsKey, list[End]] = {}
    for end in sorted(ends, key=lambda end: (end.ns, end.ifindex)):
        if facts.numbering(end.ns) in scan.ways:
            by_door.setdefault(facts.numbering(end.ns), []).append(end)

    def question(end: End) -> Question:
        view = facts.hidden.get(end.ns)
        return requests.one_link(end.ifindex, attempt, view.nsid if view else None)

    def deliver(errand: Errand, answers: list[Answer]) -> None:
        same = is_same(scan, errand.door.inode, answers[0])
        for end, answer in zip(by_door[errand.door.inode], answers[1:], strict=True):
            view = facts.hidden.get(end.ns)
            known = facts.links.setdefault(end.ns, {})
            before = known.pop(end.ifindex, None)
            why = VANISHED(), 0
            try:
                if isinstance(answer, Refusal):
                    why = refusal(answer.errno, INSIDE)
                elif same:
                    decoded = scan.decoder.decode(answer, view.nsid if view else None)
                    known.update((link.ifindex, link) for link in decoded)
            except (NetlinkError, MalformedReply) as error:
                errno = getattr(error, "errno", 0)
                why = refusal(errno, INSIDE) if errno in GONE else malformed(error)
            if before is not None and end.ifindex not in known:
                facts.gaps.append(LINK(netns(facts, end.ns), *why, link=before.ifname))

    scan.system.visit(
        (
            Errand(scan.door(key), (requests.COOKIE, *(question(end) for end in ends_)))
            for key, ends_ in by_door.items()
        ),
        deliver,
    )


def look_behind(scan: Scan, links: Iterable[Behind]) -> bool:
    """Ask what these links look like. True if any was asked."""
    shown = scan.facts.behind
    by_door: dict[NsKey, list[Behind]] = {}
    wanted = sorted(links)
    for one in wanted:
        shown[one] = None
        if one.through in scan.ways:
            by_door.setdefault(one.through, []).append(one)

    def deliver(errand: Errand, answers: list[Answer]) -> None:
        if not is_same(scan, errand.door.inode, answers[0]):
            return
        for one, answer in zip(by_door[errand.door.inode], answers[1:], strict=True):
            with contextlib.suppress(NetlinkError, MalformedReply):
                if isinstance(answer, bytes):
                    shown[one] = next(iter(scan.decoder.decode(answer, one.nsid)), None)

    scan.system.visit(
        (
            Errand(
                scan.door(key),
                (requests.COOKIE, *(requests.link_behind(one.ifindex, one.nsid) for one in some)),
            )
            for key, some in by_door.items()
        ),
        deliver,
    )
    return bool(wanted)


def ask_drivers(scan: Scan, ends: Iterable[End]) -> bool:
    """Ask ethtool for the peer's index of links about which the kernel says nothing. True if any told."""
    facts = scan.facts
    by_door: dict[NsKey, list[End]] = {}
    for end in ends:
        if end not in facts.peer_index and end.ns in scan.ways:
            by_door.setdefault(end.ns, []).append(end)
    told: list[bool] = []

    def deliver(errand: Errand, answers: list[Answer]) -> None:
        for end, answer in zip(by_door[errand.door.inode], answers, strict=True):
            index = ethtool.peer_ifindex(answer) if isinstance(answer, bytes) else None
            if index:
                facts.peer_index[end] = index
                told.append(True)

    def name(end: End) -> str:
        return facts.links[end.ns][end.ifindex].ifname

    scan.system.visit(
        (
            Errand(scan.door(key), tuple(requests.ethtool_stats(name(end)) for end in ends_))
            for key, ends_ in by_door.items()
        ),
        deliver,
    )
    return bool(told)


# -- storing -----------------------------------------------------------------------------------------------------


def is_same(scan: Scan, key: NsKey, cookie: Answer) -> bool:
    """False if this visit came to another namespace than the first one: inode numbers are reused, cookies never."""
    before = scan.facts.cookies.get(key)
    if before is None:
        return True
    return (
        isinstance(cookie, bytes)
        and len(cookie) == COOKIE
        and int.from_bytes(cookie, sys.byteorder) == before
    )


def number_in(answer: Answer) -> int | None:
    """The id in an answer, -1 for "not assigned"; None if there was no answer."""
    if isinstance(answer, Refusal):
        return None
    try:
        return nsid.decode_one(answer)
    except (NetlinkError, MalformedReply):
        return None


def _refused(scan: Scan, key: NsKey, refused: Refusal) -> None:
    scan.facts.refused[key] = refused.errno
    if refused.errno in (EPERM, EACCES):
        return  # told once for all of them, by whoever concludes
    if refused.errno == ETIMEDOUT:
        pids = sorted({pid for _, pid, _ in scan.ways.get(key, ()) if pid and pid != scan.about.pid})
        scan.facts.gaps.append(silent(SILENT_LINKS, pids[0] if pids else 0, netns=key))
        return
    scan.facts.gaps.append(LINKS(netns(scan.facts, key), *refusal(refused.errno, INSIDE)))


def _store_links(scan: Scan, key: NsKey, answer: bytes, target: int | None) -> None:
    try:
        decoded, interrupted = scan.decoder.read(answer, target)
    except (NetlinkError, MalformedReply) as error:
        scan.facts.refused[key] = getattr(error, "errno", 0) or -1
        scan.facts.gaps.append(LINKS(netns(scan.facts, key), *malformed(error)))
        return
    scan.facts.links[key] = {link.ifindex: link for link in decoded}
    if interrupted:
        scan.facts.gaps.append(LINKS_CHANGED(netns(scan.facts, key), RESTLESS()))


def store_addresses(scan: Scan, key: NsKey, answer: Answer, target: int | None) -> None:
    """Keep the addresses of a namespace; what is wrong with them is a gap."""
    try:
        if isinstance(answer, bytes):
            scan.facts.addresses[key], interrupted = address.read(answer, target)
            if interrupted:
                scan.facts.gaps.append(ADDRESSES_CHANGED(netns(scan.facts, key), RESTLESS()))
            return
        why = refusal(answer.errno, INSIDE)
    except (NetlinkError, MalformedReply) as error:
        why = malformed(error)
    scan.facts.gaps.append(ADDRESSES(netns(scan.facts, key), *why))
