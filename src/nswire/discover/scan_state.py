"""What the passes of one scan share."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nswire.codec import host_info
from nswire.codec.netlink.link import Decoder
from nswire.errors import HostError
from nswire.host.system import Door, Refusal
from nswire.model import gaps
from nswire.model.facts import Facts
from nswire.model.reasons import Reason
from nswire.resolve.resolution import Outcome

if TYPE_CHECKING:
    from nswire.host.system import Answer, System, Way
    from nswire.model.values import NsKey
    from nswire.sources.source import Found

LONG = 15  # seconds of processor time, after which no further namespace is looked for
WAYS = 8  # ways remembered into one namespace


BY_IDS = gaps.Unseen("host.by_nsid", "what only ids of namespaces lead to", hint="ask again")
TOOK_LONG = Reason("scan.took_long", "it took {seconds} seconds")


class Scan:
    """The system, the facts so far and what follows from them, and the ways into the namespaces found.

    Raises HostError or MalformedReply if the machine does not even say who it is.
    """

    def __init__(self, system: System, *, addresses: bool) -> None:
        self.system = Once(system)
        self.addresses = addresses
        answer = self.system.host("about")
        if isinstance(answer, Refusal):
            raise HostError(answer.errno, "the machine does not say who it is")
        self.about = host_info.decode(answer)
        self.facts = Facts(self.about.home)
        self.outcome = Outcome()
        self.decoder = Decoder()
        self.ways: dict[NsKey, list[Way]] = {self.facts.home: []}
        """The ways into each namespace that was found; none into home."""
        self.undecoded: dict[NsKey, Answer] = {}
        """The answers about addresses that nobody has wanted to know yet."""
        self.looked: set[str] = set()
        """The sources that were asked."""
        self._began = time.process_time()
        self._tired = False
        self.attempt = 0
        """Steps of the walk through hidden namespaces: what was not assigned before may be now."""

    def note(self, found: Found) -> None:
        """Keep what a source found."""
        self.facts.holders.setdefault(found.inode, []).append(found.holder)
        ways = self.ways.setdefault(found.inode, [])
        if len(ways) < WAYS and found.inode != self.facts.home:
            ways.append(found.way)

    def door(self, key: NsKey) -> Door:
        """A namespace that was found, as one that can be entered."""
        return Door(key, self.facts.cookies.get(key, 0), tuple(self.ways[key]))

    def tired(self) -> bool:
        """True if it is time to conclude from what is known: a host may change faster than it is read. That is a gap."""
        if not self._tired and time.process_time() - self._began > LONG:
            self._tired = True
            self.facts.gaps.append(BY_IDS(gaps.HOST, TOOK_LONG(seconds=LONG)))
        return self._tired

    def unvisited(self) -> list[NsKey]:
        """The namespaces that were found and nobody has tried to enter."""
        return [key for key in self.ways if key not in self.facts.links and key not in self.facts.refused]


class Once:
    """A system whose host-wide answers are asked for once, so that all sources see the same host."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._answers: dict[str, Answer] = {}
        self.visit = system.visit

    def forget(self) -> None:
        """Ask anew from now on."""
        self._answers.clear()

    def host(self, name: str) -> Answer:
        """The answer, the same each time."""
        if name not in self._answers:
            self._answers[name] = self._system.host(name)
        return self._answers[name]
