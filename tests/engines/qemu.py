"""A bare qemu with a tap on a bridge. It runs no guest: who it is and what it serves is there without one."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

from .place import kill
from .truth import Engine, Row, Truth, ip

if TYPE_CHECKING:
    from .place import Place

PROGRAM = "qemu-system-x86_64"
UUID = "6d9b2c1e-7a55-4c7e-9d43-0f6f5a3b1c11"
TAPS = {"vnet0", "vnet1"}
MAC = "52:54:00:aa:00:01"


def start(place: Place) -> Engine:
    """A VM with two NICs, in the host's namespace, of which it owns the taps only."""
    place.run("ip", "link", "add", "virbr0", "type", "bridge")
    monitor = place.folder / "qmp"
    daemon = place.daemon(
        PROGRAM,
        *("-S", "-nodefaults", "-display", "none", "-accel", "tcg", "-m", "32"),
        *("-name", "guest=db1,debug-threads=on", "-uuid", UUID),
        *("-netdev", "tap,id=n0,ifname=vnet0,script=no,downscript=no"),
        *("-device", f"virtio-net-pci,netdev=n0,mac={MAC},romfile="),
        *("-netdev", "tap,id=n1,ifname=vnet1,script=no,downscript=no"),
        *("-device", "virtio-net-pci,netdev=n1,mac=52:54:00:aa:00:02,romfile="),
        *("-qmp", f"unix:{monitor},server=on,wait=off"),
        until=lambda: monitor.exists() and {link["ifname"] for link in ip("link")} >= TAPS,
    )
    for words in ("set vnet0 master virbr0", "set vnet0 up", "set virbr0 up"):
        place.run("ip", "link", *words.split())
    said = {name: _asked(str(monitor), name) for name in ("query-name", "query-uuid", "query-version")}
    assert said["query-uuid"]["UUID"] == UUID
    truth = Truth(
        f"vm:{said['query-name']['name']}",
        "vm",
        said["query-name"]["name"],
        "qemu",
        0,
        served=dict.fromkeys(TAPS, daemon.pid),
        data={"guest_macs": f"{MAC} 52:54:00:aa:00:02"},
        also=(f"vm:{UUID}", f"vm:{UUID[:8]}"),
        guests={"vnet0": MAC, "vnet1": "52:54:00:aa:00:02"},
    )
    version = "{major}.{minor}.{micro}".format(**said["query-version"]["qemu"])
    return Engine("qemu", version, [truth], [daemon.pid], lambda: kill([daemon.pid]), survives=False)


def _asked(path: str, command: str) -> dict[str, Any]:
    """What qemu says of itself, by QMP: a greeting, an answer to qmp_capabilities, an answer."""
    with socket.socket(socket.AF_UNIX) as monitor:
        monitor.settimeout(10)
        monitor.connect(path)
        with monitor.makefile("rw") as lines:
            lines.readline()
            for word in ("qmp_capabilities", command):
                lines.write(json.dumps({"execute": word}) + "\n")
                lines.flush()
                answer = json.loads(lines.readline())
    said: dict[str, Any] = answer["return"]
    return said


ROW = Row("qemu", (PROGRAM, "/dev/net/tun"), start)
