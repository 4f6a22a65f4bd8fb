"""Podman as root: netavark, a pod with a published port, the API's socket; the storage elsewhere, as its configuration says."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from .place import IMAGE, SECRET, below, end, kill, running
from .truth import HOME, Engine, Row, Truth, inode, veths

if TYPE_CHECKING:
    from .place import Place

API = "/run/podman/podman.sock"
# runc: crun refuses machines whose cgroups are "hybrid"
SETTINGS = """[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
"""
NEEDS = (
    "podman",
    "runc",
    "conmon",
    "/usr/lib/podman/netavark",
    "/usr/lib/podman/aardvark-dns",
    "iptables",
    "busybox",
)


def start(place: Place) -> Engine:
    """A user network, two in one namespace, a pod, the host's network, none."""
    for folder in ("/etc/containers", os.path.dirname(API)):
        Path(folder).mkdir(exist_ok=True)
    storage = f'[storage]\ndriver = "vfs"\ngraphroot = "{place.folder}/podman"\nrunroot = "/run/containers/storage"\n'
    Path("/etc/containers/storage.conf").write_text(storage)
    Path("/etc/containers/containers.conf").write_text(SETTINGS)
    place.run("podman", "load", "-q", "-i", str(place.image()))
    place.undo(lambda: kill(monitors()))
    place.run("podman", "network", "create", "--subnet", "172.31.0.0/24", "shop")

    def container(name: str, *options: str) -> None:
        place.run("podman", "run", "-d", "--name", name, "-e", f"PASSWORD={SECRET}", *options, IMAGE)

    container("db1", "--network", "shop")
    container("db2", "--network", "shop")
    container("exporter", "--network", "container:db1")
    container("agent", "--network", "host")
    container("batch", "--network", "none")
    place.run("podman", "pod", "create", "--name", "cart", "--infra-image", IMAGE, "-p", "127.0.0.1:18081:80")
    container("cart-app", "--pod", "cart")
    place.run("podman", "create", "--name", "never", IMAGE)
    daemon = place.daemon(
        "podman", "system", "service", "--time", "0", f"unix://{API}", until=lambda: os.path.exists(API)
    )
    listed = json.loads(place.run("podman", "ps", "-a", "--format", "json"))
    truths = [*truths_of(listed), *_pods(listed)]
    version = place.run("podman", "version", "-f", "{{.Client.Version}}").strip()
    return Engine("podman", version, truths, [daemon.pid, *running("conmon")], lambda: end(daemon))


def truths_of(listed: list[dict[str, object]]) -> list[Truth]:
    """What `podman ps` says of its containers, but for those that hold a pod's namespace or do not run."""
    found = []
    for said in listed:
        name, pid = str(said["Names"][0]), int(str(said["Pid"]))  # type: ignore[index]
        if said["IsInfra"] or not pid:
            continue
        ns = inode(pid)
        assert (ns == HOME) == (name == "agent")
        peers = {} if ns == HOME else veths(pid)
        assert bool(peers) == (name not in ("agent", "batch"))
        also = (str(said["Id"])[:12],)
        ports = ("tcp:18081", ":18081") if name == "cart-app" else ()
        found.append(
            Truth(
                f"container:{name}",
                "container",
                name,
                "podman",
                ns,
                ns == HOME,
                peers,
                also=also,
                ports=ports,
            )
        )
    return found


def _pods(listed: list[dict[str, object]]) -> list[Truth]:
    """The pods, by the containers that hold their namespaces."""
    found = []
    for said in listed:
        if said["IsInfra"]:
            pid, pod = int(str(said["Pid"])), str(said["Pod"])
            also = (f"pod:{pod[:8]}", f"pod:{pod}", f"container:{said['Names'][0]}", "cart")  # type: ignore[index]
            found.append(
                Truth(
                    "pod:cart", "pod", "cart", "podman", inode(pid), peers=veths(pid), also=also, id=pod[:12]
                )
            )
    return found


def monitors() -> list[int]:
    """Every conmon, and what it watches."""
    return [one for pid in running("conmon") for one in below(pid)]


ROW = Row("podman", NEEDS, start, ("libpod_parent",))
