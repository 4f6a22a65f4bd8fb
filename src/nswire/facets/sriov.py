"""SR-IOV: which physical function a virtual one belongs to, by the links of its folder in /sys/bus/pci."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec import ethtool, procfs
from nswire.facets.facet import LOOPBACK, Detail, Facet
from nswire.facets.query import decoded, of_each
from nswire.host import requests
from nswire.model.values import End, Wire

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from nswire.host.client import Client
    from nswire.model.facts import Facts
    from nswire.model.gaps import Gap
    from nswire.model.values import LinkFact, Loose, Value

    Addresses = Mapping[End, str]

PCI, PHYSICAL = "pci", "physfn"
SAID_BY = "physfn of its PCI device"


def ask(client: Client, ends: Collection[End]) -> Iterator[Wire | Loose | Detail | Gap]:
    """For a virtual function a wire to the link of its physical one; for that one, the addresses of all of its own."""
    own = _addresses(client, ends)
    known = {end: _functions(client, own[end]) for end in sorted(own, key=lambda end: (end.ns, end.ifindex))}
    of_all: Addresses = {}
    if any(known.values()):  # whose the other functions are is told by the addresses of all links
        of_all = _addresses(
            client, {End(ns, link) for ns, links in client.facts.links.items() for link in links}
        )
    for end, functions in known.items():
        said: dict[str, Value] = {}
        virtual = sorted(address for name, address in functions.items() if name != PHYSICAL)
        if virtual:
            said["virtual"] = " ".join(_with_link(client.facts, of_all, address) for address in virtual)
        physical = functions.get(PHYSICAL, "")
        if physical:
            said["physical"] = _with_link(client.facts, of_all, physical)
            for lower in _at(of_all, physical):
                yield Wire("lower", end, lower, "proved", SAID_BY)
        if said:
            yield Detail(end, said)


def _addresses(client: Client, ends: Collection[End]) -> Addresses:
    """The PCI addresses of those links that have one: by IFLA_PARENT_DEV_NAME, and before Linux 5.14 by their drivers."""
    links = client.facts.links
    nics = {end: links[end.ns][end.ifindex] for end in ends if _may_have_one(links[end.ns][end.ifindex])}
    found = {end: link.parentdev for end, link in nics.items() if link.parentbus}
    untold = nics.keys() - found.keys()
    for end, (answer,) in of_each(client, untold, lambda link: (requests.driver(link.ifname),)):
        told = decoded(answer, ethtool.driver)
        address = "" if isinstance(told, int) else told.get("bus-info", "")
        if address:
            found[end] = address
    return found


def _may_have_one(link: LinkFact) -> bool:
    return not link.kind and link.type != LOOPBACK and link.parentbus in (PCI, "")


def _functions(client: Client, address: str) -> Mapping[str, str]:
    """The PCI addresses of its physical function and of its virtual ones, by the kernel's names for them."""
    answer = client.host(f"pci/{address}")
    found = procfs.links(answer) if isinstance(answer, bytes) else {}
    return {name: one for name, one in found.items() if name == PHYSICAL or name.startswith("virtfn")}


def _at(addresses: Addresses, address: str) -> list[End]:
    """The link of a PCI function, in whatever namespace; of some NICs there are several, and then none is the one."""
    found = [end for end, one in addresses.items() if one == address]
    return found if len(found) == 1 else []


def _with_link(facts: Facts, addresses: Addresses, address: str) -> str:
    names = [facts.links[end.ns][end.ifindex].ifname for end in _at(addresses, address)]
    return f"{address} ({names[0]})" if names else address


FACET = Facet("functions", _may_have_one, ask, wires=("lower",))
