"""A host like those in data centres: many kinds joined, from containers to NICs that are one by LACP.

web/eth0 === vethX - br0 - bond0.100 ----+        /-- eno0        the switch
nk/eth0 ==== nk0 ---/                    |       /
mac/eth0 ------------------ bond0.200 ---+-- bond0 -- eno1 ==== sw1 -- lag
qinq/eth0 ----------------- bond0.300 ---+        \\-- eno2 ==== sw2 --/
ovl/eth0 === vethO - br-ovl - vxlan42 - bond0.500
red/eth0 === vethV - vrf-red
wg/eth0

eno0 is a NIC, and is there if there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import kinds_nics
from kinds_makers import NETKIT_MAY, PAIR_MAKERS, PAIR_SAYS
from kinds_masters import JOINED, settled
from kinds_nics import CARD
from kinds_truth import HOME, Tie, Way

if TYPE_CHECKING:
    from kinds_site import Site

MIXED = "a host of many kinds"
NEEDS = ("bond LACP", "vlan", "vlan 802.1ad", "macvlan bridge", "vxlan dev", "vrf", "wireguard", "dummy")
SPACES = ("switch", "web", "nk", "mac", "qinq", "ovl", "red", "wg")
BOND, BRIDGE, OVERLAY, VXLAN, VRF, DUMMY = range(8000, 8006)
VLAN = 8100
NIC, LAG = 8010, 8020  # NICs have one ifindex at both ends
NETKIT, CLIENT, INSIDE = 8030, 8030, 40  # of a container's link, outside and inside
BRIDGED = {**NETKIT_MAY, "headroom": 4}  # the bridge leaves room for the tag of its VLAN
LACP = "type bond mode 802.3ad miimon 20 lacp_rate fast"


def build(site: Site) -> None:
    """Build it around home, if the kernel makes all kinds that are in it (netkit aside)."""
    if not site.needs(MIXED, *NEEDS):
        return
    netkit = site.can("netkit L2")
    site.space(*(name for name in SPACES if netkit or name != "nk"))
    if netkit:
        _netkit(site)
    ports = ["link set dev nk0 master br0", "link set dev nk0 up"] if netkit else []
    site.run(HOME, [*_uplink(site), *_vlans(site), *_bridged(site), *ports, *_stacked(site), *_routed(site)])
    site.run("switch", _switch(site))
    site.run("wg", ["link set dev eth0 up"])
    _ways(site, netkit=netkit)
    for index in (BOND, BRIDGE, OVERLAY, VRF, DUMMY, NIC + 1, NIC + 2, *range(CLIENT, CLIENT + 4)):
        site.lab.undo_link(index)


# -- outside the containers -----------------------------------------------------------------------------------------


def _at_home(site: Site, kind: str, index: int, ifname: str, *ties: Tie) -> None:
    site.made(MIXED, "at home", kind, HOME, index, ifname, ties)


def _uplink(site: Site) -> list[str]:
    """A bond of two NICs."""
    lines = [f"link add name bond0 index {BOND} {LACP}"]
    _at_home(site, "bond", BOND, "bond0")
    for number in (1, 2):
        at = NIC + number
        end, peer = (HOME, f"eno{number}", at), ("switch", f"sw{number}", at)
        mine, other = Tie("port", HOME, BOND), Tie("port", "switch", LAG)
        lines.append(site.veth(MIXED, end, peer, mine, peer_ties=[other], variant="the uplink"))
        lines += [f"link set dev eno{number} master bond0", f"link set dev eno{number} up"]
        site.waits.append((HOME, at, settled(JOINED)))
    if site.can(CARD):
        card = kinds_nics.take(site, kinds_nics.UPLINK)
        kinds_nics.place(site, card, HOME, "eno0", MIXED, "the NIC", Tie("port", HOME, BOND))
        lines += [f"link set dev eno0 {what}" for what in ("down", "master bond0", "up")]
    return [*lines, "link set dev bond0 up"]


def _switch(site: Site) -> list[str]:
    """The other side of the bond."""
    site.made(MIXED, "the switch", "bond", "switch", LAG, "lag")
    ports = [f"link set dev sw{number} {what}" for number in (1, 2) for what in ("master lag", "up")]
    return [f"link add name lag index {LAG} {LACP.replace('fast', 'slow')}", *ports, "link set dev lag up"]


def _vlans(site: Site) -> list[str]:
    """One for the bridge, one for macvlans, one for VLANs inside, one under the overlay."""
    lines = []
    for number, protocol in ((100, "802.1Q"), (200, "802.1Q"), (300, "802.1ad"), (500, "802.1Q")):
        name, words = f"bond0.{number}", f"link bond0 type vlan proto {protocol} id {number}"
        lines += [f"link add name {name} index {VLAN + number} {words}", f"link set dev {name} up"]
        port = [Tie("port", HOME, BRIDGE)] if number == 100 else []
        _at_home(site, "vlan", VLAN + number, name, Tie("lower", HOME, BOND), *port)
    return lines


# -- containers -----------------------------------------------------------------------------------------------------


def _netkit(site: Site) -> None:
    PAIR_MAKERS["netkit L2"](site.spaces[HOME], "nk0", NETKIT, "eth0", INSIDE, site.spaces["nk"])
    primary, peer = PAIR_SAYS["netkit L2"]
    ties = [Tie("peer", "nk", INSIDE), Tie("port", HOME, BRIDGE)]
    site.made(MIXED, "at home", "netkit", HOME, NETKIT, "nk0", ties, says=primary, may=BRIDGED)
    back = [Tie("peer", HOME, NETKIT)]
    site.made(MIXED, "in a container", "netkit", "nk", INSIDE, "eth0", back, says=peer, may=BRIDGED)


def _client(site: Site, ns: str, name: str, index: int, *ties: Tie) -> str:
    """A container's veth."""
    variant = "in a container, and its other end"
    return site.veth(MIXED, (HOME, name, index), (ns, "eth0", INSIDE), *ties, variant=variant)


