"""Pods of Kubernetes as a kubelet makes them: containerd's CRI, over its socket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from . import containerd
from .place import PYTHON, kill
from .truth import HOME, Engine, Row, Truth, inode, veths

if TYPE_CHECKING:
    from .place import Place

HERE = Path(__file__).parent / "guests"
GENERATED = "/usr/lib/python3/dist-packages/grpc/__init__.py"  # of Debian's python3-grpcio, for PYTHON
NEEDS = (*containerd.NEEDS, "protoc", PYTHON, GENERATED)


def start(place: Place) -> Engine:
    """Two pods on CNI's bridge, one of them with a port of the host; one in the host's network."""
    daemon = containerd.serve(place)
    containerd.load(place, "k8s.io")
    place.run("protoc", "-I", str(HERE), f"--python_out={place.folder}", str(HERE / "cri.proto"))
    told = place.run(PYTHON, str(HERE / "cri.py"), PYTHONPATH=str(place.folder), PYTHONDONTWRITEBYTECODE="1")
    truths = [truth for said in json.loads(told) for truth in _truths(said)]
    return Engine(
        "kubernetes (containerd's CRI)",
        containerd.version(place),
        truths,
        [daemon.pid],
        lambda: kill([daemon.pid]),
    )


def _truths(said: dict[str, str]) -> list[Truth]:
    """Of a pod, and of the only container in it, in the words of CRI."""
    pid = int(said["pid"])
    ns = inode(pid)
    assert (ns == HOME) == (said["name"] == "node-agent")
    peers = {} if ns == HOME else veths(pid)
    assert bool(peers) == (ns != HOME)
    published = ("tcp:18090", ":18090") if said["name"] == "web-1" else ()
    pod = Truth(
        f"pod:default/{said['name']}",
        "pod",
        f"default/{said['name']}",
        "kubernetes",
        ns,
        shares=ns == HOME,
        peers=peers,
        also=(f"pod:{said['name']}", f"pod:{said['uid']}", *published),
        id=said["uid"],
    )
    container = Truth(
        f"container:{said['container'][:12]}",
        "container",
        "app",
        "containerd",
        ns,
        shares=ns == HOME,
        peers=peers,
        data={"namespace": "k8s.io"},
        id=said["container"],
    )
    return [pod, container]


ROW = Row("kubernetes (containerd's CRI)", NEEDS, start, ("k8s.io",))
