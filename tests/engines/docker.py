"""Docker: dockerd with the default socket, so that a tool finds what it finds on a real machine; its data elsewhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .place import IMAGE, SECRET, below, kill, running
from .truth import HOME, Engine, Row, Truth, at, inode, veths

if TYPE_CHECKING:
    import subprocess

    from .place import Place

CLIENT = "/usr/bin/docker"  # another one may come first in PATH, and know other defaults
SOCKET = "/run/docker.sock"
NEEDS = ("dockerd", CLIENT, "iptables", "busybox")
COMPOSE = ("--label", "com.docker.compose.project=shop", "--label", "com.docker.compose.service=front")


def serve(place: Place) -> tuple[subprocess.Popen[bytes], tuple[str, ...]]:
    """The engine, with the image, and how to call its client."""
    daemon = place.daemon(
        "/usr/sbin/dockerd",
        *("--data-root", str(place.folder / "docker"), "--storage-driver", "vfs", "-H", f"unix://{SOCKET}"),
        until=place.answers(CLIENT, "-H", f"unix://{SOCKET}", "version"),
    )
    place.undo(lambda: kill(_shims()))
    client = (CLIENT, "-H", f"unix://{SOCKET}")
    place.run(*client, "load", "-q", "-i", str(place.image()))
    return daemon, client


def start(place: Place) -> Engine:
    """A user network, two in one namespace, macvlan, two networks with a published port, host, none."""
    daemon, client = serve(place)
    place.run(*client, "network", "create", "--subnet", "172.30.0.0/24", "backend")
    place.run(
        *client, "network", "create", "-d", "macvlan", "--subnet", "10.77.0.0/24", "-o", "parent=ext0", "lan"
    )

    def container(name: str, *options: str) -> None:
        place.run(*client, "run", "-d", "--name", name, "-e", f"PASSWORD={SECRET}", *options, IMAGE)

    container("web1", "--network", "backend", *COMPOSE)
    container("web2", "--network", "backend", "--hostname", "second")
    container("sidecar", "--network", "container:web1")
    container("edge", "--network", "lan")
    container("front", "-p", "127.0.0.1:18080:80")
    place.run(*client, "network", "connect", "backend", "front")
    container("agent", "--network", "host")
    container("batch", "--network", "none")
    truths = _truths(place, client)

    def stop() -> None:
        kill(below(daemon.pid))

    return Engine("docker", version(place, client), truths, below(daemon.pid), stop, group="docker")


def version(place: Place, client: tuple[str, ...]) -> str:
    """Of the daemon."""
    said: str = json.loads(place.run(*client, "version", "-f", "{{json .Server.Version}}"))
    return said


def _shims() -> list[int]:
    """Containers outlive their engine: their shims, and what these started."""
    return [one for pid in running("containerd-shim-runc-v2") for one in below(pid)]


def _truths(place: Place, client: tuple[str, ...]) -> list[Truth]:
    names = place.run(*client, "ps", "-q", "--no-trunc").split()
    found = []
    for said in json.loads(place.run(*client, "inspect", *names)):
        name, pid = said["Name"].removeprefix("/"), said["State"]["Pid"]
        ns = inode(pid)
        assert (ns == HOME) == (name == "agent")
        published = {"publishes": "127.0.0.1:18080->80/tcp"} if name == "front" else {}
        composed = {"compose": "shop", "service": "front"} if name == "web1" else {}
        found.append(
            Truth(
                f"container:{name}",
                "container",
                name,
                "docker",
                ns,
                shares=ns == HOME,
                peers=veths(pid) if ns != HOME else {},
                lowers={at(pid, "eth0"): "ext0"} if name == "edge" else {},
                data=published | composed | ({"hostname": "second"} if name == "web2" else {}),
                also=(
                    said["Id"][:12],
                    f"container:{said['Id'][:7]}",
                    *(("second",) if name == "web2" else ()),
                    *(("tcp:18080", ":18080") if name == "front" else ()),
                ),
            )
        )
    return found


ROW = Row("docker", NEEDS, start, ("docker",))
