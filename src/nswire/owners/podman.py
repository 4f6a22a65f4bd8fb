"""Podman, rootful by /var/lib/containers/storage, rootless by its conmon's command line.

A rootless one keeps its files in a user's folder, where nothing is read as root; but conmon, the parent of each container,
has id and name among its words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.owners.asked import AWKWARD, files, readable, text, unreadable
from nswire.owners.engine import Engine, Named, cgroup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.values import Gap
    from nswire.owners.owner import Asking

INFRA = "-infra"  # what holds a pod's namespace is called after the pod's id
CONFIG, STORAGE = "etc/containers/storage.conf", "var/lib/containers/storage"
PIDS = "run/containers/storage/*-containers/*/userdata/pidfile"


def find(asking: Asking) -> Iterator[Named | Gap]:
    """The containers that storage knows; those that do not run have no pid file with a live process."""
    found = [
        one
        for folder in dict.fromkeys((STORAGE, *_moved(asking)))
        for one in files(asking, "json", f"{folder}/*-containers/containers.json", "id", "names")
    ]
    pids = {path.split("/")[-3]: said for path, said in files(asking, "word", PIDS) if isinstance(said, str)}
    for _, listed in found:
        for said in listed if isinstance(listed, list) else ():
            names = said.get("names")
            name = text(names[0]) if isinstance(names, list) and names else ""
            number = text(said.get("id"))
            if number:
                pid = pids.get(number, "")
                infra = name.endswith(INFRA)
                yield Named(number, name, int(pid) if pid.isdigit() else 0, sandbox=infra)
    yield from unreadable([one for one in found if not readable(one[1])], "names of Podman's containers")


def _moved(asking: Asking) -> Iterator[str]:
    """Where the administrator put the storage, if he did."""
    for _, said in files(asking, "settings", CONFIG, "graphroot"):
        folder = text(said.get("graphroot")) if readable(said) else ""
        if folder.startswith("/") and AWKWARD.isdisjoint(folder):
            yield folder.lstrip("/")


ENGINE = Engine("podman", cgroup(r"libpod-ID(?:\.scope)?", r"libpod_parent/libpod-ID"), find)
