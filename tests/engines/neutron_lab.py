"""A whole host of Neutron's, network and compute node in one: two tenants, a router with a gateway, DHCP, metadata, three instances.

Neutron's own code makes all of it but the instances, each of which is a namespace behind the tap that Nova would make, and the
outside. Each path is asked, and a packet is really sent along it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import sending
from .neutron import CODE, SHORT
from .place import PYTHON, kill, running
from .sending import Packet
from .truth import Engine, Row, Truth, Way, ip

if TYPE_CHECKING:
    from .place import Place

HERE = Path(__file__).parent / "guests"
NEEDS = (PYTHON, CODE, "dnsmasq", "haproxy", "privsep-helper", "iptables", "ip6tables", "ebtables", "ipset")
METADATA = "/var/lib/neutron/metadata_proxy"


def uuid(kind: str, number: int) -> str:
    """Such as Neutron would give; `kind` is of eight hexadecimal digits, which make the name of a link."""
    return f"{kind}-aa{number:02x}-4b4c-8c59-{number:012x}"


SHOP, BANK = uuid("a0b0c001", 1), uuid("a0b0c002", 2)  # the tenants' networks
OUT, ROUTER = uuid("a0b0c003", 3), uuid("b67a2f49", 4)
GROUPS = {"shop": uuid("5ec00001", 1), "bank": uuid("5ec00002", 2)}
GATEWAY, FLOATING, NOBODY = "203.0.113.50", "203.0.113.101", "198.51.100.9"
SPOOFED = "192.168.60.99"
QROUTER, QDHCP = f"qrouter-{ROUTER}", f"qdhcp-{SHOP}"
INTERNET, TUNNEL, NEXT = "203.0.113.1", "10.99.0.1", "10.99.0.2"


def _network(name: str, segment: int, cidr: str, dhcp: int) -> dict[str, Any]:
    net = cidr.rpartition(".")[0]
    own = {
        "id": uuid(f"dcdcdc0{segment % 10}", dhcp),
        "mac": f"fa:16:3e:00:0{dhcp}:02",
        "address": f"{net}.2",
    }
    return {
        "id": name,
        "subnet": uuid("5b000000", segment),
        "project": "a" * 32,
        "cidr": cidr,
        "gateway": f"{net}.1",
        "mtu": 1450,
        "segment": segment,
        "dhcp": own,
    }


NETWORKS = [_network(SHOP, 101, "192.168.60.0/24", 5), _network(BANK, 102, "192.168.70.0/24", 6)]


def _instance(number: int, name: str, network: dict[str, Any], host: int, group: str) -> dict[str, Any]:
    port = uuid(f"39d60fa{number}", number)
    return {
        "id": port,
        "name": name,
        "network": network["id"],
        "tap": f"tap{port[:SHORT]}",
        "mac": f"fa:16:3e:00:00:1{number}",
        "address": f"{network['cidr'].rpartition('.')[0]}.{host}",
        "gateway": network["gateway"],
        "group": GROUPS[group],
    }


INSTANCES = [
    _instance(1, "web", NETWORKS[0], 11, "shop"),
    _instance(2, "db", NETWORKS[0], 12, "shop"),
    _instance(3, "vault", NETWORKS[1], 21, "bank"),
]
WEB, DB, VAULT = (one["address"] for one in INSTANCES)


def _router_port(number: int, network: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": uuid(f"2132454{number}", number),
        "network": network["id"],
        "subnet": network["subnet"],
        "mac": f"fa:16:3e:00:01:0{number}",
        "mtu": 1450,
        "address": network["gateway"],
        "prefixlen": 24,
        "cidr": network["cidr"],
        "gateway": network["gateway"],
    }


ROUTER_PORTS = [_router_port(number, network) for number, network in enumerate(NETWORKS, 1)]
GATEWAY_PORT: dict[str, Any] = {
    "id": uuid("21324549", 9),
    "network": OUT,
    "subnet": uuid("5b000000", 9),
    "mac": "fa:16:3e:00:01:09",
    "mtu": 1500,
    "address": GATEWAY,
    "prefixlen": 24,
    "cidr": "203.0.113.0/24",
    "gateway": INTERNET,
}


def _rules(group: str, *open_: tuple[str, int]) -> list[dict[str, Any]]:
    """Everything out; in from the same group, and to these ports from everywhere (0: any)."""
    rules: list[dict[str, Any]] = [
        {"direction": "egress", "ethertype": "IPv4", "security_group_id": group},
        {
            "direction": "ingress",
            "ethertype": "IPv4",
            "security_group_id": group,
            "remote_group_id": group,
        },
    ]
    for proto, port in open_:
        ports = {"port_range_min": port, "port_range_max": port} if port else {}
        rules.append(
            {"direction": "ingress", "ethertype": "IPv4", "security_group_id": group, "protocol": proto}
            | ports
        )
    return rules


def _taps() -> list[dict[str, Any]]:
    """All ports of bridges, as the Linux bridge agent would be told of them."""
    found = [
        {"id": port["id"], "network": port["network"], "owner": "network:router_interface"}
        for port in ROUTER_PORTS
    ]
    found += [
        {"id": network["dhcp"]["id"], "network": network["id"], "owner": "network:dhcp"}
        for network in NETWORKS
    ]
    found += [{"id": one["id"], "network": one["network"], "owner": "compute:nova"} for one in INSTANCES]
    segments = {network["id"]: network["segment"] for network in NETWORKS}
    for one in found:
        one |= {"type": "vxlan", "segment": segments[one["network"]], "mtu": 1450}
    found.append(
        {
            "id": GATEWAY_PORT["id"],
            "network": OUT,
            "owner": "network:router_gateway",
            "type": "flat",
            "physical": "outside",
            "mtu": 1500,
        }
    )
    return [one | {"tap": f"tap{one['id'][:SHORT]}"} for one in found]


WORLD: dict[str, Any] = {
    "networks": NETWORKS,
    "instances": INSTANCES,
    "router": {
        "id": ROUTER,
        "ports": ROUTER_PORTS,
        "gateway": GATEWAY_PORT,
        "floating": [
            {"id": uuid("f10a0001", 1), "address": FLOATING, "fixed": WEB, "port": INSTANCES[0]["id"]}
        ],
    },
    "groups": {
        GROUPS["shop"]: _rules(GROUPS["shop"], ("tcp", 22), ("icmp", 0)),
        GROUPS["bank"]: _rules(GROUPS["bank"]),
    },
    "driver": "linuxbridge",
    "physical": {"outside": "ext0"},
    "taps": _taps(),
}


def start(place: Place) -> Engine:
    """The outside and another node; what Nova makes; then Neutron's agents."""
    surround(place)
    agents(place, WORLD)
    for one in INSTANCES:
        place.run("ip", "link", "set", one["tap"], "master", f"brq{one['network'][:SHORT]}")
    daemons = [*running("dnsmasq"), *running("haproxy")]
    return Engine(ROW.name, version(place), _truths(), daemons, lambda: kill(daemons))


