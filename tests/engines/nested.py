"""Docker in Docker: what the inner engine knows lies in a container's files, where nothing is read; the ids are in control groups."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from nswire.lab.lab import wait_until

from .docker import CLIENT, NEEDS, SOCKET, serve, version
from .place import IMAGE, SLOWER, below, kill
from .truth import Engine, Row, There, Truth, at, inode, ip, veths

if TYPE_CHECKING:
    from .place import Place

SHORT = 12
# Of the machine, since the image has one program only. Not --privileged: root itself may lack some of what that gives.
BINDS = [word for path in "/usr /lib /lib64 /bin /sbin /etc".split() for word in ("-v", f"{path}:{path}:ro")]
RIGHTS = [
    *("--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN"),
    *(
        word
        for what in ("seccomp", "apparmor", "systempaths")
        for word in ("--security-opt", f"{what}=unconfined")
    ),
    *(word for folder in ("/run", "/var", "/tmp") for word in ("--tmpfs", folder)),
]
WRITABLE = (
    'for one in /sys/fs/cgroup /sys/fs/cgroup/* /sys; do mount -o remount,bind,rw "$one"; done; exec "$@"'
)
INNER = (CLIENT, "-H", f"unix://{SOCKET}")
ENGINE = ("/usr/sbin/dockerd", "--data-root", "/inner", "--storage-driver", "vfs", "-H", f"unix://{SOCKET}")


def start(place: Place) -> Engine:
    """An engine in a container, with a container of its own on its own docker0."""
    daemon, client = serve(place)
    (place.folder / "inner").mkdir()
    files = ("-v", f"{place.folder}/inner:/inner", "-v", f"{place.image()}:/image.tar:ro")
    command = ("/bin/sh", "-c", WRITABLE, "sh", *ENGINE, "--iptables=false")
    place.run(*client, "run", "-d", "--name", "outer", *RIGHTS, *BINDS, *files, IMAGE, *command)
    inner = (*client, "exec", "outer", *INNER)
    wait_until(place.answers(*inner, "version"), 30 * SLOWER, "the inner engine answers")
    place.run(*inner, "load", "-q", "-i", "/image.tar")
    place.run(*inner, "run", "-d", "--name", "innermost", IMAGE)
    (outer,) = json.loads(place.run(*client, "inspect", "outer"))
    (innermost,) = json.loads(place.run(*inner, "inspect", "innermost"))
    engine = outer["State"]["Pid"]
    daemons = [*below(daemon.pid), *below(engine)]
    guest = _seen_from_here(engine, innermost["State"]["Pid"])
    return Engine(
        "docker in docker",
        version(place, client),
        _truths(engine, guest, innermost["Id"]),
        [pid for pid in daemons if pid != guest],
        lambda: kill(below(daemon.pid)),
    )


def _seen_from_here(engine: int, pid: int) -> int:
    """The pid here of a process that the inner engine calls so: NSpid has its pids in one pid namespace after the other."""
    for one in below(engine):
        status = Path(f"/proc/{one}/status").read_text()
        pids = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[1:]
        if len(pids) > 1 and int(pids[1]) == pid:
            return one
    raise AssertionError(f"{pid} is not below {engine}")


def _truths(engine: int, guest: int, number: str) -> list[Truth]:
    around = There(inode(engine), ip("link", pid=engine))
    inside = veths(guest, around)
    outside = {
        at(engine, link["ifname"]): link for link in around.links if link["ifname"] not in ("lo", "docker0")
    }
    ends = {outer: end for end, outer in inside.items()}
    uplinks = [place for place in outside if place not in ends]
    home = {link["ifindex"]: link["ifname"] for link in ip("link")}
    peers = ends | {place: home[outside[place]["link_index"]] for place in uplinks}
    assert len(uplinks) == len(inside) == 1
    return [
        Truth(
            "container:outer",
            "container",
            "outer",
            "docker",
            around.inode,
            peers=peers,
            loose=(at(engine, "docker0"),),
        ),
        Truth(
            f"container:{number[:SHORT]}",
            "container",
            number[:SHORT],
            "docker",
            inode(guest),
            peers=inside,
            data={"inside": "outer"},
            id=number,
        ),
    ]


ROW = Row("docker in docker", NEEDS, start, ("docker",))
