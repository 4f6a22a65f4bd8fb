"""Open vSwitch as Nova plugs into it: a VM's tap and a namespace's veth, marked with the UUID of the port that each is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from . import switch
from .place import kill
from .qemu import PROGRAM
from .truth import Engine, Row, Truth, ip

if TYPE_CHECKING:
    from .place import Place
    from .switch import Switch

VM = "0c1d7a64-1111-4c7e-9d43-0f6f5a3b1c11"
PORTS = {
    "tap39d60faa-aa": "39d60faa-aa11-4b4c-8c59-000000000001",
    "tap7be2c0f4-1d": "7be2c0f4-1d22-4b4c-8c59-000000000002",
}
GUEST, VETH = PORTS
# as OVN binds a logical port, which may be called anything; its VM is not to be seen here
LOGICAL, NAMED, ELSEWHERE = "lsp0", "shop_web-1", "5a1c9e70-2222-4c7e-9d43-0f6f5a3b1c12"
MACS = {GUEST: "fa:16:3e:00:00:11", VETH: "fa:16:3e:00:00:12"}
SHORT = 11


def _start(place: Place, name: str, datapath: str) -> Engine:
    os.makedirs("/var/lib/neutron/lock", exist_ok=True)  # what Neutron's agent leaves on a compute node
    made = switch.serve(place, datapath)
    qemu = place.daemon(
        PROGRAM,
        *(
            "-S",
            "-nodefaults",
            "-display",
            "none",
            "-accel",
            "tcg",
            "-m",
            "32",
            "-name",
            "guest=db1",
            "-uuid",
            VM,
        ),
        *("-netdev", f"tap,id=n0,ifname={GUEST},script=no,downscript=no"),
        *("-device", f"virtio-net-pci,netdev=n0,mac={MACS[GUEST]},romfile="),
        until=lambda: any(link["ifname"] == GUEST for link in ip("link")),
    )
    place.run("ip", "netns", "add", "probe")
    place.undo(lambda: place.run("ip", "netns", "del", "probe"))
    place.run("ip", "link", "add", VETH, "type", "veth", "peer", "name", "eth0", "netns", "probe")
    for port, uuid in PORTS.items():
        marks = {"iface-id": uuid, "attached-mac": MACS[port], "iface-status": "active", "vm-uuid": VM}
        words = [f'external_ids:{key}="{value}"' for key, value in marks.items()]
        made.set("add-port", "br-int", port, "--", "set", "interface", port, *words)
        place.run("ip", "link", "set", port, "up")
    place.run("ip", "link", "add", LOGICAL, "type", "veth", "peer", "name", "eth1", "netns", "probe")
    marks = {"iface-id": NAMED, "ovn-installed": "true", "vm-uuid": ELSEWHERE}
    words = [f'external_ids:{key}="{value}"' for key, value in marks.items()]
    made.set("add-port", "br-int", LOGICAL, "--", "set", "interface", LOGICAL, *words)
    return Engine(name, made.version, _truths(made, qemu.pid), made.daemons, lambda: kill(made.daemons))


def _truths(made: Switch, qemu: int) -> list[Truth]:
    found = [
        Truth(
            "vm:db1",
            "vm",
            "db1",
            "qemu",
            0,
            served={GUEST: qemu},
            bridges={GUEST: made.bridge(GUEST)},
            guests={GUEST: MACS[GUEST]},
        )
    ]
    inside = f"{os.stat('/run/netns/probe').st_ino}/eth0"
    for port in PORTS:
        said = made.marks(port)
        found.append(
            Truth(
                f"port:{said['iface-id']}",
                "port",
                said["iface-id"],
                "neutron",
                0,
                peers={port: inside} if port == VETH else {},
                served={port: qemu} if port == GUEST else {},
                bridges={port: made.bridge(port)},
                data={"guest_macs": said["attached-mac"], "vm": said["vm-uuid"]},
                also=(f"port:{said['iface-id'][:8]}",),
                short=said["iface-id"][:SHORT],
                guests={port: MACS[port]} if port == GUEST else {},
            )
        )
    found.append(
        Truth(
            f"port:{NAMED}",
            "port",
            NAMED,
            "ovn",
            0,
            peers={LOGICAL: f"{os.stat('/run/netns/probe').st_ino}/eth1"},
            bridges={LOGICAL: made.bridge(LOGICAL)},
            data={"vm": ELSEWHERE},
            also=(f"vm:{ELSEWHERE}", f"vm:{ELSEWHERE[:8]}", NAMED),
            asked=True,
        )
    )
    return found


def start(place: Place) -> Engine:
    """With a datapath of its own."""
    return _start(place, ROW.name, "netdev")


def start_in_kernel(place: Place) -> Engine:
    """With the kernel's datapath."""
    return _start(place, KERNEL.name, "system")


ROW = Row("Open vSwitch (userspace datapath)", (*switch.NEEDS, PROGRAM), start)
KERNEL = Row(
    "Open vSwitch (kernel datapath)",
    (*switch.NEEDS, PROGRAM),
    start_in_kernel,
    lacks=switch.no_kernel_datapath,
)
