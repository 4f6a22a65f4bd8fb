"""containerd: /run/containerd/.../NAMESPACE/ID, with what CRI, nerdctl and others wrote beside; a kubelet's pods among it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nswire.owners.engine import Engine, Named, Pod
from nswire.owners.state_files import documents, number, part, readable, text, unreadable, unseen, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.host.client import Client
    from nswire.model.gaps import Gap

TASKS = "run/containerd/io.containerd.runtime.v2.task/*/*"
CRI = "io.kubernetes.cri"
KEYS = tuple(
    f"annotations/{CRI}.{name}"
    for name in ("container-type", "container-name", "sandbox-name", "sandbox-namespace", "sandbox-uid")
)
NERDCTL = "annotations/nerdctl~1name"
NAMESPACES = "linux/namespaces"
MOBY = "moby"  # Docker's own containers: Docker knows them better
NAMES_UNREAD = unseen("containerd.names", "names of containerd's containers")


def find(client: Client) -> Iterator[Named | Gap]:
    """The tasks that containerd's shims run. What a client calls a container is in its annotations, if anywhere."""
    pids = {path.rpartition("/")[0]: number(said) for path, said in words(client, f"{TASKS}/init.pid")}
    found = documents(client, "json", f"{TASKS}/config.json", *KEYS, NERDCTL, NAMESPACES)
    names = _nerdctl(client)
    for path, said in found:
        space, task = part(path, -3), part(path, -2)
        if space == MOBY or not task or not readable(said):
            continue
        container, pod = _cri(said)
        yield Named(
            task,
            container or text(said.get(NERDCTL)) or names.get(task, "") or task,
            pids.get(path.rpartition("/")[0], 0),
            _path(said),
            pod,
            sandbox=said.get(f"annotations/{CRI}.container-type") == "sandbox",
            data=(("namespace", space),),
        )
    yield from unreadable(found, NAMES_UNREAD)


def _cri(said: dict[str, Any]) -> tuple[str, Pod | None]:
    name, pod, namespace, uid = (text(said.get(key)) for key in KEYS[1:])
    return name, Pod(namespace, pod, uid) if pod else None


def _path(said: dict[str, Any]) -> str:
    """The network namespace that the container was to join; empty: one of its own."""
    namespaces = said.get(NAMESPACES)
    for one in namespaces if isinstance(namespaces, list) else ():
        if isinstance(one, dict) and one.get("type") == "network":
            return text(one.get("path"))
    return ""


def _nerdctl(client: Client) -> dict[str, str]:
    """Nerdctl keeps a file for each name, with the id in it."""
    return {said: part(path, -1) for path, said in words(client, "var/lib/nerdctl/*/names/*/*")}


ENGINE = Engine("containerd", ("cri-containerd", "nerdctl"), ("k8s.io",), find)
