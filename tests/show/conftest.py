"""One host, built by hand, with everything in it that the texts and documents have words for."""

from __future__ import annotations

from errno import EPERM
from typing import TYPE_CHECKING

import pytest

from nswire.host.failures import refusal
from nswire.model.gaps import Requirement, Unseen, counted
from nswire.model.inspector import NothingMore
from nswire.model.topology import Topology
from nswire.model.values import (
    Address,
    End,
    Holder,
    LinkFact,
    Loose,
    Namespace,
    Taken,
    Wire,
)

if TYPE_CHECKING:
    from collections.abc import Callable

HOME, QDHCP, LOCKED, HIDDEN = 4026531840, 4026532177, 4026532178, -1
EVIL = "ev\x1b[31m\u202eil"
LINKS = Unseen("test.links", "its links", Requirement(("SYS_ADMIN",), "run as root (CAP_SYS_ADMIN)"))


class Known(NothingMore):
    """What the host answers late."""

    def addresses(self, ns: int) -> tuple[Address, ...]:
        known = {
            HOME: [Address(1, "127.0.0.1/8", 2, 254)],
            QDHCP: [Address(68, "10.10.100.2/24", 2, 0), Address(68, "169.254.169.254/16", 2, 0)],
        }
        return tuple(known.get(ns, ()))

    def comm(self, pid: int) -> str:
        return {812: "dnsmasq"}.get(pid, "")


def fact(ifindex: int, ifname: str, kind: str = "veth", **more: object) -> LinkFact:
    given = {
        "link": None,
        "link_netnsid": None,
        "master": None,
        "address": f"02:00:00:00:00:{ifindex % 256:02x}",
        "mtu": 1500,
        "operstate": 6,
        "flags": 0x11043,
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
    return LinkFact(ifindex=ifindex, ifname=ifname, kind=kind, **given)  # type: ignore[arg-type]


@pytest.fixture
def topology() -> Topology:
    home = [
        fact(1, "lo", "", flags=0x10049, operstate=0, type=772, address="00:00:00:00:00:00"),
        fact(3, "eth1", "", master=67, slave_kind="bridge", parentdev="0000:00:03.0", parentbus="pci"),
        fact(67, "brq1", "bridge"),
        fact(
            69,
            "tap1",
            link=68,
            link_netnsid=0,
            master=67,
            slave_kind="bridge",
            altnames=(EVIL, "日本🎉"),
            alias="customer 17",
        ),
        fact(70, "out0", link=9, link_netnsid=3, operstate=2, flags=0x1002),
        fact(71, "old0", link=5),
        fact(72, "bytes\udcff", link=2, link_netnsid=4),
    ]
    peer = Wire("peer", End(QDHCP, 68), End(HOME, 69), "proved", "RTM_GETNSID")
    hidden = Wire("peer", End(HOME, 72), End(HIDDEN, 2), "proved", "IFLA_TARGET_NETNSID")
    return Topology(
        home=HOME,
        namespaces={
            HOME: Namespace(
                HOME, HOME, 1, (), "host", home=True, holders=tuple(Holder("process", n) for n in (1, 50, 51))
            ),
            QDHCP: Namespace(
                QDHCP,
                QDHCP,
                7,
                ("qdhcp-1",),
                "qdhcp-1",
                holders=(
                    Holder("name", path="/run/netns/qdhcp-1"),
                    Holder("mount", path="/run/netns/qdhcp-1"),
                    Holder("process", 812),
                    Holder("fd", 812, number=5),
                ),
            ),
            LOCKED: Namespace(
                LOCKED,
                LOCKED,
                None,
                (EVIL,),
                EVIL,
                readable=False,
                holders=(Holder("name", path=f"/run/netns/{EVIL}"),),
            ),
            HIDDEN: Namespace(HIDDEN, None, None, (), "nsid:4@host", hidden=True, seen_from=(HOME, 4)),
        },
        links={
            HOME: {one.ifindex: one for one in home},
            QDHCP: {68: fact(68, "ns-1", link=69, link_netnsid=0, address="fa:16:3e:98:e6:f3")},
            HIDDEN: {2: fact(2, "eth0", link=72, link_netnsid=0)},
        },
        wires={End(HOME, 69): peer, End(QDHCP, 68): peer, End(HOME, 72): hidden, End(HIDDEN, 2): hidden},
        lowers={},
        loose={
            End(HOME, 70): Loose(End(HOME, 70), "peer", "not permitted", 9, 3, LOCKED),
            End(HOME, 71): Loose(
                End(HOME, 71), "peer", "ambiguous", 5, None, candidates=(End(QDHCP, 68), End(HIDDEN, 2))
            ),
        },
        gaps=(LINKS(counted(1, "namespace", "namespaces"), *refusal(EPERM)),),
        taken=Taken("2026-01-01T00:00:00.000+00:00", 0.1, "0.1.0", "6.18.0", "host", ("CAP_NET_RAW",), 1000),
        inspector=Known(),
    )


def small(links: list[LinkFact]) -> Topology:
    """A host with one namespace."""
    return Topology(
        home=HOME,
        namespaces={HOME: Namespace(HOME, HOME, 1, (), "host", home=True)},
        links={HOME: {link.ifindex: link for link in links}},
        wires={},
        lowers={},
        loose={},
        gaps=(),
        taken=Taken("2026-01-01T00:00:00.000+00:00", 0.1, "0.1.0", "6.18.0", "host", (), 0),
        inspector=NothingMore(),
    )


@pytest.fixture
def tower() -> Callable[[int], Topology]:
    """So many links, each the master of the one before."""
    return lambda height: small(
        [fact(i, f"l{i}", "bridge", master=i + 1 if i < height else None) for i in range(1, height + 1)]
    )


@pytest.fixture
def fan() -> Callable[[int], Topology]:
    """A bridge with so many NICs."""
    return lambda count: small(
        [fact(1, "br0", "bridge"), *(fact(i, f"nic{i}", "", master=1) for i in range(2, count + 2))]
    )


@pytest.fixture
def fallbacks() -> Topology:
    """A namespace as the kernel makes it, one of whose tunnels is in use."""
    return small(
        [fact(1, "nic0", ""), fact(2, "gre0", "gre", flags=0x80), fact(3, "tunl0", "ipip", flags=0x81)]
    )
