"""Masters and their ports: bridges, bonds, teams, VRFs, meshes, virtual switches. All are in `first`; none can be moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import kinds_ovs
from kinds_cases import MASTERS
from kinds_truth import AT_HOME, Tie, Way
from nswire.lab.lab import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kinds_site import Site

    Wanted = Mapping[str, Any]

OWN, PORT, PEER_OF_PORT = 5000, 5100, 5500
SETTLING = 120.0  # seconds that protocols may take to agree, on a slow machine
NAMES = tuple(case.name for case in MASTERS)
BACKUP, LACP, STP, OVS = "bond active-backup", "bond LACP", "bridge STP", "openvswitch"
PARTNERS = {
    LACP: ("partner", OWN, "type bond mode 802.3ad miimon 20 lacp_rate slow ad_user_port_key 5"),
    STP: ("root", OWN + 1, "type bridge stp_state 1 priority 0 forward_delay 200"),
}
"""What has the other ends of a master's ports as its own, in `other`: name, ifindex, and how it is made."""
ITS_PORT = "its port"
FAST, SLOW = 63, 61  # a port's LACP state: active, fast or not, aggregated, in sync, collecting, distributing


class Port(NamedTuple):
    """A port of a master: what iproute2 is told of it, and how it is told when all has settled; where its other end is."""

    words: str = ""
    settled: tuple[tuple[str, Any], ...] = ()
    peer_ns: str = "first"


FORWARDING = (("state", "forwarding"),)
JOINED = (("mii_status", "UP"), ("ad_actor_oper_port_state", FAST), ("ad_partner_oper_port_state", SLOW))
WITH_CARRIER = (("mii_status", "UP"),)
WITHOUT_CARRIER = (("mii_status", "DOWN"), ("link_failure_count", 1))
# A pattern of its own for each word, so that none can pass for another one.
SWITCHES = {
    "hairpin": "off off off on",
    "guard": "off off on off",
    "root_block": "off off on on",
    "learning": "off on off off",
    "flood": "off on off on",
    "vlan_tunnel": "off on on off",
    "neigh_suppress": "off on on on",
    "isolated": "on off off off",
    "locked": "on off off on",  # Linux 5.18; older ones do not heed it
}
SWITCHED = tuple(
    Port(
        f"type bridge_slave cost {7 + number} "
        + " ".join(f"{word} {values.split()[number]}" for word, values in SWITCHES.items()),
        FORWARDING,
    )
    for number in range(4)
)
PORTS: dict[str, tuple[Port, ...]] = {
    "bridge vlans": SWITCHED,
    STP: (Port(settled=FORWARDING, peer_ns="other"),),
    BACKUP: (Port(settled=WITH_CARRIER), Port(settled=WITH_CARRIER), Port(settled=WITH_CARRIER)),
    LACP: (Port(settled=JOINED, peer_ns="other"), Port(settled=JOINED, peer_ns="other")),
    "bond empty": (),
    "team": (Port(),),
    "vrf": (Port(),),
    "batadv": (Port(),),
}


def build(site: Site) -> None:
    """Make those that this kernel makes, and note what to wait for."""
    lines: list[str] = []
    partner: list[str] = []
    number = 0
    for position, case in enumerate(case for case in MASTERS if case.words and site.can(case.name)):
        master = OWN + position
        lines.append(f"link add name {case.ifname} index {master} {case.words}")
        site.made(case.name, AT_HOME, case.kind, "first", master, case.ifname)
        if not PORTS[case.name]:
            site.truth.ways.append(Way(case.name, f"first/{case.ifname}", (), ((-1, "no ports"),)))
        for port in PORTS[case.name]:
            name = f"port{number}"
            end, peer = ("first", name, PORT + number), (port.peer_ns, f"{name}x", PEER_OF_PORT + number)
            name_of_partner, at, _ = PARTNERS.get(case.name, ("", 0, ""))
            far = [Tie("port", "other", at)] if at else []
            mine = Tie("port", "first", master)
            lines += [
                site.veth(case.name, end, peer, mine, peer_ties=far, variant=ITS_PORT),
                f"link set dev {name} master {case.ifname}",
                *([f"link set dev {name} {port.words}"] if port.words else []),
                *([f"link set dev {peer[1]} up"] if not far else []),
            ]
            partner += [
                f"link set dev {peer[1]} {what}" for what in (f"master {name_of_partner}", "up") if far
            ]
            if port.settled:
                site.waits.append(("first", end[2], settled(port.settled)))
            number += 1
        lines.append(f"link set dev {case.ifname} up")
        if case.name in PARTNERS:
            name, at, words = PARTNERS[case.name]
            site.made(case.name, "its partner", case.kind, "other", at, name)
            partner += [f"link add name {name} index {at} {words}", f"link set dev {name} up"]
        if case.name == STP:
            is_root = settled((("root_port", 1),), "info_data")
            site.waits.append(("first", master, is_root))
    lines += [f"link set dev port{one} up" for one in range(number)]
    partner.sort(key=lambda line: "link add" not in line)
    site.run("first", lines)
    site.run("other", partner)
    if site.can(OVS):
        _ovs(site)


