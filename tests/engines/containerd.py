"""containerd with its own client, `ctr`, and CNI's plugins: a container by itself, one in another one's namespace, one of the host's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from .place import IMAGE, SECRET, below, kill, running
from .truth import HOME, Engine, Row, Truth, inode, veths

if TYPE_CHECKING:
    import subprocess

    from .place import Place

NEEDS = ("containerd", "ctr", "runc", "/usr/lib/cni/bridge", "iptables", "busybox")
SPACE = "shop"
NETWORK = {
    "cniVersion": "0.4.0",
    "name": "nsw",
    "plugins": [
        {
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": True,
            "ipMasq": True,
            "ipam": {
                "type": "host-local",
                "ranges": [[{"subnet": "10.66.0.0/24"}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        },
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ],
}
# Without CAP_SYS_RESOURCE, which root may lack in a container, a lower oom_score_adj is refused.
SETTINGS = """version = 2
root = "{root}"
[plugins."io.containerd.grpc.v1.cri"]
 sandbox_image = "{image}"
 disable_apparmor = true
 restrict_oom_score_adj = true
 [plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
 [plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "native"
"""


def serve(place: Place) -> subprocess.Popen[bytes]:
    """Containerd at its default socket, with a network of CNI's."""
    Path("/etc/cni/net.d").mkdir(parents=True, exist_ok=True)
    Path("/etc/cni/net.d/10-nsw.conflist").write_text(json.dumps(NETWORK))
    Path("/opt/cni").mkdir()
    Path("/opt/cni/bin").symlink_to("/usr/lib/cni")  # where ctr looks
    settings = place.folder / "containerd.toml"
    settings.write_text(SETTINGS.format(root=place.folder / "containerd", image=IMAGE))
    daemon = place.daemon("containerd", "--config", str(settings), until=place.answers("ctr", "version"))
    place.undo(lambda: kill(shims()))
    return daemon


def load(place: Place, space: str) -> None:
    """The image, for one of containerd's namespaces."""
    place.run("ctr", "-n", space, "images", "import", "--snapshotter", "native", str(place.image()))


def shims() -> list[int]:
    """Containers outlive their engine: their shims, and what these started."""
    return [one for pid in running("containerd-shim-runc-v2") for one in below(pid)]


def version(place: Place) -> str:
    """Of the daemon."""
    return place.run("containerd", "--version").split()[2]


def start(place: Place) -> Engine:
    """One on CNI's bridge, a second one that joined its namespace, one in the host's, one without any network."""
    daemon = serve(place)
    load(place, SPACE)

    def container(name: str, *options: str) -> None:
        words = ("run", "-d", "--snapshotter", "native", "--env", f"PASSWORD={SECRET}", *options)
        place.run("ctr", "-n", SPACE, *words, IMAGE, name)

    container("web", "--cni")
    joined = _tasks(place)["web"]
    container("sidecar", "--with-ns", f"network:/proc/{joined}/ns/net")
    container("agent", "--net-host")
    container("batch")
    return Engine(
        "containerd (ctr, CNI)",
        version(place),
        _truths(place),
        [daemon.pid],
        lambda: kill([daemon.pid]),
    )


def _tasks(place: Place) -> dict[str, int]:
    """The pid of each container, by `ctr`: TASK PID STATUS below a headline."""
    rows = [line.split() for line in place.run("ctr", "-n", SPACE, "tasks", "ls").splitlines()[1:]]
    return {row[0]: int(row[1]) for row in rows}


def _truths(place: Place) -> list[Truth]:
    found = []
    for name, pid in _tasks(place).items():
        ns = inode(pid)
        assert (ns == HOME) == (name == "agent")
        peers = {} if ns == HOME else veths(pid)
        assert bool(peers) == (name in ("web", "sidecar"))
        found.append(
            Truth(
                f"container:{name}",
                "container",
                name,
                "containerd",
                ns,
                shares=ns == HOME,
                peers=peers,
                data={"namespace": SPACE},
            )
        )
    return found


ROW = Row("containerd (ctr, CNI)", NEEDS, start, (SPACE,))
