"""The passes of a scan, in order, and what they share. Nothing here knows a source or a kind by name."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nswire import sources
from nswire.codec import about
from nswire.codec.netlink.link import Decoder
from nswire.discover import late, visits
from nswire.discover.topology import conclude
from nswire.host.system import Door, Refusal
from nswire.model.facts import Facts
from nswire.resolve import resolve
from nswire.resolve.outcome import Outcome
from nswire.sources.found import Unanswered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nswire.host.system import Answer, System, Way
    from nswire.model.facts import View
    from nswire.model.topology import Topology
    from nswire.model.values import Holder, NsKey

REREADS = 3  # times that ends which contradict each other are read again before that is the answer
WAYS = 8  # ways remembered into one namespace; home has as many as it has processes


class Scan:
    """What the passes of one scan share: the system, the facts so far, and the doors of the namespaces found."""

    def __init__(self, system: System, *, addresses: bool = True) -> None:
        self.system = _Once(system)
        self.addresses = addresses
        answer = self.system.host("about")
        if isinstance(answer, Refusal):
            raise OSError(answer.errno, "the machine does not say who it is")
        self.about = about.decode(answer)
        self.facts = Facts(self.about.home)
        self.decoder = Decoder()
        self.doors: dict[NsKey, Door] = {self.facts.home: Door(self.facts.home, 0, ())}
        self.found_by: set[str] = set()
        self.outcome = Outcome()
        self.attempt = 0
        self._ways: dict[NsKey, list[Way]] = {self.facts.home: []}

    # -- passes --------------------------------------------------------------------------------------------------

    def look(self, names: Iterable[str]) -> None:
        """Ask the named sources, once each, and visit the namespaces that are new."""
        holders: dict[NsKey, list[Holder]] = self.facts.holders
        for source in sources.TABLE:
            if source.name not in names or source.name in self.found_by:
                continue
            self.found_by.add(source.name)
            try:
                for found in source.find(self.system):
                    if not isinstance(found, tuple):
                        self.facts.gaps.append(found)
                        continue
                    holders.setdefault(found.inode, []).append(found.holder)
                    ways = self._ways.setdefault(found.inode, [])
                    if len(ways) < WAYS:
                        ways.append(found.way)
            except Unanswered as refused:
                self.facts.gaps.append(refused.gap)
        new = [key for key in self._ways if key not in self.facts.links and key not in self.facts.refused]
        for key in new:
            if key != self.facts.home:
                self.doors[key] = Door(key, 0, tuple(self._ways[key]))
        visits.read(self, new)

    def resolve(self) -> None:
        """Draw conclusions, ask what they lack, until nothing is left to ask for."""
        while True:
            self.outcome = resolve(self.facts)
            if not visits.prove(self, self.outcome.ask) and not visits.ask_drivers(self, self.outcome.unsaid):
                return

    def settle(self) -> None:
        """Read again what contradicts itself: it moved, or went, while we looked; maybe to where nobody looked."""
        for attempt in range(REREADS):
            if not self.outcome.reread:
                return
            visits.reread(self, self.outcome.reread, attempt)
            self.resolve()
            self.search_hidden()

    def search_hidden(self) -> None:
        """Links that lead to namespaces nobody has found: look harder, then read them through their nsid."""
        if not self.outcome.unexplained:
            return
        visits.identify(self, self.outcome.unexplained)
        self.resolve()
        if self.outcome.unexplained:
            self._look_again()  # it may be younger than our first look
            self.resolve()
        for source in sources.TABLE:
            if self.outcome.unexplained and not source.eager:
                self.look((source.name,))
                self.resolve()
        self._walk(lambda: self.outcome.unexplained)

    def _walk(self, unknown: Callable[[], set[View]]) -> None:
        """Read namespaces through their ids, each of which may lead to further ones, until nothing is new."""
        while True:
            visits.identify(self, unknown())
            self.resolve()
            if not visits.read_hidden(self, unknown()):
                return
            self.attempt += 1
            self.resolve()

    def _look_again(self) -> None:
        eager = self.found_by & set(sources.EAGER)
        self.found_by -= eager
        self.system.forget()
        self.look(eager)

    def inventory(self) -> None:
        """Ask every namespace for all its ids, also those that no link uses, and read what nobody has found."""
        visits.list_nsids(self)
        self._walk(lambda: visits.unknown_nsids(self))


def scan(system: System, source_names: Iterable[str] = sources.EAGER, *, addresses: bool = True) -> Topology:
    """Look at the whole machine once.

    `source_names` are asked in any case (names of `sources.TABLE`), the others where a link leads to a namespace that
    these did not find. With all of them, every namespace is also asked for the ids that no link uses. `addresses`:
    read them all in the same visits; otherwise those that are wanted are asked for then.
    Raises OSError or ValueError if the machine does not even say who it is; everything else that fails is a gap in the answer.
    """
    started = time.monotonic()
    chosen = tuple(source_names)
    this = Scan(system, addresses=addresses)
    this.look(chosen)
    this.resolve()
    this.search_hidden()
    this.settle()
    if set(chosen) >= set(sources.ALL):
        this.inventory()
    return conclude(this, time.monotonic() - started, late.Late(this))


class _Once:
    """A system whose host-wide answers are asked for once in a scan, so that all sources see the same host."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._answers: dict[str, Answer] = {}
        self.visit = system.visit

    def forget(self) -> None:
        self._answers.clear()

    def host(self, name: str) -> Answer:
        if name not in self._answers:
            self._answers[name] = self._system.host(name)
        return self._answers[name]
