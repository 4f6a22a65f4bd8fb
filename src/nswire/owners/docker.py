"""Docker: /var/lib/docker/containers/*/config.v2.json, which is there with the engine up, hung or stopped.

Only where files may not be read (a plain user in the group `docker`) the engine's socket is asked instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nswire.codec.checked import document
from nswire.host.system import Refusal
from nswire.owners.engine import Engine, Named, Pod
from nswire.owners.port_mappings import published, told
from nswire.owners.state_files import documents, folder_of, number, part, readable, text, unreadable, unseen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.host.client import Client
    from nswire.model.gaps import Gap
    from nswire.model.values import Published

FOLDERS = ("var/lib/docker", "var/snap/docker/common/var-lib-docker")
CONFIG = "etc/docker/daemon.json"
# Where containerd, which dockerd may have started itself, keeps what runs for Docker.
TASKS = tuple(
    f"{folder}/io.containerd.runtime.v2.task/moby/*/config.json"
    for folder in ("run/docker/containerd/daemon", "run/containerd")
)
SHARED = (
    "/var/run/docker/netns/default",
    "/run/docker/netns/default",
)  # the sandbox of all that use the host's network
KUBERNETES = "io.kubernetes"  # what dockershim and cri-dockerd start
LABELS = {
    "com.docker.compose.project": "compose",
    "com.docker.compose.service": "service",
    "containerlab": "lab",
    "clab-node-name": "node",
    f"{KUBERNETES}.pod.namespace": "",
    f"{KUBERNETES}.pod.name": "",
    f"{KUBERNETES}.pod.uid": "",
    f"{KUBERNETES}.container.name": "",
    f"{KUBERNETES}.docker.type": "",
}
KEYS = (
    "ID",
    "Name",
    "State/Running",
    "State/Pid",
    "NetworkSettings/SandboxKey",
    "NetworkSettings/Ports",
    "Config/Hostname",
    *(f"Config/Labels/{label}" for label in LABELS),
)
SOCKET, LIST = "run/docker.sock", "/containers/json"
LISTED = ("Id", "Names", "Ports", *(f"Labels/{label}" for label in LABELS))
NAMES_UNREAD = unseen("docker.names", "names of Docker's containers")


def find(client: Client) -> Iterator[Named | Gap]:
    """The running containers. One whose file says so may have died meanwhile: its pid is looked at by whoever asks."""
    looked = found = [one for folder in (*FOLDERS, *_configured(client)) for one in _in(client, folder)]
    if not found:
        tasks = [one for pattern in TASKS for one in documents(client, "json", pattern, "mounts")]
        found = [one for folder in _mounted(tasks) for one in _in(client, folder)]
        looked = [*tasks, *found]
    for _, said in found:
        if readable(said) and said.get("State/Running") and text(said.get("ID")):
            yield _named(said, "Config/Labels", text(said["ID"]), text(said.get("Name")), _ports(said))
    gaps = list(unreadable(looked, NAMES_UNREAD))
    yield from (list(_by_socket(client)) if gaps else []) or gaps


def _in(client: Client, folder: str) -> list[tuple[str, dict[str, Any]]]:
    return documents(client, "json", f"{folder}/containers/*/config.v2.json", *KEYS)


def _configured(client: Client) -> Iterator[str]:
    """Where the administrator put Docker's data, if he did."""
    for _, said in documents(client, "json", CONFIG, "data-root"):
        yield from folder_of(text(said.get("data-root")) if readable(said) else "")


def _mounted(tasks: list[tuple[str, dict[str, Any]]]) -> dict[str, None]:
    """The same, where only dockerd's command line says it: what its containers have for /etc/hosts lies there."""
    folders: dict[str, None] = {}
    for path, said in tasks:
        mounts = said.get("mounts") if readable(said) else None
        for mount in mounts if isinstance(mounts, list) else ():
            source = text(mount.get("source")) if isinstance(mount, dict) else ""
            folder, found, _ = source.partition(f"/containers/{part(path, -2)}/")
            if found:
                folders.update(dict.fromkeys(folder_of(folder)))
    return folders


def _named(said: dict[str, Any], labels: str, number_: str, name: str, ports: tuple[Published, ...]) -> Named:
    label = {key: text(said.get(f"{labels}/{key}")) for key in LABELS}
    data = tuple((word, label[key]) for key, word in LABELS.items() if word and label[key])
    pod, container = label[f"{KUBERNETES}.pod.name"], label[f"{KUBERNETES}.container.name"]
    hostname, sandbox = text(said.get("Config/Hostname")), text(said.get("NetworkSettings/SandboxKey"))
    shares = sandbox in SHARED or not sandbox  # then that is the other's, or the host's
    if hostname and not shares and not number_.startswith(hostname) and hostname != name.removeprefix("/"):
        data = (*data, ("hostname", hostname))
    return Named(
        number_,
        container or name.removeprefix("/"),
        number(said.get("State/Pid")),
        sandbox,
        Pod(label[f"{KUBERNETES}.pod.namespace"], pod, label[f"{KUBERNETES}.pod.uid"]) if pod else None,
        sandbox=label[f"{KUBERNETES}.docker.type"] == "podsandbox",
        data=(*data, *told(ports)),
        published=ports,
    )


def _ports(said: dict[str, Any]) -> tuple[Published, ...]:
    """{"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "443/tcp": null}."""
    ports = said.get("NetworkSettings/Ports")
    return published(
        (
            text(one.get("HostIp")),
            number(one.get("HostPort")),
            number(inside.partition("/")[0]),
            inside.rpartition("/")[2],
        )
        for inside, outside in (ports.items() if isinstance(ports, dict) else ())
        for one in (outside if isinstance(outside, list) else ())
        if isinstance(one, dict)
    )


def _by_socket(client: Client) -> Iterator[Named]:
    answer = client.host(f"http/{SOCKET}|{LIST}|{'&'.join(LISTED)}")
    if isinstance(answer, Refusal):
        return
    try:
        listed = document(answer, list[dict[str, Any]])
    except ValueError:
        return
    for said in listed:
        names, ports = said.get("Names"), said.get("Ports")
        name = text(names[0]) if isinstance(names, list) and names else ""
        found = [
            (
                text(one.get("IP")),
                number(one.get("PublicPort")),
                number(one.get("PrivatePort")),
                text(one.get("Type")),
            )
            for one in (ports if isinstance(ports, list) else ())
            if isinstance(one, dict)
        ]
        if text(said.get("Id")):
            yield _named(said, "Labels", text(said["Id"]), name, published(found))


ENGINE = Engine("docker", ("docker",), ("docker",), find)
