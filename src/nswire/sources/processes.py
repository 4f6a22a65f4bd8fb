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

NOTHING_HIDDEN = ("", "0", "off")


def find(system: System) -> Iterator[Found | Gap]:
    """The namespaces that processes are in. nswire itself is left out: it holds nothing that was not there before."""
    me = about.decode(ask(system, "about", "who is asking"))
    if me.uid and me.hidepid not in NOTHING_HIDDEN:
        yield Gap(
            "processes of other users",
            "the namespaces that they are in",
            f"hidepid={me.hidepid}",
            "run as root",
        )
    answer = ask(system, "processes", "namespaces of processes")
    errors: Counter[int] = Counter()
    for pid, net, _ in procfs.processes(answer):
        if net < 0:
            errors[-net] += 1
        else:
            yield Found(net, Holder("process", pid), ("path", 0, f"/proc/{pid}/ns/net"))
    yield from unreadable(errors, "processes", "the namespaces that they are in")
