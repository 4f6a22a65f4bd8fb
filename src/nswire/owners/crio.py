"""CRI-O: /run/containers/storage/overlay-containers/ID/userdata/config.json has the pod's names as annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.owners.engine import Engine, Named, Pod
from nswire.owners.podman import pidfiles
from nswire.owners.state_files import documents, part, readable, text, unreadable, unseen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.host.client import Client
    from nswire.model.gaps import Gap

CONFIGS = "run/containers/storage/*-containers/*/userdata/config.json"
OWN = "annotations/io.kubernetes.cri-o"
NAME, POD, NAMESPACE, UID, TYPE = (
    "annotations/io.kubernetes.container.name",
    "annotations/io.kubernetes.pod.name",
    "annotations/io.kubernetes.pod.namespace",
    "annotations/io.kubernetes.pod.uid",
    f"{OWN}.ContainerType",
)
NAMES_UNREAD = unseen("crio.names", "names of CRI-O's and Podman's containers")


def find(client: Client) -> Iterator[Named | Gap]:
    """The containers of pods; Podman's, which keeps such files in the same folder, have no such annotations."""
    found = documents(client, "json", CONFIGS, NAME, POD, NAMESPACE, UID, TYPE)
    pids = pidfiles(client) if found else {}
    for path, said in found:
        if not readable(said) or not said.get(TYPE):
            continue
        number = part(path, -3)
        pod = Pod(text(said.get(NAMESPACE)), text(said.get(POD)), text(said.get(UID)))
        sandbox = said.get(TYPE) == "sandbox"
        yield Named(number, text(said.get(NAME)), pids.get(number, 0), pod=pod, sandbox=sandbox)
    yield from unreadable(found, NAMES_UNREAD)


ENGINE = Engine("cri-o", ("crio",), (), find)
