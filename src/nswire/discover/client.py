"""The scanned machine, or its recording, as it is asked later on: by facets, and for what paths look up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec import procfs
from nswire.codec.netlink.nsid import NOT_ASSIGNED
from nswire.discover import hidden, queries
from nswire.host import requests
from nswire.host.system import Errand
from nswire.model.facts import View
from nswire.model.gaps import NO_WAY, VANISHED, Unseen, netns
from nswire.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nswire.discover.scan_state import Scan
    from nswire.host.system import Answer, Question
    from nswire.model.facts import Facts
    from nswire.model.values import NsKey


PROTOCOLS = ("tcp", "tcp", "udp", "udp")  # of questions.SOCKETS


TIED = Unseen("netns.tied", "what its links are tied to")


def listening(answers: Iterable[Answer]) -> frozenset[tuple[str, int]]:
    """(`tcp` or `udp`, port) of what listens, by the answers to `questions.SOCKETS`; what was refused is left out."""
    return frozenset(
        (one.protocol, one.port)
        for answer, protocol in zip(answers, PROTOCOLS, strict=True)
        if isinstance(answer, bytes)
        for one in procfs.listeners(answer, protocol)
    )


class ScanClient:
    """The part of `host.client.Client` that asks the machine, or its recording, of a scan."""

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self.facts: Facts = scan.facts

    def host(self, name: str) -> Answer:
        """The answer to a question about the whole host, asked once."""
        return self._scan.system.host(name)

    def query(self, asks: Mapping[NsKey, tuple[Question, ...]]) -> dict[NsKey, list[Answer]]:
        """The answers of these namespaces; one that cannot be entered (any more) is left out, and a gap says so."""
        found: dict[NsKey, list[Answer]] = {}

        def deliver(errand: Errand, answers: list[Answer]) -> None:
            key = errand.door.inode
            if queries.is_same(self._scan, key, answers[0]):
                found[key] = answers[1:]

        scan = self._scan
        errands = (
            Errand(scan.door(ns), (requests.COOKIE, *asked)) for ns, asked in asks.items() if ns in scan.ways
        )
        self._scan.system.visit(errands, deliver)
        for ns in asks:
            if ns not in found:
                why = VANISHED if ns in scan.ways else NO_WAY
                self.facts.gaps.append(TIED(netns(self.facts, ns), why()))
        return found

    def netns_by_nsid(self, ns: NsKey, nsid: int) -> NsKey | None:
        """The namespace that `ns` knows by this nsid; None if that is none that was found."""
        if nsid == NOT_ASSIGNED:
            return None
        view = View(ns, nsid)
        if nsid not in self._scan.outcome.nsids.get(ns, {}):
            hidden.identify(self._scan, {view})
            self._scan.outcome = resolve(self.facts)
        return self._scan.outcome.nsids.get(ns, {}).get(nsid)
