"""Makes a recording: scans while everything that is answered is kept, so that every verb can be replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire import sources
from nswire.discover.engine import scan
from nswire.host.atomic_write import regular
from nswire.host.replay import Recorder

if TYPE_CHECKING:
    from pathlib import Path

    from nswire.host.system import System
    from nswire.model.topology import Topology


def record(system: System, file: str | Path) -> Topology:
    """Record a machine into that file and return what it says. OSError.

    It is scanned twice, as `peer` does it and as `netns` does it: what a verb asks depends on what it was answered.
    """
    regular(file)
    recorder = Recorder(system)
    scan(recorder)
    topology = scan(recorder, sources.ALL)
    for link in topology:
        topology.addresses_of(link.end)
    topology.lookups().everything()
    topology.ask_everything()
    topology.listeners(topology.home)
    lookups = topology.lookups()
    for ns in topology.namespaces:
        for listener in lookups.listeners(ns) or ():
            process = lookups.holder(listener.inode)
            if process is not None:
                topology.forwards(ns, process.pid, listener)
        topology.gateways(ns)
        topology.named_holders(ns)
        topology.owners(ns)
    recorder.write(file)
    return topology
