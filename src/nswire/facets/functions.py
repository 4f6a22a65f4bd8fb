"""SR-IOV: which physical function a virtual one belongs to, by the links of its folder in /sys/bus/pci."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec import procfs
from nswire.facets.facet import Asking, Detail, Facet
from nswire.model.values import End, Wire

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from nswire.model.facts import Facts
    from nswire.model.values import Gap, LinkFact, Loose, Value

PCI = "pci"
SAID_BY = "physfn of its PCI device"


def ask(asking: Asking, ends: Collection[End]) -> Iterator[Wire | Loose | Detail | Gap]:
    """For a virtual function a wire to the link of its physical one; for that one, the addresses of all of its own."""
    for end in sorted(ends, key=lambda end: (end.ns, end.ifindex)):
        functions = _functions(asking, asking.facts.links[end.ns][end.ifindex])
        said: dict[str, Value] = {}
        virtual = [address for name, address in functions.items() if name.startswith("virtfn")]
        if virtual:
            said["virtual"] = " ".join(_with_link(asking.facts, address) for address in virtual)
        physical = functions.get("physfn", "")
        if physical:
            said["physical"] = _with_link(asking.facts, physical)
            for lower in _at(asking.facts, physical):
                yield Wire("lower", end, lower, "proved", SAID_BY)
        if said:
            yield Detail(end, said)


def _functions(asking: Asking, link: LinkFact) -> Mapping[str, str]:
    answer = asking.host(f"pci/{link.parentdev}")
    return procfs.links(answer) if isinstance(answer, bytes) else {}


def _at(facts: Facts, address: str) -> list[End]:
    """The link of a PCI function, in whatever namespace; of some NICs there are several, and then none is the one."""
    found = [
        End(ns, link.ifindex)
        for ns, links in facts.links.items()
        for link in links.values()
        if link.parentdev == address and link.parentbus == PCI and not link.kind
    ]
    return found if len(found) == 1 else []


def _with_link(facts: Facts, address: str) -> str:
    names = [facts.links[end.ns][end.ifindex].ifname for end in _at(facts, address)]
    return f"{address} ({names[0]})" if names else address


FACET = Facet("functions", lambda link: link.parentbus == PCI and not link.kind, ask, wires=("lower",))
