"""/proc/PID/ns/net of every process."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nswire.codec import host_info, procfs
from nswire.model.gaps import TRACE_ALL, Gap, Subject, Unseen
from nswire.model.reasons import Reason
from nswire.model.values import Holder
from nswire.sources.source import PROCESSES, Found, ask, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.host.system import System

FIRST = 1  # there is always a first process, in any pid namespace; who does not see it sees little
NOTHING_HIDDEN = ("", "0", "off")

ASKING = Unseen("host.asking", "who is asking")
ALL = Unseen("host.processes", "namespaces of processes")
INSIDE = Unseen("process.netns", "the namespaces that they are in", TRACE_ALL)
OTHERS = Unseen("process.hidden", "the namespaces that they are in", TRACE_ALL, "run as root")
HIDEPID = Reason("scan.hidepid", "hidepid={hidepid}")


def find(system: System) -> Iterator[Found | Gap]:
    """The namespaces that processes are in. nswire itself is left out: it holds nothing that was not there before."""
    me = host_info.decode(ask(system, "about", ASKING))
    rows = list(procfs.processes(ask(system, "processes", ALL)))
    if me.hidepid not in NOTHING_HIDDEN and FIRST not in {row.pid for row in rows}:
        yield OTHERS(Subject("processes of other users"), HIDEPID(hidepid=me.hidepid))
    errors: Counter[int] = Counter()
    for pid, net, _ in rows:
        if net < 0:
            errors[-net] += 1
        else:
            yield Found(net, Holder("process", pid), ("path", 0, f"/proc/{pid}/ns/net"))
    yield from unreadable(errors, PROCESSES, INSIDE)
