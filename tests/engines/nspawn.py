"""systemd-nspawn without systemd: nobody registers the machine, so that it is known by the process that started it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .place import SECRET, below, kill
from .truth import Engine, Row, Truth, inode, ip, veths

if TYPE_CHECKING:
    from .place import Place


def start(place: Place) -> Engine:
    """A machine with a veth: ve-guest outside, host0 inside."""
    words = ("--quiet", "--register=no", "--keep-unit", "-M", "guest", "--network-veth")
    daemon = place.daemon(
        "systemd-nspawn",
        *(*words, "-D", str(place.root()), f"--setenv=PASSWORD={SECRET}", "/bin/sleep", "infinity"),
        until=lambda: bool(_inside(place)),
        SYSTEMD_LOG_LEVEL="warning",
    )
    place.undo(lambda: kill(below(daemon.pid)))
    pid = _inside(place)
    truth = Truth("container:guest", "container", "guest", "nspawn", inode(pid), peers=veths(pid))
    assert list(truth.peers.values()) == ["ve-guest"]
    version = place.run("systemd-nspawn", "--version").split()[1]
    return Engine(
        "systemd-nspawn",
        version,
        [truth],
        [daemon.pid],
        lambda: kill(below(daemon.pid)[::-1]),
        survives=False,
    )


def _inside(place: Place) -> int:
    """The first process inside, once its network stands; 0: not yet. machinectl would say it, where systemd runs."""
    from .place import running

    if not any(link["ifname"] == "ve-guest" for link in ip("link")):
        return 0
    inside = [pid for pid in running("sleep") if any(one["ifname"] == "host0" for one in ip("link", pid=pid))]
    del place
    return inside[0] if inside else 0


ROW = Row("systemd-nspawn", ("systemd-nspawn", "busybox"), start, ("payload", "supervisor"))