def version(place: Place) -> str:
    """Of Neutron."""
    return place.run("dpkg-query", "-W", "-f", "${Version}", "python3-neutron").strip()


def surround(place: Place) -> None:
    """The outside, another node, instances behind taps, and who answers in them."""
    for netns in ("outside", "node2", *(one["name"] for one in INSTANCES)):
        place.run("ip", "netns", "add", netns)
    place.run("ip", "link", "set", "extpeer", "netns", "outside", "name", "eth0")
    place.undo(lambda: _undone(place))
    place.run("ip", "link", "add", "mgmt0", "type", "veth", "peer", "name", "eth0", "netns", "node2")
    place.run("ip", "addr", "add", f"{TUNNEL}/24", "dev", "mgmt0")
    place.run("ip", "link", "set", "mgmt0", "up")
    for netns, address in (("outside", f"{INTERNET}/24"), ("node2", f"{NEXT}/24")):
        _furnish(place, netns, address)
    for one in INSTANCES:
        names = ("ip", "link", "add", one["tap"], "type", "veth", "peer", "name", "eth0")
        place.run(*names, "address", one["mac"], "netns", one["name"])
        place.run("ip", "link", "set", one["tap"], "up")
        place.run("ip", "-n", one["name"], "link", "set", "eth0", "mtu", "1450")
        _furnish(place, one["name"], f"{one['address']}/24")
        place.run("ip", "-n", one["name"], "route", "add", "default", "via", one["gateway"])
        sending.serve(place, one["name"], "tcp:22", "tcp:80")
    place.run("ip", "-n", "web", "addr", "add", f"{SPOOFED}/32", "dev", "lo")
    place.run("ip", "-n", "outside", "route", "add", "192.168.60.0/24", "via", GATEWAY)
    sending.serve(place, "outside", "tcp:80")
    os.makedirs(os.path.dirname(METADATA), exist_ok=True)
    sending.serve(place, "", f"unix:{METADATA}")


