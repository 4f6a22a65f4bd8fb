"""LXC: a container with a veth on a bridge and a macvlan; its monitor takes it along."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .place import kill
from .truth import Engine, Row, Truth, at, inode, veths

if TYPE_CHECKING:
    from .place import Place

CONFIG = """lxc.rootfs.path = dir:{root}
lxc.uts.name = guest
lxc.init.cmd = /bin/sleep infinity
lxc.environment = PASSWORD={secret}
lxc.net.0.type = veth
lxc.net.0.link = lxcbr0
lxc.net.0.flags = up
lxc.net.1.type = macvlan
lxc.net.1.link = ext0
lxc.net.1.macvlan.mode = bridge
lxc.apparmor.profile = unconfined
lxc.cgroup.relative = 0
"""
CGROUPS = ("lxc.payload.guest", "lxc.monitor.guest", "lxc.pivot")


def start(place: Place) -> Engine:
    """One container, at LXC's default path."""
    from .place import SECRET

    folder = Path("/var/lib/lxc/guest")
    folder.mkdir(parents=True)
    (folder / "config").write_text(CONFIG.format(root=place.root(), secret=SECRET))
    for words in ("link add lxcbr0 type bridge", "link set lxcbr0 up"):
        place.run("ip", *words.split())
    place.run("lxc-start", "-n", "guest", "-d", "-o", str(place.folder / "lxc.log"), "-l", "INFO")
    place.run("lxc-wait", "-n", "guest", "-s", "RUNNING", "-t", "10")
    pid = int(place.run("lxc-info", "-n", "guest", "-p", "-H"))
    monitor = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    place.undo(lambda: kill([monitor, pid]))
    truth = Truth(
        "container:guest",
        "container",
        "guest",
        "lxc",
        inode(pid),
        peers=veths(pid),
        lowers={at(pid, "eth1"): "ext0"},
    )
    assert len(truth.peers) == 1
    version = place.run("lxc-start", "--version").strip()
    return Engine("lxc", version, [truth], [monitor], lambda: kill([monitor, pid]), survives=False)


ROW = Row("lxc", ("lxc-start", "lxc-info", "lxc-wait", "busybox"), start, CGROUPS)
