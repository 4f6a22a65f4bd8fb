"""The same host of Neutron's with Open vSwitch, "hybrid": each instance behind a bridge of its own (qbr) with security groups by iptables.

Neutron's own code makes routers, DHCP, metadata and the rules; the ports of routers and DHCP servers are internal ports of br-int, moved
and in ovs-vswitchd's own datapath. What is made here is what os-vif does (qbr, qvb, qvo) and the flows and tags of the Open
vSwitch agent, which needs a controller's connection to write them: NORMAL with a local VLAN for each network, translated at br-ex
(ovs_int_br.py and ovs_phys_br.py of its native driver, without tunnels and ARP protection).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from . import switch
from .neutron import SHORT
from .neutron_lab import (
    BANK,
    GATEWAY_PORT,
    INSTANCES,
    NEEDS,
    NETWORKS,
    OUT,
    QROUTER,
    ROUTER,
    ROUTER_PORTS,
    SHOP,
    WAYS,
    WORLD,
    agents,
    at_place,
    surround,
    version,
)
from .place import kill, running
from .truth import Engine, Row, Truth

if TYPE_CHECKING:
    from .place import Place
    from .switch import Switch

TAGS = {SHOP: 1, BANK: 2, OUT: 3}
BR_INT = (
    "table=0,priority=65535,dl_vlan=4095,actions=drop",
    "table=0,priority=3,in_port=int-br-ex,vlan_tci=0x0000/0x1fff,actions=mod_vlan_vid:3,resubmit(,58)",
    "table=0,priority=2,in_port=int-br-ex,actions=drop",
    "table=0,priority=0,actions=resubmit(,58)",
    "table=23,priority=0,actions=drop",
    "table=24,priority=0,actions=drop",
    "table=30,priority=0,actions=resubmit(,58)",
    "table=31,priority=0,actions=resubmit(,58)",
    "table=58,priority=0,actions=resubmit(,60)",
    "table=60,priority=3,actions=NORMAL",
)
BR_EX = (
    "table=0,priority=4,in_port=phy-br-ex,dl_vlan=3,actions=strip_vlan,NORMAL",
    "table=0,priority=2,in_port=phy-br-ex,actions=drop",
    "table=0,priority=0,actions=NORMAL",
)


def start(place: Place) -> Engine:
    """Open vSwitch, the outside, instances, agents; then the ports get their tags."""
    made = switch.serve(place, "netdev")
    surround(place)
    _bridges(place, made)
    for one in INSTANCES:
        _hybrid(place, made, one["id"], one["tap"], one["mac"])
        place.run("ip", "netns", "exec", one["name"], "ethtool", "-K", "eth0", "tx", "off")
    place.run("ip", "netns", "exec", "outside", "ethtool", "-K", "eth0", "tx", "off")
    agents(place, WORLD | {"driver": "openvswitch", "taps": []})
    for port, network in _tagged():
        made.set(
            "--",
            "set",
            "port",
            port,
            f"tag={TAGS[network]}",
            "--",
            "clear",
            "port",
            port,
            "trunks",
            "vlan_mode",
        )
    daemons = [*running("dnsmasq"), *running("haproxy"), *made.daemons]
    return Engine(ROW.name, version(place), _truths(made), daemons, lambda: kill(daemons))


def _bridges(place: Place, made: Switch) -> None:
    """br-ex with the NIC, tied to br-int with a patch."""
    made.set("add-br", "br-ex", "--", "set", "bridge", "br-ex", "datapath_type=netdev")
    made.set("add-port", "br-ex", "ext0")
    patch = ("type=patch", "options:peer=")
    for bridge, port, other in (("br-int", "int-br-ex", "phy-br-ex"), ("br-ex", "phy-br-ex", "int-br-ex")):
        made.set("add-port", bridge, port, "--", "set", "interface", port, patch[0], patch[1] + other)
    for bridge, flows in (("br-int", BR_INT), ("br-ex", BR_EX)):
        place.run("ovs-ofctl", "-O", "OpenFlow13", "replace-flows", bridge, "-", stdin="\n".join(flows))


def _hybrid(place: Place, made: Switch, port: str, tap: str, mac: str) -> None:
    """What os-vif plugs: the tap on a bridge, and a veth from there to br-int."""
    bridge, near, far = (f"{prefix}{port[:SHORT]}" for prefix in ("qbr", "qvb", "qvo"))
    place.run("ip", "link", "add", bridge, "type", "bridge", "forward_delay", "0")
    place.run("ip", "link", "add", near, "type", "veth", "peer", "name", far)
    for link in (tap, near):
        place.run("ip", "link", "set", link, "master", bridge)
    for link in (bridge, near, far):
        place.run("ip", "link", "set", link, "up")
    marks = {"iface-id": port, "attached-mac": mac, "iface-status": "active"}
    words = [f'external_ids:{key}="{value}"' for key, value in marks.items()]
    made.set("add-port", "br-int", far, "--", "set", "interface", far, *words)


def _tagged() -> list[tuple[str, str]]:
    """Each port of br-int with its network."""
    found = [(f"qvo{one['id'][:SHORT]}", one["network"]) for one in INSTANCES]
    found += [(f"qr-{port['id'][:SHORT]}", port["network"]) for port in ROUTER_PORTS]
    found += [(f"tap{one['dhcp']['id'][:SHORT]}", one["id"]) for one in NETWORKS]
    return [*found, (f"qg-{GATEWAY_PORT['id'][:SHORT]}", OUT)]


def _truths(made: Switch) -> list[Truth]:
    """Each instance's port has four links; those of routers and DHCP servers have one, in their namespaces."""
    found = []
    for one in INSTANCES:
        tap, bridge, near, far = (f"{prefix}{one['id'][:SHORT]}" for prefix in ("tap", "qbr", "qvb", "qvo"))
        peers = {tap: at_place(one["name"], "eth0"), near: far, far: near}
        found.append(
            _port(one["id"], one["mac"], peers=peers, loose=(bridge,), bridges={far: made.bridge(far)})
        )
    inside = {
        port["id"]: (QROUTER, f"{prefix}{port['id'][:SHORT]}", port["mac"])
        for prefix, ports in (("qr-", ROUTER_PORTS), ("qg-", [GATEWAY_PORT]))
        for port in ports
    }
    for port, (netns, ifname, mac) in inside.items():
        place = at_place(netns, ifname)
        known = {"loose": (place,), "served": {place: made.vswitchd}, "bridges": {place: made.bridge(ifname)}}
        found.append(_port(port, mac, **known))
    places = {at_place(netns, ifname): made.bridge(ifname) for netns, ifname, _ in inside.values()}
    ns = os.stat(f"/run/netns/{QROUTER}").st_ino
    data = {"daemon": "haproxy"}
    found.append(
        Truth(
            ROUTER,
            "router",
            ROUTER,
            "neutron",
            ns,
            loose=tuple(places),
            served=dict.fromkeys(places, made.vswitchd),
            bridges=places,
            data=data,
        )
    )
    return found


def _port(port: str, mac: str, **known: Any) -> Truth:
    return Truth(
        f"port:{port}", "port", port, "neutron", 0, data={"guest_macs": mac}, short=port[:SHORT], **known
    )


ROW = Row(
    "Neutron (openvswitch, a whole host)",
    (*NEEDS, *switch.NEEDS, "ovs-ofctl", "ethtool"),
    start,
    ways=WAYS,
    recorded=False,
)
