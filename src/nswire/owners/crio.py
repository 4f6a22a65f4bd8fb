"""CRI-O: /run/containers/storage/overlay-containers/ID/userdata/config.json has the pod's names as annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.owners.asked import files, readable, text
from nswire.owners.engine import Engine, Named, Pod, cgroup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.values import Gap
    from nswire.owners.owner import Asking

CONFIGS = "run/containers/storage/*-containers/*/userdata/config.json"
OWN = "annotations/io.kubernetes.cri-o"
NAME, POD, NAMESPACE, UID, TYPE = (
    "annotations/io.kubernetes.container.name",
    "annotations/io.kubernetes.pod.name",
    "annotations/io.kubernetes.pod.namespace",
    "annotations/io.kubernetes.pod.uid",
    f"{OWN}.ContainerType",
)


def find(asking: Asking) -> Iterator[Named | Gap]:
    """The containers of pods; Podman's, which keeps such files in the same folder, have no such annotations."""
    for path, said in files(asking, "json", CONFIGS, NAME, POD, NAMESPACE, UID, TYPE):
        if not readable(said) or not said.get(TYPE):
            continue
        pod = Pod(text(said.get(NAMESPACE)), text(said.get(POD)), text(said.get(UID)))
        yield Named(path.split("/")[-3], text(said.get(NAME)), pod=pod, sandbox=said.get(TYPE) == "sandbox")


ENGINE = Engine("cri-o", cgroup(r"crio-ID(?:\.scope)?"), find)
