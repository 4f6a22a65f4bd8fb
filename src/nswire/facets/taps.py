"""Who serves a tun, tap or macvtap link: the processes that have its device open.

/proc/PID/fdinfo tells the link's name, which follows a rename and a move, and TUNGETDEVNETNS the namespace that it is in:
both by the kernel. A macvtap descriptor tells name and MAC, and its device is called after the ifindex; none of them the
namespace. A link that nobody serves is persistent, or its server cannot be seen.
"""

from __future__ import annotations

from collections import Counter
from errno import ETIMEDOUT
from typing import TYPE_CHECKING

from nswire.codec import procfs
from nswire.facets.facet import Detail, Facet
from nswire.host.failures import OF_THE_HOST, refusal
from nswire.host.system import Refusal
from nswire.model.gaps import HOST, TRACE_ALL, Gap, Unseen, counted, silent
from nswire.model.values import End, Evidence, Far, Loose, Wire

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from nswire.codec.procfs import TapRow
    from nswire.host.client import Client
    from nswire.model.facts import Facts
    from nswire.model.values import LinkFact, NsKey

TUN = ("tun",)
TAPS = ("macvtap", "ipvtap")
Proof = tuple[Evidence, str]
"""How sure it is that a descriptor serves a link, and by whose word."""
BY_TUN: Proof = ("proved", "TUNGETDEVNETNS and fdinfo")
BY_TAP: Proof = ("inferred", "its device's number, name and MAC")
BY_NAME: Proof = ("inferred", "its name, in fdinfo")
SERVERS = Unseen("host.taps", "the processes that serve taps")
SERVING = Unseen("process.tap", "whether they serve a tun or tap link", TRACE_ALL)


def ask(client: Client, _: Collection[End]) -> Iterator[Wire | Loose | Detail | Gap]:
    """One wire for each process that serves a link, with the numbers of its descriptors."""
    answer = client.host("taps")
    if isinstance(answer, Refusal):
        yield SERVERS(HOST, *refusal(answer.errno, OF_THE_HOST))
        return
    rows = list(procfs.taps(answer))
    vhost = {row.pid for row in rows if row.vhost}
    processes = _namespaces_of_processes(client.facts)
    served: dict[tuple[End, int, Proof], list[int]] = {}
    for row in rows:
        for end, proof in _link_of(client.facts, row):
            served.setdefault((end, row.pid, proof), []).append(row.fd)
    for (end, pid, (evidence, said_by)), fds in served.items():
        data = (("fd", " ".join(map(str, sorted(fds)))), *((("vhost", True),) if pid in vhost else ()))
        far = Far("process", _comm(client, pid), processes.get(pid), pid, data)
        yield Wire("tap", end, None, evidence, said_by, far)
    yield from _unseen(rows)


def _comm(client: Client, pid: int) -> str:
    answer = client.host(f"comm/{pid}")
    return answer.decode("utf-8", "surrogateescape") if isinstance(answer, bytes) else ""


def _namespaces_of_processes(facts: Facts) -> dict[int, NsKey]:
    return {
        holder.pid: ns
        for ns, holders in facts.holders.items()
        for holder in holders
        if holder.type == "process"
    }


def _link_of(facts: Facts, row: TapRow) -> Iterable[tuple[End, Proof]]:
    """The link that a descriptor serves: none if it is not there (any more), or not to be told from others."""
    if row.vhost or row.fd < 0:
        return ()
    if row.net > 0:
        found = [end for end, _ in _links(facts, TUN, row.name, row.net)]
        return [(end, BY_TUN) for end in found]
    if row.ifindex:
        fits = [
            end
            for end, link in _links(facts, TAPS, row.name)
            if (link.ifindex, link.address) == (row.ifindex, row.mac)
        ]
        return [(end, BY_TAP) for end in fits] if len(fits) == 1 else ()
    named = [end for end, _ in _links(facts, TUN, row.name)]
    return [(end, BY_NAME) for end in named] if len(named) == 1 else ()


def _links(
    facts: Facts, kinds: tuple[str, ...], name: str, ns: NsKey | None = None
) -> Iterator[tuple[End, LinkFact]]:
    for key in facts.links if ns is None else (ns,):
        for link in facts.links.get(key, {}).values():
            if link.kind in kinds and link.ifname == name:
                yield End(key, link.ifindex), link


def _unseen(rows: Iterable[TapRow]) -> Iterator[Gap]:
    unseen = [row for row in rows if row.net < 0 and row.fd < 0]
    for row in unseen:
        if row.net == -ETIMEDOUT:
            yield silent(SERVING, row.pid)
    refused = Counter(-row.net for row in unseen if row.net != -ETIMEDOUT)
    for errno, count in sorted(refused.items()):
        yield SERVING(counted(count, "process", "processes"), *refusal(errno))


FACET = Facet("taps", lambda link: link.kind in (*TUN, *TAPS), ask, wires=("tap",), scope="host")
