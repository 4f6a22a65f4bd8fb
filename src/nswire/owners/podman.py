"""Podman, rootful by /var/lib/containers/storage, rootless by its conmon's command line.

A rootless one keeps its files in a user's folder, where nothing is read as root; but conmon, the parent of each container,
has id and name among its words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.owners.asked import documents, folder_of, lists, number, part, readable, text, unreadable, words
from nswire.owners.engine import Engine, Named

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
        for one in lists(asking, "json", f"{folder}/*-containers/containers.json", "id", "names")
    ]
    pids = pidfiles(asking)
    for _, listed in found:
        for said in listed if isinstance(listed, list) else ():
            names = said.get("names")
            name = text(names[0]) if isinstance(names, list) and names else ""
            if text(said.get("id")):
                yield Named(said["id"], name, pids.get(said["id"], 0), sandbox=name.endswith(INFRA))
    yield from unreadable(found, "names of Podman's containers")


def pidfiles(asking: Asking) -> dict[str, int]:
    """The pids that conmon wrote, by container: that of Podman or that of CRI-O, who share a folder."""
    return {part(path, -3): number(said) for path, said in words(asking, PIDS)}


def _moved(asking: Asking) -> Iterator[str]:
    """Where the administrator put the storage, if he did."""
    for _, said in documents(asking, "settings", CONFIG, "graphroot"):
        yield from folder_of(text(said.get("graphroot")) if readable(said) else "")


ENGINE = Engine("podman", ("libpod",), (), find)
