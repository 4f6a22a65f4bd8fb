"""Why we believe it: the facts behind a wire, or behind a peer that is not known, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.resolve.peers import other_index

if TYPE_CHECKING:
    from nswire.model.topology import Link, Topology


def why(link: Link) -> tuple[str, ...]:
    """The facts, the asked link's own first."""
    if link.wire is None and link.loose is None:
        return ()
    facts = [_says(link)]
    peer = link.peer
    if peer is not None:
        facts.append(_says(peer))
    wire = link.wire
    if wire is not None and peer is not None:
        facts.append(EVIDENCE[wire.evidence](link, peer))
    return tuple(facts)


def _says(link: Link) -> str:
    fact = link.fact
    index = other_index(fact)
    name = f"{link.netns.label}/{link.ifname}"
    if index is None:
        return f"{name}: the kernel does not say where its other end is"
    if fact.link_netnsid is None:
        return f"{name} ({link.ifindex}) names ifindex {index} and no other namespace (IFLA_LINK, no IFLA_LINK_NETNSID)"
    return f"{name} ({link.ifindex}) names ifindex {index} in nsid {fact.link_netnsid} (IFLA_LINK, IFLA_LINK_NETNSID)"


def _proved(link: Link, peer: Link) -> str:
    ...
