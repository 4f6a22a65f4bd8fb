"""The passes of a scan, in order. Nothing here knows a source or a kind by name."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nswire import sources
from nswire.discover import hidden, queries
from nswire.discover.conclude import conclude
from nswire.discover.inspector import ScanInspector
from nswire.discover.scan_state import Scan
from nswire.model.gaps import RESTLESS, VANISHED
from nswire.resolve import resolve
from nswire.sources.source import Found, Unanswered

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from nswire.host.system import System
    from nswire.model.facts import View
    from nswire.model.topology import Topology

RACES = ("gone", "moved", "not visible")
REREADS = 3  # times that ends which contradict each other are read again before that is the answer


def scan(
    system: System,
    source_names: Iterable[str] = sources.EAGER,
    *,
    addresses: bool = True,
) -> Topology:
    """Look at the whole machine once.

    `source_names` are asked in any case (names of `sources.TABLE`), the others where a link leads to a namespace that
    these did not find. With all of them, every namespace is also asked for the ids that no link uses. `addresses`:
    read them all in the same visits; otherwise those that are wanted are asked for then.
    Raises OSError or ValueError if the machine does not even say who it is; everything else that fails is a gap in the
    answer.
    """
    started = time.monotonic()
    chosen = set(source_names)
    unknown = chosen - set(sources.ALL)
    if unknown:
        raise ValueError(
            f"no source is called {', '.join(sorted(unknown))}; there are {', '.join(sources.ALL)}"
        )
    this = Scan(system, addresses=addresses)
    _look(this, chosen)
    _resolve(this)
    _search_hidden(this)
    _settle(this)
    if _changed_meanwhile(this):
        this.facts.restless = True
        _resolve(this)
        _search_hidden(this)
        _settle(this)
    if chosen >= set(sources.ALL):
        _inventory(this)
    return conclude(this, time.monotonic() - started, ScanInspector(this))


def _look(this: Scan, names: Collection[str]) -> None:
    """Ask the named sources, once each, and visit the namespaces that are new."""
    for source in sources.TABLE:
        if source.name not in names or source.name in this.looked:
            continue
        this.looked.add(source.name)
        try:
            for found in source.find(this.system):
                if isinstance(found, Found):
                    this.note(found)
                else:
                    this.facts.gaps.append(found)
        except Unanswered as refused:
            this.facts.gaps.append(refused.gap)
    queries.read(this, this.unvisited())


def _look_again(this: Scan) -> None:
    """Ask the eager sources as if for the first time."""
    eager = this.looked & set(sources.EAGER)
    this.looked -= eager
    this.system.forget()
    _look(this, eager)


def _resolve(this: Scan) -> None:
    """Draw conclusions, ask what they lack, until nothing is left to ask for."""
    while True:
        this.outcome = resolve(this.facts)
        out = this.outcome
        if this.tired():
            return
        asked = (
            queries.prove(this, out.ask),
            queries.look_behind(this, out.look),
            queries.ask_drivers(this, out.unsaid),
        )
        if not any(asked):
            return


def _search_hidden(this: Scan) -> None:
    """Links that lead to namespaces nobody has found: look harder, then read them through their nsid."""
    if not this.outcome.unexplained:
        return
    hidden.identify(this, this.outcome.unexplained)
    _resolve(this)
    if this.outcome.unexplained:
        _look_again(this)  # it may be younger than our first look
        _resolve(this)
    for source in sources.TABLE:
        if this.outcome.unexplained and not source.eager:
            _look(this, (source.name,))
            _resolve(this)
    _walk(this, lambda: this.outcome.unexplained)


def _walk(this: Scan, unknown: Callable[[], set[View]]) -> None:
    """Read namespaces through their ids, each of which may lead to further ones, until nothing is new."""
    while views := unknown():
        if this.tired():
            return
        hidden.identify(this, views)
        _resolve(this)
        if hidden.recognise(this, unknown()):
            _resolve(this)
        before = set(this.facts.hidden.values())
        if not hidden.read_hidden(this, unknown()):
            return
        this.attempt += 1
        _resolve(this)
        fresh = set(this.facts.hidden.values()) - before
        hidden.identify(
            this, fresh
        )  # reading gives ids to all that is wired there, the reader's neighbours included
        if hidden.recognise(this, fresh):
            _resolve(this)


def _settle(this: Scan) -> None:
    """Read again what contradicts itself: it moved, or went, while we looked; maybe to where nobody looked."""
    for attempt in range(REREADS):
        if not this.outcome.reread:
            return
        queries.reread(this, this.outcome.reread, attempt)
        _resolve(this)
        _search_hidden(this)


def _changed_meanwhile(this: Scan) -> bool:
    """True if anything shows that the host was not quiet: then one side's word is no proof any more."""
    if any(loose.state in RACES for loose in this.outcome.loose.values()):
        return True
    if any(gap.cause.reason in (VANISHED, RESTLESS) for gap in this.facts.gaps):
        return True
    links = this.facts.links
    return any(  # two ends with one MAC may be one link, read in two places
        wire.b is not None
        and wire.a.ns != wire.b.ns
        and links[wire.a.ns][wire.a.ifindex].address == links[wire.b.ns][wire.b.ifindex].address != ""
        for wire in this.outcome.wires.values()
    )


def _inventory(this: Scan) -> None:
    """Ask every namespace for all its ids, also those that no link uses, and read what nobody has found."""
    hidden.list_nsids(this)
    _walk(this, lambda: hidden.unknown_nsids(this))
