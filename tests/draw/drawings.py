"""Topologies to be drawn: one with everything in it, and others made to measure."""

from __future__ import annotations

from errno import EPERM
from typing import TYPE_CHECKING, Any

from nswire.host.failures import refusal
from nswire.model.gaps import NO_WAY, Gap, Requirement, Subject, Unseen, counted
from nswire.model.inspector import NothingMore
from nswire.model.topology import Topology
from nswire.model.values import (
    Address,
    End,
    Far,
    LinkFact,
    Loose,
    Namespace,
    Owner,
    Taken,
    Wire,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

HOME = 4026531840
WEB, DB, VPN, QR, CLOSED, LONE = (HOME + number for number in range(1, 7))
HIDDEN = -1
EVIL = "</svg><script>alert('x')</script>"
UP: dict[str, Any]
NO_CARRIER: dict[str, Any]
LOWER_DOWN: dict[str, Any]
DOWN: dict[str, Any]
UP, NO_CARRIER, LOWER_DOWN, DOWN = (
    {"flags": 0x11043, "operstate": 6},
    {"flags": 0x1003, "operstate": 2},
    {"flags": 0x1003, "operstate": 3},
    {"flags": 0x1002, "operstate": 2},
)
LINKS = Unseen("test.links", "its links", Requirement(("SYS_ADMIN",), "run as root (CAP_SYS_ADMIN)"))
HOLDERS = Unseen("test.holders", "who holds it")


def fact(ifindex: int, ifname: str, kind: str = "veth", **more: object) -> LinkFact:
    given = {
        "link": None,
        "link_netnsid": None,
        "master": None,
        "address": f"02:00:00:00:{ifindex // 256:02x}:{ifindex % 256:02x}",
        "mtu": 1500,
        **UP,
        "type": 1,
        "altnames": (),
        "alias": "",
        "permaddr": "",
        "parentdev": "",
        "parentbus": "",
        "data": b"",
        "slave_kind": "",
        "slave_data": b"",
    } | more
    return LinkFact(ifindex=ifindex, ifname=ifname, kind=kind, **given)


class Told(NothingMore):
    """What a topology made by hand is told late."""

    def __init__(
        self,
        *,
        wires: Iterable[Wire] = (),
        loose: Iterable[Loose] = (),
        addresses: Mapping[End, Iterable[str]] | None = None,
        owners: Mapping[int, tuple[Owner, ...]] | None = None,
        links_owned: Mapping[End, tuple[Owner, ...]] | None = None,
    ) -> None:
        self._wires = tuple(wires)
        self._loose = tuple(loose)
        self._addresses = addresses or {}
        self._owners = owners or {}
        self._links_owned = links_owned or {}

    def addresses(self, ns: int) -> tuple[Address, ...]:
        return tuple(
            Address(end.ifindex, one, 10 if ":" in one else 2, 253 if one.startswith("fe80") else 0)
            for end, many in self._addresses.items()
            if end.ns == ns
            for one in many
        )

    def wires(self, end: End, relations: Collection[str]) -> tuple[Wire, ...]:
        return tuple(
            wire
            for wire in self._wires
            if end in (wire.a, wire.b) and (not relations or wire.relation in relations)
        )

    def loose(self, end: End, relations: Collection[str]) -> tuple[Loose, ...]:
        return tuple(
            one for one in self._loose if one.a == end and (not relations or one.relation in relations)
        )

    def owners(self, ns: int) -> tuple[Owner, ...]:
        return self._owners.get(ns, ())

    def owned(self) -> tuple[tuple[Owner, int | None, tuple[End, ...]], ...]:
        return (
            *((one, ns, ()) for ns, many in self._owners.items() for one in many),
            *((one, None, (end,)) for end, many in self._links_owned.items() for one in many),
        )

    def link_owners(self, end: End) -> tuple[Owner, ...]:
        return self._links_owned.get(end, ())


def space(key: int, label: str, **more: object) -> Namespace:
    inode = key if key > 0 else None
    return Namespace(key, inode, None, (label,), label, **more)  # type: ignore[arg-type]


def made(
    spaces: Iterable[Namespace],
    links: Mapping[int, Iterable[LinkFact]],
    wires: Iterable[Wire],
    late: Told,
    loose: Iterable[Loose] = (),
    gaps: tuple[Gap, ...] = (),
) -> Topology:
    """A topology: the pairs and lowers among the wires where a topology has them, the others are told late."""
    pairs: dict[End, Wire] = {}
    lowers: dict[End, tuple[Wire, ...]] = {}
    for wire in wires:
        if wire.relation == "peer" and wire.b is not None:
            pairs[wire.a] = pairs[wire.b] = wire
        else:
            lowers[wire.a] = (*lowers.get(wire.a, ()), wire)
    return Topology(
        home=HOME,
        namespaces={ns.key: ns for ns in spaces},
        links={ns: {one.ifindex: one for one in many} for ns, many in links.items()},
        wires=pairs,
        lowers=lowers,
        loose={one.a: one for one in loose},
        gaps=gaps,
        taken=Taken("2026-01-01T00:00:00.000+00:00", 0.1, "0.1.0", "6.18.0", "node-7", ("CAP_SYS_ADMIN",), 0),
        inspector=late,
    )


def peer(a: End, b: End, evidence: str = "proved") -> Wire:
    return Wire("peer", a, b, evidence)  # type: ignore[arg-type]


def at(ns: int, *indexes: int) -> list[End]:
    return [End(ns, index) for index in indexes]


HOME_LINKS = (
    fact(1, "lo", "", flags=0x10049, operstate=0, type=772),
    fact(2, "eno1", "", master=4, parentdev="0000:3b:00.0"),
    fact(3, "eno2", "", master=4, parentdev="0000:3b:00.1", **NO_CARRIER),
    fact(4, "bond0", "bond"),
    fact(5, "bond0.100", "vlan", master=6),
    fact(6, "br0", "bridge"),
    fact(7, "vethweb", master=6),
    fact(8, "vethdb", master=6, mtu=1450),
    fact(9, "vethgone", master=6, **LOWER_DOWN),
    fact(10, "tap0", "tun", master=6),
    fact(11, "br-int", "openvswitch"),
    fact(12, "br-ex", "openvswitch"),
    fact(13, "qvo1", master=None),
    fact(14, "qvb1", master=15),
    fact(15, "qbr1", "bridge"),
    fact(16, "wg0", "wireguard", flags=0x100D1, operstate=0),
    fact(17, "vethclosed"),
    fact(18, "vethold"),
    fact(19, "gre0", "gre", flags=0x80, operstate=2),
    fact(20, "ifb0", "ifb"),
    fact(21, "dummy0", "dummy", **DOWN),
    fact(22, "vethlost", link=9, link_netnsid=3),
    fact(23, "vethhidden"),
)


def build_everything() -> Topology:
    """One host with all that a picture has signs for."""
    home = {link.ifname: End(HOME, link.ifindex) for link in HOME_LINKS}
    web0, db0, mac0, qr0, tun0, eth_hidden = (
        End(WEB, 2), End(DB, 2), End(VPN, 2), End(QR, 2), End(VPN, 3), End(HIDDEN, 2),
    )  # fmt: skip
    links = {
        HOME: HOME_LINKS,
        WEB: (fact(1, "lo", "", flags=0x10049), fact(2, "eth0")),
        DB: (
            fact(2, "eth0", mtu=1500),
            fact(3, "日本語インターフェース", "dummy"),
            fact(4, EVIL[:15], "dummy"),
        ),
        VPN: (fact(2, "macv0", "macvlan", data=bytes.fromhex("0800010004000000")), fact(3, "tun0", "tun")),
        QR: (fact(2, "qr-11111111-22", "openvswitch"), fact(3, "שלום", "dummy")),
        CLOSED: (),
        LONE: (),
        HIDDEN: (fact(2, "eth0"),),
    }
    wires = [
        peer(home["vethweb"], web0),
        peer(home["vethdb"], db0, "mutual"),
        peer(home["qvo1"], home["qvb1"]),
        peer(home["vethhidden"], eth_hidden),
        Wire("lower", home["bond0.100"], home["bond0"], "proved"),
        Wire("lower", mac0, home["bond0"], "proved"),
    ]
    qemu = Far("process", "qemu-system-x86", HOME, 4242, (("fd", "31"), ("vhost", True)))
    late = Told(
        wires=[
            Wire("tap", home["tap0"], None, "proved", to=qemu),
            Wire("tap", tun0, None, "inferred", to=Far("process", "openvpn", VPN, 777)),
            Wire("port", home["qvo1"], home["br-int"], "proved", data=(("tag", 5), ("ofport", 3))),
            Wire("port", qr0, home["br-int"], "inferred", data=(("tag", 5),)),
            Wire("patch", home["br-int"], home["br-ex"], "proved"),
            Wire("underlay", home["br-int"], None, "proved", to=Far("tunnel", "vx-0a", data=(("remote_ip", "192.0.2.9"),))),
            Wire("underlay", home["wg0"], None, "inferred", to=Far("namespace", ns=WEB)),
            Wire("redirect", home["dummy0"], home["ifb0"], "proved", data=(("from", "ingress"), ("to", "egress"))),
        ],
        loose=[],
        addresses={
            home["br0"]: ["192.0.2.1/24", "2001:db8::1/64", "fe80::1/64"],
            web0: ["192.0.2.17/24"],
            db0: ["2001:db8:0:1:2:3:4:5/64"],
            qr0: ["10.10.0.1/24"],
        },
        owners={WEB: (Owner("container", "web", "4f1c", "docker", 812),)},
        links_owned={home["tap0"]: (Owner("vm", "build-7", "i-7", "libvirt", 4242),)},
    )  # fmt: skip
    return made(
        [
            space(HOME, "host", home=True),
            space(WEB, "net:[4026531841]"),
            space(DB, "db"),
            space(VPN, "vpn"),
            space(QR, "qrouter-1f9d3c5e-0e6b-4b7a-9a53-7c2f1d1e9b11"),
            space(CLOSED, "closed", readable=False),
            space(LONE, EVIL),
            space(HIDDEN, "nsid:5@host", hidden=True, seen_from=(HOME, 5)),
        ],
        links,
        wires,
        late,
        loose=[
            Loose(home["vethgone"], "peer", "gone", 5, 1),
            Loose(home["vethclosed"], "peer", "not permitted", 7, 4, CLOSED),
            Loose(home["vethold"], "peer", "ambiguous", 2, None, candidates=(web0, db0)),
            Loose(home["vethlost"], "peer", "not visible", 9, 3),
        ],
        gaps=(
            LINKS(counted(1, "namespace", "namespaces"), *refusal(EPERM)),
            HOLDERS(Subject("nsid:5@host"), NO_WAY()),
        ),
    )


def build_many(count: int, *, down: int = 0) -> Topology:
    """A bridge with so many namespaces, the last `down` of which are switched off."""
    spaces = [space(HOME, "host", home=True)]
    links: dict[int, list[LinkFact]] = {HOME: [fact(2, "eno1", "", master=3), fact(3, "br0", "bridge")]}
    wires = []
    addresses = {}
    for number in range(count):
        ns, outer = HOME + 1 + number, 100 + number
        state = DOWN if number >= count - down else UP
        spaces.append(space(ns, f"ns{number:05d}"))
        links[ns] = [fact(2, "eth0", **state)]
        links[HOME].append(fact(outer, f"veth{number}", master=3, **(NO_CARRIER if state is DOWN else UP)))
        wires.append(peer(End(ns, 2), End(HOME, outer)))
        addresses[End(ns, 2)] = [f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}/8"]
    return made(spaces, links, wires, Told(addresses=addresses))


HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]><!--",
    "a\\",
    'a"b',
    "\\N\\G\\l",
    "{a|b}",
    "&lt;b&gt;&amp;",
    "`**x**`",
    "#quot;",
    "end",
    "1. x",
    "- x",
    "%%{init: {}}%%",
    "javascript:alert(1)",
    "x\x1b]0;t\x07",
    "\u202eevil",
    "\u2028\u2029",
    "by\udcfftes",
    "a\x00b",
    "\ufffe",
)


def hostile(name: str) -> Topology:
    """A host on which everything that has a name is called so."""
    owner = Owner(name, name, name, name, data=((name, name),))
    named = space(HOME + 1, name)
    links = {
        HOME: [fact(2, name, altnames=(name,), alias=name, parentdev=name)],
        HOME + 1: [fact(2, name, kind=name or "x")],
    }
    late = Told(
        addresses={End(HOME, 2): [name or "x"]},
        owners={HOME + 1: (owner,)},
        links_owned={End(HOME, 2): (owner,)},
    )
    return made([space(HOME, "host", home=True), named], links, [peer(End(HOME, 2), End(HOME + 1, 2))], late)