def agents(place: Place, world: dict[str, Any]) -> None:
    """Neutron's agents do their work; what they start goes on."""
    place.undo(lambda: kill([*running("dnsmasq"), *running("haproxy")]))
    program = (PYTHON, str(HERE / "neutron_host.py"), str(HERE / "neutron.conf"))
    place.run(*program, stdin=json.dumps(world), PYTHONDONTWRITEBYTECODE="1")


def _undone(place: Place) -> None:
    """What ends with no daemon: namespaces, and links between two of home. Rules and sets end with the private host."""
    place.run("ip", "-n", "outside", "link", "set", "eth0", "name", "extpeer", "netns", str(os.getpid()))
    for line in place.run("ip", "netns", "list").splitlines():
        place.run("ip", "netns", "del", line.split()[0])
    for link in ip("link"):
        if link["ifname"].startswith(("brq", "vxlan-", "qbr", "qvb")):
            place.run("ip", "link", "del", link["ifname"], check=False)  # some are going, with mgmt0


def _furnish(place: Place, netns: str, address: str) -> None:
    for words in ("link set lo up", f"addr add {address} dev eth0", "link set eth0 up"):
        place.run("ip", "-n", netns, *words.split())


def at_place(netns: str, ifname: str) -> str:
    """A link in a namespace of /run/netns, as truths name it."""
    return f"{os.stat(f'/run/netns/{netns}').st_ino}/{ifname}"


def _truths() -> list[Truth]:
    """Who the namespaces of Neutron are, and whose each port's links are."""
    inside = {port["id"]: (QROUTER, f"qr-{port['id'][:SHORT]}") for port in ROUTER_PORTS}
    inside[GATEWAY_PORT["id"]] = (QROUTER, f"qg-{GATEWAY_PORT['id'][:SHORT]}")
    for network in NETWORKS:
        inside[network["dhcp"]["id"]] = (f"qdhcp-{network['id']}", f"ns-{network['dhcp']['id'][:SHORT]}")
    inside |= {one["id"]: (one["name"], "eth0") for one in INSTANCES}
    found = []
    for port, (netns, ifname) in inside.items():
        far, near = at_place(netns, ifname), f"tap{port[:SHORT]}"
        guest = ifname == "eth0"
        found.append(
            Truth(
                f"port:{port}",
                "port",
                port[:SHORT],
                "neutron",
                0,
                peers={near: far} if guest else {near: far, far: near},
                also=(f"port:{port[:8]}",),
            )
        )
    peers = {at_place(*far): f"tap{port[:SHORT]}" for port, far in inside.items() if far[0] == QROUTER}
    ns = os.stat(f"/run/netns/{QROUTER}").st_ino
    data = {"daemon": "haproxy"}
    found.append(Truth(ROUTER, "router", ROUTER, "neutron", ns, peers=peers, data=data, also=(ROUTER[:8],)))
    return found


