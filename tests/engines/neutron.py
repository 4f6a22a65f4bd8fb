"""OpenStack Neutron's own code of the DHCP agent: a real qdhcp- namespace, with dnsmasq, by either of its interface drivers."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from . import switch
from .place import PYTHON, alive, kill
from .truth import Engine, Row, Truth, ip

if TYPE_CHECKING:
    from .place import Place

HERE = Path(__file__).parent / "guests"
CODE = "/usr/lib/python3/dist-packages/neutron/agent/dhcp_agent.py"
STATE = "/var/lib/neutron/dhcp"
NEEDS = (PYTHON, CODE, "dnsmasq", "privsep-helper", "iptables")
SHORT = 11  # characters of a port's UUID in its links' names


def _start(place: Place, row: Row, driver: str, datapath: str) -> Engine:
    """`datapath`: of Open vSwitch; empty: without. The kernel's has internal ports, which is what Neutron prefers."""
    made = switch.serve(place, datapath) if datapath else None
    veth = datapath != "system"
    words = (str(HERE / "neutron.conf"), driver, "veth" if veth else "noveth")
    told = place.run(PYTHON, str(HERE / "neutron_dhcp.py"), *words, PYTHONDONTWRITEBYTECODE="1")
    said = json.loads(told.splitlines()[-1])
    network, port, name = said["network"], said["port"], said["namespace"]
    place.undo(lambda: place.run("ip", "netns", "del", name))
    dnsmasq = int(Path(STATE, network, "pid").read_text())
    place.undo(lambda: kill([dnsmasq]))
    daemons = [dnsmasq, *(made.daemons if made else ())]
    ns = os.stat(f"/run/netns/{name}").st_ino
    outside = f"tap{port[:SHORT]}"
    inside = f"{ns}/ns-{port[:SHORT]}" if veth else f"{ns}/{outside}"
    assert bool(veth) == any(link["ifname"] == outside for link in ip("link"))
    bridges = {} if made is None else {outside if veth else inside: made.bridge(outside)}
    dhcp = Truth(
        network,
        "dhcp",
        network,
        "neutron",
        ns,
        peers={inside: outside} if veth else {},
        loose=() if veth else (inside,),
        bridges={} if veth else bridges,
        data={"daemon": "dnsmasq"},
        also=(network[:8],),
    )
    whole = port if made is None else made.marks(outside)["iface-id"]
    assert whole == port
    of_port = Truth(
        f"port:{port}",
        "port",
        port if made else port[:SHORT],
        "neutron",
        0,
        peers={inside: outside, outside: inside} if veth else {},
        loose=() if veth else (inside,),
        bridges=bridges,
        also=(f"port:{port[:8]}", f"port:{port[:SHORT]}"),
        short=port[:SHORT],
    )
    assert alive(dnsmasq)
    version = place.run("dpkg-query", "-W", "-f", "${Version}", "python3-neutron").strip()
    return Engine(row.name, version, [dhcp, of_port], daemons, lambda: kill(daemons))


def start_bridge(place: Place) -> Engine:
    """Wired with a veth, whose outer end the Linux bridge agent would take."""
    return _start(place, BRIDGE, "linuxbridge", "")


def start_switch(place: Place) -> Engine:
    """Wired with a veth to br-int, of Open vSwitch's own datapath."""
    return _start(place, SWITCH, "openvswitch", "netdev")


def start_kernel(place: Place) -> Engine:
    """Wired with an internal port of br-int, of the kernel's datapath."""
    return _start(place, KERNEL, "openvswitch", "system")


BRIDGE = Row("Neutron (linuxbridge)", NEEDS, start_bridge)
SWITCH = Row("Neutron (openvswitch, userspace datapath)", (*NEEDS, *switch.NEEDS), start_switch)
KERNEL = Row(
    "Neutron (openvswitch, kernel datapath)",
    (*NEEDS, *switch.NEEDS),
    start_kernel,
    lacks=switch.no_kernel_datapath,
)
