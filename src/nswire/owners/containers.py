"""Containers: ids from control groups, which are always there, names from whoever knows them.

A container is in the namespace of its processes. Which process that is an engine's file says; that it still is, the id in
the control group of the process says, and not the pid alone, which may be somebody else's by now. Nor the control group
alone: whoever may make some of his own can call them after somebody else's container. Without a pid from an engine all
that are called so are told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from nswire.model.gaps import Gap
from nswire.model.values import Owner
from nswire.owners import containerd, crio, docker, podman
from nswire.owners.engine import Pod, is_in, place
from nswire.owners.owner import Claim, Source
from nswire.owners.state_files import as_mounted, at_home, away, files, paths, process, theirs, user

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from nswire.codec.process import Process, Row
    from nswire.host.client import Client
    from nswire.model.values import NsKey, Pairs
    from nswire.owners.engine import Engine, Named, Place

ENGINES: tuple[Engine, ...] = (docker.ENGINE, podman.ENGINE, crio.ENGINE, containerd.ENGINE)
SHORT = 12  # digits of an id that stands for a name, as engines show it
POD_UID = re.compile(  # a static pod's is a hash
    r"pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})(?![0-9a-f])"
)
KUBEPODS = re.compile(r"(?:^|/)kubepods")
USER = re.compile(r"^/user\.slice/user-(\d{1,10})\.slice/")  # systemd's own; what is below may be the user's
CONMON = "conmon"
LOGS = "var/log/pods/*"  # NAMESPACE_NAME_UID, for everybody to read
UNSEEN = (("processes", "none seen"),)


class Seen(NamedTuple):
    """A container of which a process was seen."""

    place: Place
    by: str
    pid: int
    ns: NsKey | None


def find(client: Client, _: Collection[NsKey]) -> Iterator[Claim | Gap]:
    """The containers and pods of all engines."""
    named: dict[str, tuple[str, Named]] = {}
    for engine in ENGINES:
        for said in engine.find(client):
            if isinstance(said, Gap):
                yield said
            else:
                named.setdefault(said.id, (engine.name, said))
    rows = away(client)
    seen = _seen(rows)
    if any(number not in seen and not said.pid for number, (_, said) in named.items()):
        # some may be in the host's own namespace, and nobody says by which process
        seen |= {number: ones for number, ones in _seen(at_home(client)).items() if number in named}
    by_pid = {row.pid: row for row in rows}
    mounted = paths(client)
    pods: dict[tuple[NsKey | None, Pod], Pairs] = {}
    for number, (by, said) in named.items():
        for ns, pid in _where(client, said, by_pid, seen.pop(number, []), mounted):
            if said.pod is not None:
                infra = (("infra", said.name),) if said.sandbox and said.name else ()
                pods[ns, said.pod] = infra or pods.get((ns, said.pod), ())
            if not said.sandbox:
                data = said.data if pid else (*said.data, *UNSEEN)
                name = said.name or number[:SHORT]
                yield Claim(Owner("container", name, number, by, pid, data, said.published), ns)
    left = [one for ones in seen.values() for one in ones if one.by]
    names = {number: said.name for number, (_, said) in named.items()}
    for one in left:
        yield _unnamed(client, one, names)
    yield from _pods(client, pods, left)


def _seen(rows: Iterable[Row]) -> dict[str, list[Seen]]:
    """The containers that processes are in, by id: nearly always one each, by its lowest pid."""
    found: dict[str, Seen] = {}
    for row in rows:
        there = place(row.cgroup)
        if there is not None and there.path not in found:
            found[there.path] = Seen(there, _engine(there), row.pid, row.ns)
    by_id: dict[str, list[Seen]] = {}
    for one in found.values():
        by_id.setdefault(one.place.id, []).append(one)
    return by_id


def _engine(there: Place) -> str:
    """Whose a control group is by its name; empty: it might be anybody's."""
    for engine in ENGINES:
        if there.prefix in engine.prefixes or (not there.prefix and there.folder in engine.folders):
            return engine.name
    return containerd.ENGINE.name if not there.prefix and KUBEPODS.search(there.path) else ""


def _where(
    client: Client,
    said: Named,
    by_pid: Mapping[int, Row],
    seen: Iterable[Seen],
    mounted: Mapping[str, NsKey],
) -> list[tuple[NsKey | None, int | None]]:
    """(namespace, pid) of a container; none if its file says that it runs, but nothing of it does."""
    row: Row | Process | None = by_pid.get(said.pid) or (process(client, said.pid) if said.pid else None)
    if row is not None and is_in(row.cgroup, said.id):
        return [(row.ns or None, said.pid)]
    found: list[tuple[NsKey | None, int | None]] = [(one.ns, one.pid) for one in seen]
    if not found and as_mounted(said.path) in mounted:
        found.append((mounted[as_mounted(said.path)], None))
    return found


def _unnamed(client: Client, one: Seen, names: Mapping[str, str]) -> Claim:
    """A container that no file names: a user's own, or one inside of another one."""
    outer = one.place.around[-1] if one.place.around else ""
    match = USER.match(one.place.path)
    data: Pairs = (("inside", names.get(outer) or outer[:SHORT]),) if outer else ()
    name = one.place.id[:SHORT]
    conmon = None if outer else _conmon(client, one)
    if conmon is not None:
        name = conmon.option("-n", "--name") or name
        data = theirs(client, conmon.uid)
    if match and not data:
        data = (("user", user(client, int(match[1]))),)
    return Claim(Owner("container", name, one.place.id, one.by, one.pid, data), one.ns)


def _conmon(client: Client, one: Seen) -> Process | None:
    """The parent of a container of Podman or CRI-O, which was given its name."""
    child = process(client, one.pid)
    parent = None if child is None else process(client, child.ppid)
    fits = parent is not None and parent.comm == CONMON and parent.option("-c", "--cid") == one.place.id
    return parent if fits else None


def _pods(
    client: Client, known: Mapping[tuple[NsKey | None, Pod], Pairs], unnamed: Iterable[Seen]
) -> Iterator[Claim]:
    """Pods by name; those of containers that nobody names, by the uid in their control group and their folder of logs."""
    uids = set()
    for (ns, pod), data in known.items():
        uids.add(pod.uid)
        name = f"{pod.namespace}/{pod.name}" if pod.namespace else pod.name
        yield Claim(Owner("pod", name, pod.uid, pod.by, data=data), ns)
    logs: dict[str, Pod] | None = None
    for one in unnamed:
        match = POD_UID.search(one.place.path)
        uid = match[1].replace("_", "-") if match else ""
        if uid and uid not in uids:
            uids.add(uid)
            logs = _logs(client) if logs is None else logs
            name = f"{logs[uid].namespace}/{logs[uid].name}" if uid in logs else uid
            yield Claim(Owner("pod", name, uid, "kubernetes", one.pid), one.ns)


def _logs(client: Client) -> dict[str, Pod]:
    """The pods that a kubelet keeps logs of, by their uid."""
    names = (path.rpartition("/")[2].split("_") for path, _ in files(client, "list", LOGS))
    return {words[2]: Pod(*words) for words in names if len(words) == 3}


SOURCE = Source("containers", find)