DNS = b"\0\7\1\0\0\1\0\0\0\0\0\0\7nowhere\0\0\1\0\1"
METADATA_ADDRESS = "169.254.169.254"
WAYS = (
    Way("same network", "web", Packet(DB), "db", (WEB, DB)),
    Way("remote group", "web", Packet(DB, "tcp", 80), "db", (WEB, DB)),
    Way("dhcp server", "web", Packet("192.168.60.2", "udp", 53, asks=DNS), QDHCP, (WEB, "192.168.60.2")),
    Way("gateway", "web", Packet("192.168.60.1"), QROUTER, (WEB, "192.168.60.1")),
    Way("out, floating", "web", Packet(INTERNET, "tcp", 80), "outside", (FLOATING, INTERNET)),
    Way("out, floating, icmp", "web", Packet(INTERNET), "outside", (FLOATING, INTERNET)),
    Way("out, SNAT", "db", Packet(INTERNET, "tcp", 80), "outside", (GATEWAY, INTERNET)),
    Way("out, SNAT, icmp", "vault", Packet(INTERNET), "outside", (GATEWAY, INTERNET)),
    Way("floating, in", "outside", Packet(FLOATING, "tcp", 22), "web", (INTERNET, WEB)),
    Way("floating, in, icmp", "outside", Packet(FLOATING), "web", (INTERNET, WEB)),
    Way("floating, closed port", "outside", Packet(FLOATING, "tcp", 80), why="sg-fallback"),
    Way("floating, from inside", "db", Packet(FLOATING, "tcp", 22), "web", (GATEWAY, WEB)),
    Way("floating, its own", "web", Packet(FLOATING, "tcp", 22), "web", (FLOATING, WEB)),
    Way(
        "floating, from the router",
        QROUTER,
        Packet(FLOATING, "tcp", 22),
        "web",
        (GATEWAY, WEB),
    ),
    Way("routed to a fixed address", "outside", Packet(WEB, "tcp", 22), "web", (INTERNET, WEB)),
    Way("other tenant", "web", Packet(VAULT), why="sg-fallback"),
    Way("other tenant, tcp", "db", Packet(VAULT, "tcp", 80), why="sg-fallback"),
    Way("other tenant, open port", "vault", Packet(WEB, "tcp", 22), "web", (VAULT, WEB)),
    Way("other tenant, closed port", "vault", Packet(DB, "tcp", 80), why="sg-fallback"),
    Way("metadata", "web", Packet(METADATA_ADDRESS, "tcp", 80), QROUTER, (WEB, "192.168.60.1")),
    Way(
        "metadata, other tenant",
        "vault",
        Packet(METADATA_ADDRESS, "tcp", 80),
        QROUTER,
        (VAULT, "192.168.70.1"),
    ),
    Way("metadata's own port", "web", Packet("192.168.60.1", "tcp", 9697), why="9697"),
    Way("somebody else's address", "web", Packet(DB, src=SPOOFED), why="neutron"),
    Way("from dhcp", QDHCP, Packet(WEB, "tcp", 22), "web", ("192.168.60.2", WEB)),
    Way("from dhcp, closed port", QDHCP, Packet(WEB, "tcp", 80), why="sg-fallback"),
    Way("from the router", QROUTER, Packet(VAULT), why="sg-fallback"),
    Way("nowhere", "db", Packet(NOBODY)),
    Way("host", "", Packet(NEXT), "node2", (TUNNEL, NEXT)),
    Way("host, its own address", "", Packet(TUNNEL), "", (TUNNEL, TUNNEL)),
)
ROW = Row("Neutron (linuxbridge, a whole host)", NEEDS, start, ways=WAYS)
