"""Why we believe it: the facts behind a wire, or behind a peer that is not known, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.kinds.kind import iflink
from nswire.model import unresolved

if TYPE_CHECKING:
    from nswire.model.topology import Link


def why(link: Link) -> tuple[str, ...]:
    """The facts, the asked link's own first."""
    wire, loose, peer = link.wire, link.loose, link.peer
    if wire is None or peer is None:
        return () if loose is None else (_says(link), unresolved.of(loose.state).fact)
    proving = link if link.end == wire.a else peer
    return (
        _says(link),
        _says(peer),
        EVIDENCE.get(wire.evidence, _inferred)(proving, peer if proving == link else link, wire.said_by),
    )


def _says(link: Link) -> str:
    fact = link.fact
    index = iflink(fact)
    name = f"{_title(link)}/{link.ifname} ({link.ifindex})"
    if index is None:
        return f"{name} has no IFLA_LINK: its kernel does not say what its peer is"
    if fact.link_netnsid is None:
        return f"{name} reports peer ifindex {index} in its own namespace (IFLA_LINK, no IFLA_LINK_NETNSID)"
    whose = "" if link.numbered_by == link.netns else f" of {link.topology.title(link.numbered_by)}"
    nsid = f"nsid {fact.link_netnsid}{whose}"
    return f"{name} reports peer ifindex {index} in {nsid} (IFLA_LINK, IFLA_LINK_NETNSID)"


def _title(link: Link) -> str:
    return link.topology.title(link.netns)


def _proved(proving: Link, other: Link, said_by: str) -> str:
    if proving.fact.link_netnsid is None:
        return "the kernel leaves IFLA_LINK_NETNSID out only where both ends are in one namespace"
    return f"nsid {proving.fact.link_netnsid} of {proving.topology.title(proving.numbered_by)} is {_title(other)} ({said_by})"


def _mutual(_: Link, __: Link, ___: str) -> str:
    return (
        "each names the other's ifindex and no third link fits; this kernel does not say in which namespace"
    )


def _inferred(_: Link, __: Link, ___: str) -> str:
    return "a name or a MAC says so; the kernel does not"


EVIDENCE = {"proved": _proved, "mutual": _mutual}
