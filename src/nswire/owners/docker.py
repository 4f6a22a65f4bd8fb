"""Docker: /var/lib/docker/containers/*/config.v2.json, which is there with the engine up, hung or stopped.

Where these files may not be read (a plain user in the group `docker`), the engine's socket is asked instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from nswire.host.system import Refusal
from nswire.owners.asked import AWKWARD, files, number, readable, text, unreadable
from nswire.owners.engine import Engine, Named, cgroup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.values import Gap, Pairs
    from nswire.owners.owner import Asking

FOLDERS = ("var/lib/docker", "var/snap/docker/common/var-lib-docker")
CONFIG = "etc/docker/daemon.json"
PROJECT, SERVICE = "com.docker.compose.project", "com.docker.compose.service"
KEYS = (
    "ID",
    "Name",
    "State/Running",
    "State/Pid",
    "NetworkSettings/SandboxKey",
    f"Config/Labels/{PROJECT}",
    f"Config/Labels/{SERVICE}",
)
SOCKET, LIST = "run/docker.sock", "/containers/json"
LISTED = ("Id", "Names", f"Labels/{PROJECT}", f"Labels/{SERVICE}")


def find(asking: Asking) -> Iterator[Named | Gap]:
    """The running containers. One whose file says so may have died meanwhile: its pid is looked at by whoever asks."""
    found = [
        one
        for folder in (*FOLDERS, *_moved(asking))
        for one in files(asking, "json", f"{folder}/containers/*/config.v2.json", *KEYS)
    ]
    for _, said in found:
        if readable(said) and said.get("State/Running") and text(said.get("ID")):
            yield Named(
                text(said["ID"]),
                text(said.get("Name")).removeprefix("/"),
                number(said.get("State/Pid")),
                text(said.get("NetworkSettings/SandboxKey")),
                data=_compose(said, "Config/Labels"),
            )
    yield from unreadable(found, "names of Docker's containers")
    if not found:
        yield from _by_socket(asking)


def _moved(asking: Asking) -> Iterator[str]:
    """Where the administrator put Docker's data, if he did."""
    for _, said in files(asking, "json", CONFIG, "data-root"):
        folder = text(said.get("data-root")) if readable(said) else ""
        if folder.startswith("/") and AWKWARD.isdisjoint(folder):
            yield folder.lstrip("/")


def _by_socket(asking: Asking) -> Iterator[Named]:
    answer = asking.host(f"http/{SOCKET}|{LIST}|{'&'.join(LISTED)}")
    if isinstance(answer, Refusal):
        return
    try:
        listed = msgspec.json.decode(answer, type=list[dict[str, Any]])
    except msgspec.DecodeError:
        return
    for said in listed:
        names = said.get("Names")
        name = text(names[0]) if isinstance(names, list) and names else ""
        if text(said.get("Id")):
            yield Named(text(said["Id"]), name.removeprefix("/"), data=_compose(said, "Labels"))


def _compose(said: dict[str, Any], labels: str) -> Pairs:
    project, service = (text(said.get(f"{labels}/{label}")) for label in (PROJECT, SERVICE))
    return (*((("compose", project),) if project else ()), *((("service", service),) if service else ()))


ENGINE = Engine("docker", cgroup(r"docker[-/]ID(?:\.scope)?"), find)
