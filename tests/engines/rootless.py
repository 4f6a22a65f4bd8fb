"""Podman as a plain user: slirp4netns, a rootless network in a namespace that no process of the host's network leads to."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from .place import IMAGE, PATH, SECRET, below, end, kill, running
from .podman import NEEDS, SETTINGS
from .truth import Engine, Row, There, Truth, at, inode, veths

if TYPE_CHECKING:
    from .place import Place

# Not under /run: the rootless network namespace mounts a /run of its own, and hides it.
PORTS = {"published": ("tcp:18088", ":18088"), "relayed": ("tcp:18089", ":18089")}
USER, HOME = "nswuser", "/var/home"


def start(place: Place) -> Engine:
    """Two by themselves, one of them with a published port, two in a namespace of a rootless network."""
    _user(place)
    image = Path(HOME, "image.tar")
    image.write_bytes(place.image().read_bytes())
    image.chmod(0o644)
    _podman(place, "load", "-q", "-i", str(image))
    place.undo(lambda: kill([*running("slirp4netns"), *running("aardvark-dns"), *_pauses()]))
    place.undo(lambda: kill(one for pid in running("conmon") for one in below(pid)))

    def container(name: str, *options: str) -> None:
        _podman(place, "run", "-d", "--name", name, "-e", f"PASSWORD={SECRET}", *options, IMAGE)

    container("solo")
    _podman(place, "network", "create", "nest")
    container("nested", "--network", "nest")
    container("nested-mate", "--network", "container:nested")
    container("published", "--network", "slirp4netns:port_handler=slirp4netns", "-p", "127.0.0.1:18088:80")
    container("relayed", "--network", "slirp4netns", "-p", "127.0.0.1:18089:80")  # by rootlessport
    truths = _truths(place)
    version = _podman(place, "version", "-f", "{{.Client.Version}}").strip()
    socket = f"{_runtime(place)}/podman.sock"
    words = _as_user(place, "podman", "system", "service", "--time", "0", f"unix://{socket}")
    daemon = place.daemon(*words, until=lambda: os.path.exists(socket))
    daemons = [daemon.pid, *running("conmon"), *running("slirp4netns"), *running("rootlessport")]
    return Engine("podman (rootless)", version, truths, daemons, lambda: end(daemon))


def _user(place: Place) -> None:
    """A user with ids to give away; he exists in the place's own /etc alone."""
    place.run("useradd", "-d", HOME, "-m", "-s", "/bin/sh", USER)
    place.run("usermod", "--add-subuids", "200000-265535", "--add-subgids", "200000-265535", USER)
    settings = f"{HOME}/.config/containers"
    for folder in (_runtime(place), f"{HOME}/.config", settings):
        place.run("install", "-d", "-m", "700", "-o", USER, "-g", USER, folder)
    Path(settings, "storage.conf").write_text('[storage]\ndriver = "vfs"\n')
    Path(settings, "containers.conf").write_text(SETTINGS)
    place.run("mknod", "-m", "666", "/run/tun", "c", "10", "200")
    place.mount("--bind", "/run/tun", "/dev/net/tun")


def _runtime(place: Place) -> str:
    return f"/run/user/{place.run('id', '-u', USER).strip()}"


def _podman(place: Place, *words: str) -> str:
    return place.run(*_as_user(place, "podman", *words))


def _as_user(place: Place, *words: str) -> tuple[str, ...]:
    return (
        *("setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", "--reset-env", "env", "-C", HOME),
        *(f"PATH={PATH}", f"HOME={HOME}", f"XDG_RUNTIME_DIR={_runtime(place)}", *words),
    )


def _pauses() -> list[int]:
    """What holds a user's namespaces between two calls of podman; it calls itself podman, too."""
    return [pid for pid in (*running("podman"), *running("podman pause")) if os.stat(f"/proc/{pid}").st_uid]


def _truths(place: Place) -> list[Truth]:
    inside = _podman(
        place, "unshare", "--rootless-netns", "sh", "-c", "readlink /proc/self/ns/net; ip -j link"
    )
    link, _, links = inside.partition("\n")
    there = There(int(link.removeprefix("net:[").removesuffix("]")), json.loads(links))
    found = []
    for said in json.loads(_podman(place, "ps", "--format", "json")):
        name, pid = said["Names"][0], said["Pid"]
        slirp = {at(pid, "tap0"): server} if (server := _slirp(pid)) else {}
        assert bool(slirp) == (name in ("solo", "published", "relayed"))
        peers = {} if slirp else veths(pid, there)
        found.append(
            Truth(
                f"container:{name}",
                "container",
                name,
                "podman",
                inode(pid),
                peers=peers,
                served=slirp,
                data={"user": USER},
                also=(said["Id"][:12],),
                ports=PORTS.get(name, ()),
            )
        )
    return [*found, _network(there, {far: near for one in found for near, far in one.peers.items()})]


def _network(there: There, peers: dict[str, str]) -> Truth:
    """The namespace that the user's networks are in: a bridge, its ports, and the tap of a slirp4netns of its own."""
    names = {f"{there.inode}/{link['ifname']}" for link in there.links} - {f"{there.inode}/lo"}
    tap = f"{there.inode}/tap0"
    server = next(
        pid
        for pid in running("slirp4netns")
        if "/netns/rootless-netns" in Path(f"/proc/{pid}/cmdline").read_text()
    )
    return Truth(
        "rootless-netns",
        "network",
        "rootless-netns",
        "podman",
        there.inode,
        peers=peers,
        served={tap: server},
        loose=tuple(names - peers.keys() - {tap}),
        data={"user": USER},
    )


def _slirp(pid: int) -> int:
    """The slirp4netns that was given the namespace that a container is in; 0: none."""
    for server in running("slirp4netns"):
        words = Path(f"/proc/{server}/cmdline").read_text().split("\0")
        for word in words:
            if word.startswith("/run/user/") and "/netns/netns-" in word and _is_at(word, server, pid):
                return server
    return 0


def _is_at(path: str, server: int, pid: int) -> bool:
    """True if a container's namespace is mounted at a path, in the mount namespace where slirp4netns was started."""
    try:
        return os.stat(f"/proc/{_pauses()[0]}/root{path}").st_ino == inode(pid)
    except OSError:
        return os.stat(f"/proc/{server}/root{path}").st_ino == inode(pid)


ROW = Row(
    "podman (rootless)",
    (*NEEDS, "slirp4netns", "newuidmap", "setpriv", "useradd", "/dev/net/tun"),
    start,
)
