"""What there is, as metrics: links, bonds and their LACP, namespaces. What is wrong is in `openmetrics`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire import kinds
from nswire.show.reports.openmetrics import MOST, Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nswire.model.topology import Link, Topology

    Sample = tuple[Mapping[str, str], float]

NOBODY = "00:00:00:00:00:00"
LINKS: tuple[tuple[str, str, Callable[[Link], float]], ...] = (
    ("nswire_link_up", "1 if a link is set up.", lambda link: float("UP" in link.flags)),
    ("nswire_link_carrier", "1 if a link has a carrier.", lambda link: float("LOWER_UP" in link.flags)),
    ("nswire_link_mtu_bytes", "The MTU of a link.", lambda link: float(link.fact.mtu)),
)


def metrics(topology: Topology, most: int = MOST) -> list[Metric]:
    """Gauges of all links but lo and the tunnels that the kernel itself makes; at most so many series of each."""
    links = [link for link in topology if not link.loopback and not kinds.is_fallback(link.fact)]
    spaces = topology.namespaces.values()
    left_out = max(0, len(links) - most) + max(0, len(spaces) - most)
    bonds = [link for link in links if link.kind == "bond"]
    slaves = [(bond, port) for bond in bonds for port in bond.ports]
    return [
        Metric("nswire_namespaces", "How many namespaces there are.", [({}, float(len(spaces)))]),
        Metric("nswire_links", "How many links there are.", [({}, float(len(links)))]),
        Metric("nswire_left_out", "Links and namespaces without a series of their own.", [({}, float(left_out))]),
        Metric(
            "nswire_namespace_links",
            "How many links a namespace has.",
            [({"namespace": ns.label}, float(topology.count(ns.key))) for ns in spaces][:most],
        ),
        *(
            Metric(name, text, [(_labels(link), read(link)) for link in links][:most])
            for name, text, read in LINKS
        ),
        Metric("nswire_bond_slaves", "How many ports a bond has.", _of_bonds(bonds, most, lambda bond: len(bond.ports))),
        Metric(
            "nswire_bond_active_slaves",
            "How many ports of a bond are up.",
            _of_bonds(bonds, most, lambda bond: sum(_said(port, "mii_status") == "UP" for port in bond.ports)),
        ),
        Metric(
            "nswire_lacp_partner",
            "1 if somebody speaks LACP at the other side of a bond of mode 802.3ad.",
            [(_bond(bond), _partner(bond)) for bond in bonds if _said(bond, "mode") == "802.3ad"][:most],
        ),
        Metric(
            "nswire_lacp_aggregator",
            "The aggregator that a port of a bond is in.",
            [
                ({**_bond(bond), "link": port.ifname}, float(number))
                for bond, port in slaves
                if isinstance(number := _said(port, "ad_aggregator_id"), int)
            ][:most],
        ),
    ]  # fmt: skip


def _labels(link: Link) -> dict[str, str]:
    return {"namespace": link.netns.label, "link": link.ifname, "kind": link.kind}


def _bond(bond: Link) -> dict[str, str]:
    return {"namespace": bond.netns.label, "bond": bond.ifname}


def _of_bonds(bonds: list[Link], most: int, read: Callable[[Link], int]) -> list[Sample]:
    return [(_bond(bond), float(read(bond))) for bond in bonds[:most]]


def _said(link: Link, name: str) -> object:
    return kinds.port_details(link.fact).get(name, kinds.details(link.fact).get(name))


def _partner(bond: Link) -> float:
    info = _said(bond, "ad_info")
    return float(isinstance(info, dict) and info.get("partner_mac", NOBODY) != NOBODY)