def settled(
    wanted: tuple[tuple[str, Any], ...], of: str = "info_slave_data"
) -> Callable[[dict[str, Any]], bool]:
    """True of a port (or, by `info_data`, a master) of which iproute2 tells all that."""

    def is_so(linkinfo: dict[str, Any]) -> bool:
        data = linkinfo.get(of, {})
        return all(data.get(name) == value for name, value in wanted)

    return is_so


def settle(site: Site) -> None:
    """Wait until all bonds and bridges have agreed with their neighbours, and then for the bond's other choice."""
    _wait(site)
    if site.can(BACKUP):
        _choose(site)
        _wait(site)


def _choose(site: Site) -> None:
    """Of a bond's ports, make one the primary and another the active one, which only a port that is up can be; a third one fails."""
    master, active, primary, failing = (
        made
        for made in site.truth.of(BACKUP)
        if made.kind == "bond" or any(tie.relation == "port" for tie in made.ties)
    )
    lines = [
        f"link set dev {master.ifname} type bond primary {primary.ifname} primary_reselect failure",
        f"link set dev {master.ifname} type bond active_slave {active.ifname}",
        f"link set dev {failing.ifname}x down",
    ]
    site.run("first", lines)
    chosen = settled((("active_slave", active.ifname), ("primary", primary.ifname)), "info_data")
    failed = settled(WITHOUT_CARRIER)
    site.waits = [wait for wait in site.waits if wait[:2] != ("first", failing.ifindex)]
    site.waits += [("first", master.ifindex, chosen), ("first", failing.ifindex, failed)]


def _wait(site: Site) -> None:
    shown: dict[str, dict[int, dict[str, Any]]] = {}

    def all_settled() -> bool:
        for ns in {ns for ns, _, _ in site.waits}:
            shown[ns] = {link["ifindex"]: link.get("linkinfo", {}) for link in site.show(ns)}
        return all(is_so(shown[ns][index]) for ns, index, is_so in site.waits)

    try:
        wait_until(all_settled, SETTLING, "agreement of bonds and bridges with their neighbours")
    except TimeoutError as error:
        for ns, index, is_so in site.waits:
            if not is_so(shown[ns][index]):
                error.add_note(f"{ns} {index}: {shown[ns][index]}")
        raise


def _ovs(site: Site) -> None:
    """A datapath of the kernel's own Open vSwitch, with a link and an internal port on it. It chooses the ifindexes."""
    ns = site.spaces["first"]
    end, peer = ("first", "ovs-port", PORT + 50), ("first", "ovs-port-x", PEER_OF_PORT + 50)
    with ns.rtnl() as rtnl, kinds_ovs.Datapath(ns, OVS) as datapath:
        master = datapath.ifindex
        site.run("first", [site.veth(OVS, end, peer, Tie("port", "first", master), variant=ITS_PORT)])
        datapath.port(end[1])
        datapath.internal_port("ovs-internal")
        inner = rtnl.index("ovs-internal")
    site.made(OVS, AT_HOME, OVS, "first", master, OVS)
    late = Tie("port", "first", master, facet="ovs")
    site.made(OVS, "its internal port", OVS, "first", inner, "ovs-internal", [late])