def _bridged(site: Site) -> list[str]:
    """A bridge with a VLAN as uplink, and one with an overlay."""
    _at_home(site, "bridge", BRIDGE, "br0")
    _at_home(site, "bridge", OVERLAY, "br-ovl")
    under, port = Tie("underlay", HOME, VLAN + 500), Tie("port", HOME, OVERLAY)
    _at_home(site, "vxlan", VXLAN, "vxlan42", under, port)
    vxlan = "type vxlan id 42 dstport 4789 remote 10.1.1.2 local 10.1.1.1 dev bond0.500"
    return [
        f"link add name br0 index {BRIDGE} type bridge",
        "link set dev bond0.100 master br0",
        _client(site, "web", "vethX", CLIENT + 1, Tie("port", HOME, BRIDGE)),
        "link set dev vethX master br0",
        f"link add name br-ovl index {OVERLAY} type bridge",
        f"link add name vxlan42 index {VXLAN} {vxlan}",
        "link set dev vxlan42 master br-ovl",
        _client(site, "ovl", "vethO", CLIENT + 2, port),
        "link set dev vethO master br-ovl",
        *(f"link set dev {name} up" for name in ("br0", "vethX", "br-ovl", "vxlan42", "vethO")),
    ]


def _stacked(site: Site) -> list[str]:
    """Links of containers that stand on a VLAN of the host, and one that keeps its lower link to itself."""
    lines = []
    for ns, kind, words, lower in (
        ("mac", "macvlan", "link bond0.200 type macvlan mode bridge", VLAN + 200),
        ("qinq", "vlan", "link bond0.300 type vlan id 7", VLAN + 300),
        ("wg", "wireguard", "type wireguard", 0),
    ):
        lines += [
            f"link add name moving index {INSIDE} {words}",
            f"link set dev moving netns {ns} name eth0",
        ]
        # what its packets leave by is told by its socket, which is there while it is up
        ties = [Tie("lower", HOME, lower) if lower else Tie("underlay", HOME, None, "inferred", "sockets")]
        site.made(MIXED, "in a container", kind, ns, INSIDE, "eth0", ties)
    return lines


def _routed(site: Site) -> list[str]:
    """A VRF with a container, and a link that is tied to nothing."""
    _at_home(site, "vrf", VRF, "vrf-red")
    _at_home(site, "dummy", DUMMY, "dummy0")
    return [
        f"link add name vrf-red index {VRF} type vrf table 100",
        _client(site, "red", "vethV", CLIENT + 3, Tie("port", HOME, VRF)),
        "link set dev vethV master vrf-red",
        f"link add name dummy0 index {DUMMY} type dummy",
    ]


# -- the ways up ----------------------------------------------------------------------------------------------------


def _way(site: Site, start: str, *steps: tuple[str, str]) -> Way:
    """These steps one after the other, the last of which leads to the bond; from there over all its ports.

    At the NIC the way ends; over the two others it comes to the switch, where it meets itself.
    """
    first = [(after - 1, *step) for after, step in enumerate(steps)]
    bond, ends = len(first) - 1, []
    ports = ("eno0", "eno1", "eno2") if site.can(CARD) else ("eno1", "eno2")
    first += [(bond, "uplink", f"{HOME}/{port}") for port in ports]  # by ifindex, and a NIC's is low
    last = len(first) - 1
    if site.can(CARD):
        ends.append((bond + 1, "nic"))
    rest = [(last - 1, "peer", "switch/sw1"), (last, "peer", "switch/sw2"), (last + 1, "port", "switch/lag")]
    return Way(MIXED, start, (*first, *rest), (*ends, (last + 2, "again"), (last + 3, "no uplink")))


def _ways(site: Site, *, netkit: bool) -> None:
    on_br0 = (("port", f"{HOME}/br0"), ("uplink", f"{HOME}/bond0.100"), ("lower", f"{HOME}/bond0"))
    on_overlay = (
        ("port", f"{HOME}/br-ovl"),
        ("uplink", f"{HOME}/vxlan42"),
        ("underlay", f"{HOME}/bond0.500"),
        ("lower", f"{HOME}/bond0"),
    )
    site.truth.ways += [
        _way(site, "web/eth0", ("peer", f"{HOME}/vethX"), *on_br0),
        _way(site, "mac/eth0", ("lower", f"{HOME}/bond0.200"), ("lower", f"{HOME}/bond0")),
        _way(site, "qinq/eth0", ("lower", f"{HOME}/bond0.300"), ("lower", f"{HOME}/bond0")),
        _way(site, "ovl/eth0", ("peer", f"{HOME}/vethO"), *on_overlay),
        Way(MIXED, "red/eth0", ((-1, "peer", f"{HOME}/vethV"),), ((0, "routes"),)),
        Way(MIXED, "wg/eth0", ((-1, "underlay", HOME),), ((0, "namespace"),)),
        Way(MIXED, f"{HOME}/dummy0", (), ((-1, "nothing"),)),
    ]
    if netkit:
        site.truth.ways.append(_way(site, "nk/eth0", ("peer", f"{HOME}/nk0"), *on_br0))
