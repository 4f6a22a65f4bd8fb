"""Podman, rootful by /var/lib/containers/storage, rootless by its conmon's command line.

A rootless one keeps its files in a user's folder, where nothing is read as root; but conmon, the parent of each container,
has id and name among its words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.owners.engine import Engine, Named, Pod
from nswire.owners.state_files import (
    documents,
    folder_of,
    lists,
    number,
    part,
    readable,
    text,
    unreadable,
    unseen,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.host.client import Client
    from nswire.model.gaps import Gap

INFRA = "-infra"  # what holds a pod's namespace is called after the pod's id
CONFIG, STORAGE = "etc/containers/storage.conf", "var/lib/containers/storage"
HOSTNAMES = "run/containers/storage/*-containers/*/userdata/hostname"
PIDS = "run/containers/storage/*-containers/*/userdata/pidfile"
NAMES_UNREAD = unseen("podman.names", "names of Podman's containers")


def find(client: Client) -> Iterator[Named | Gap]:
    """The containers that storage knows; those that do not run have no pid file with a live process."""
    found = [
        one
        for folder in dict.fromkeys((STORAGE, *_moved(client)))
        for one in lists(client, "json", f"{folder}/*-containers/containers.json", "id", "names")
    ]
    pids = pidfiles(client)
    hostnames: dict[str, str] | None = None
    for _, listed in found:
        for said in listed if isinstance(listed, list) else ():
            names = said.get("names")
            name = text(names[0]) if isinstance(names, list) and names else ""
            if text(said.get("id")):
                number_, infra = said["id"], name.endswith(INFRA)
                if infra and hostnames is None:
                    hostnames = {part(path, -3): said for path, said in words(client, HOSTNAMES)}
                pod = _pod((hostnames or {}).get(number_, ""), name) if infra else None
                yield Named(number_, name, pids.get(number_, 0), pod=pod, sandbox=infra)
    yield from unreadable(found, NAMES_UNREAD)


def _pod(hostname: str, name: str) -> Pod | None:
    """The pod that an infra container holds: its name is the host name in there, unless that was set; its id begins the container's name.

    Podman keeps the name itself in a database of its own.
    """
    return Pod("", hostname, name.removesuffix(INFRA), "podman") if hostname else None


def pidfiles(client: Client) -> dict[str, int]:
    """The pids that conmon wrote, by container: that of Podman or that of CRI-O, who share a folder."""
    return {part(path, -3): number(said) for path, said in words(client, PIDS)}


def _moved(client: Client) -> Iterator[str]:
    """Where the administrator put the storage, if he did."""
    for _, said in documents(client, "settings", CONFIG, "graphroot"):
        yield from folder_of(text(said.get("graphroot")) if readable(said) else "")


ENGINE = Engine("podman", ("libpod",), (), find)
