"""Containers: ids from control groups, which are always there, names from whoever knows them.

A container is in the namespace of its processes. That it is the one that an engine's file means is known by its id in the
control group of the process, and not by the pid in the file, which may be somebody else's by now.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from nswire.model.values import Gap, Owner
from nswire.owners import containerd, crio, docker, podman
from nswire.owners.asked import at_home, away, namespace_at, namespaces, process
from nswire.owners.owner import Claim, Source

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nswire.model.values import NsKey
    from nswire.owners.engine import Engine, Named, Pod
    from nswire.owners.owner import Asking

ENGINES: tuple[Engine, ...] = (docker.ENGINE, podman.ENGINE, crio.ENGINE, containerd.ENGINE)
SHORT = 12  # digits of an id that stands for a name, as engines show it
POD_UID = re.compile(r"pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12})")
CONMON = "conmon"


class Seen(NamedTuple):
    """A container of which processes were seen: by which engine, the oldest of them, and where that is."""

    id: str
    by: str
    pid: int
    ns: NsKey | None
    cgroup: str


def find(asking: Asking, _: Collection[NsKey]) -> Iterator[Claim | Gap]:
    """The containers and pods of all engines."""
    places = namespaces(asking)
    seen = {one.id: one for one in _seen(away(asking), places)}
    named: dict[str, tuple[Engine, Named]] = {}
    for engine in ENGINES:
        for said in engine.find(asking):
            if isinstance(said, Gap):
                yield said
            else:
                named.setdefault(said.id, (engine, said))
    pods: dict[tuple[NsKey | None, Pod], None] = {}
    if any(number not in seen and not said.pid for number, (_, said) in named.items()):
        # some may be in the host's own namespace, and nobody says by which process
        home = {one.id: one for one in _seen(at_home(asking), places)}
        seen |= {number: one for number, one in home.items() if number in named and number not in seen}
    for number, (engine, said) in named.items():
        there = seen.pop(number, None) or _by_pid(asking, engine, said)
        ns, pid = (None, said.pid) if there is None else (there.ns, there.pid)
        if there is None and said.path:
            ns = namespace_at(asking, said.path)
        if there is None and ns is None:
            continue  # its file says that it runs, but nothing of it does
        if said.pod is not None:
            pods[ns, said.pod] = None
        if not said.sandbox:
            name = said.name or number[:SHORT]
            yield _claim(asking, Owner("container", name, number, engine.name, pid or None, said.data), ns)
    for one in seen.values():
        name = _by_conmon(asking, one) or one.id[:SHORT]
        yield _claim(asking, Owner("container", name, one.id, one.by, one.pid), one.ns)
    yield from _pods(asking, pods, seen.values())


def _seen(processes: list[tuple[int, str]], places: dict[int, NsKey]) -> Iterator[Seen]:
    """The containers that processes are in, the oldest process of each last."""
    for pid, path in reversed(processes):
        for engine in ENGINES:
            match = _last(engine, path)
            if match:
                yield Seen(match, engine.name, pid, places.get(pid), path)
                break


def _last(engine: Engine, path: str) -> str:
    """The innermost id in a path: an engine may run inside of another one's container."""
    found = ""
    for match in engine.cgroup.finditer(path):
        found = next((group for group in match.groups() if group), found)
    return found


def _by_pid(asking: Asking, engine: Engine, said: Named) -> Seen | None:
    """A container in the host's own namespace, which is in no list of those that are away: by its pid, if that is still it."""
    if not said.pid:
        return None
    there = process(asking, said.pid)
    if there is None or said.id not in there.cgroup:
        return None
    return Seen(said.id, engine.name, said.pid, there.ns or None, there.cgroup)


def _by_conmon(asking: Asking, one: Seen) -> str:
    """The name that conmon, the parent of a container of Podman or CRI-O, was given for it."""
    child = process(asking, one.pid)
    parent = None if child is None else process(asking, child.ppid)
    if parent is None or parent.comm != CONMON or parent.option("-c", "--cid") != one.id:
        return ""
    return parent.option("-n", "--name")


def _claim(asking: Asking, owner: Owner, ns: NsKey | None) -> Claim:
    return Claim(owner, None if ns == asking.facts.home else ns)


def _pods(
    asking: Asking, known: dict[tuple[NsKey | None, Pod], None], unnamed: Collection[Seen]
) -> Iterator[Claim]:
    """Pods by name; those of containers that nobody names, by the uid in their control group."""
    for ns, pod in known:
        yield _claim(asking, Owner("pod", f"{pod.namespace}/{pod.name}", pod.uid, "kubernetes"), ns)
    uids = {pod.uid for _, pod in known}
    for one in unnamed:
        match = POD_UID.search(one.cgroup)
        uid = match[1].replace("_", "-") if match else ""
        if uid and uid not in uids:
            uids.add(uid)
            yield _claim(asking, Owner("pod", uid, uid, "kubernetes", one.pid), one.ns)


SOURCE = Source("containers", find)
