"""/proc/PID/ns/net of every process."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nswire.codec import about, procfs
from nswire.model.values import Gap, Holder
from nswire.sources.found import Found, ask, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.host.system import System

FIRST = 1  # there is always a first process, in any pid namespace; who does not see it sees little
NOTHING_HIDDEN = ("", "0", "off")


def find(system: System) -> Iterator[Found | Gap]:
    """The namespaces that processes are in. nswire itself is left out: it holds nothing that was not there before."""
    me = about.decode(ask(system, "about", "who is asking"))
    rows = list(procfs.processes(ask(system, "processes", "namespaces of processes")))
    if me.hidepid not in NOTHING_HIDDEN and FIRST not in {row.pid for row in rows}:
        yield Gap(
            "processes of other users",
            "the namespaces that they are in",
            f"hidepid={me.hidepid}",
            "run as root",
        )
    errors: Counter[int] = Counter()
    for pid, net, _ in rows:
        if net < 0:
            errors[-net] += 1
        else:
            yield Found(net, Holder("process", pid), ("path", 0, f"/proc/{pid}/ns/net"))
    yield from unreadable(errors, "processes", "the namespaces that they are in")
