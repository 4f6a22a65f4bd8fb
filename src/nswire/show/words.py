"""Links, namespaces and open ends in words: the pieces that all texts share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire import kinds
from nswire.model import owner_types, relations, unresolved
from nswire.show.terminal import Line, Span, fold_text, line, span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.model.gaps import Gap
    from nswire.model.topology import Link, Topology
    from nswire.model.values import Address, Far, Loose, Namespace, Owner
    from nswire.show.terminal import Paper

STATE_STYLES = {"UP": "up", "DOWN": "down", "LOWERLAYERDOWN": "down", "NOTPRESENT": "down"}
GAPS_SHOWN = 10


def netns(topology: Topology, ns: Namespace) -> Span:
    """A namespace by its title."""
    return span(topology.title(ns), "doubt" if ns.hidden or not ns.readable else "netns")


def place(link: Link) -> Line:
    """`NETNS/IFNAME`."""
    return (netns(link.topology, link.netns), Span("/"), span(link.ifname, "name"))


def state(link: Link) -> Span:
    """Its operational state; a link without one, such as lo, by its flags."""
    if link.operstate == "UNKNOWN":
        up = "UP" in link.flags
        return span("UNKNOWN" if up else "DOWN", "" if up else "down")
    return span(link.operstate, STATE_STYLES.get(link.operstate, ""))


def facts(link: Link, *, every: bool = True) -> list[Line]:
    """What stands behind a link's name: index, kind, state, MAC, addresses; not `every` one: without link-local ones."""
    words = [
        span(f"ifindex {link.ifindex}"),
        span(kind(link)),
        *port_state(link),
        state(link),
        span(link.fact.address),
    ]
    words += [span(address(one)) for one in (link.addresses if every else routable(link))]
    words.append(span(owners(link.owners), "owner"))
    return [(word,) for word in words if word.text]


def routable(link: Link) -> list[Address]:
    """Its addresses that others than its neighbours know; a link-local one if something is the matter with it, or no other is there."""
    some = [one for one in link.addresses if one.trouble or not one.ip.startswith(LINK_LOCAL)]
    return some or [one for one in link.addresses if one.ip.startswith(LINK_LOCAL[0])]


LINK_LOCAL = ("169.254.", "fe8", "fe9", "fea", "feb")  # RFC 3927, RFC 4291


def address(one: Address) -> str:
    """An address, and what is the matter with it: `fd01::2/64 dadfailed`."""
    return " ".join((one.address, *one.trouble))


def kind(link: Link) -> str:
    """Its kind, with what matters most of it: `vlan id 100`, `bond 802.3ad`, `vxlan id 7 remote 192.0.2.9`."""
    return kinds.brief(link.fact)


def owner(one: Owner) -> str:
    """An owner in plain words: `web (docker, compose shop)`, `dhcp of network fabc7ead (neutron, dnsmasq pid 812)`."""
    data = dict(one.data)
    told = [f"{word} {data[word]}" for word in owner_types.LABEL_DATA if word in data]
    pid = (
        f"{data.get('daemon', '')} pid {one.pid}".strip()
        if one.pid and owner_types.of(one.type).shows_pid
        else ""
    )
    return f"{owner_types.label(one)} ({', '.join(word for word in (one.by, *told, pid) if word)})"


def counted(number: int, thing: str) -> str:
    """`1 link`, `2 links`."""
    return f"{number} {thing}{'s' * (number != 1)}"


def homeless(ns: Namespace | None) -> str:
    """Why an owner has no link: he is in the host's own namespace, or where he is cannot be seen."""
    if ns is None:
        return "which namespace it is in cannot be seen by this user"
    return "it uses the host's network, and has no link of its own"


def owners(some: Iterable[Owner]) -> str:
    """All of them, the first few by name."""
    told = [owner(one) for one in some]
    return ", ".join(told[:OWNERS_TOLD]) + (
        f" and {len(told) - OWNERS_TOLD} more" if len(told) > OWNERS_TOLD else ""
    )


OWNERS_TOLD = 3


def port_state(link: Link) -> tuple[Span, ...]:
    """What its master says of it as a port, if frames do not simply pass: `blocking`, `BACKUP`."""
    state = kinds.blocked(link.fact)
    return (span(state, "doubt"),) if state else ()


def far(to: Far, topology: Topology) -> Line:
    """An end of a wire that is no link."""
    ns = None if to.ns is None else topology.namespaces.get(to.ns)
    place = () if ns is None else (netns(topology, ns),)
    if to.type == "process":
        inside = (Span(" in "), *place) if place else ()
        return line(
            span(f"pid {to.pid}", "name"), *((Span(" "), span(f"({to.name})")) if to.name else ()), *inside
        )
    if to.type == "namespace":
        return place or line("another namespace")
    return line(span(to.name, "name"))


def far_end(topology: Topology, loose: Loose) -> str:
    """Where the other end is, as far as that is known. Escape it like any text from outside."""
    if loose.relation == "underlay" and loose.ifindex is None:
        names = ", ".join(
            ns.label for key in loose.spaces if (ns := topology.namespaces.get(key)) is not None
        )
        return unresolved.of(loose.state).namespace.format(names=names, where=_where(topology, loose))
    index = "a link" if loose.ifindex is None else f"ifindex {loose.ifindex}"
    what = relations.of(loose.relation).other or loose.relation
    return unresolved.of(loose.state).link.format(what=what, index=index, where=_where(topology, loose))


def _where(topology: Topology, loose: Loose) -> str:
    ns = None if loose.ns is None else topology.namespaces.get(loose.ns)
    if ns is not None:
        return ns.label
    if loose.ns is not None and loose.ns > 0:
        return f"net:[{loose.ns}]"
    if loose.nsid is None:
        return "its own or one without a number"
    link = topology.get(loose.a)
    through = "" if link is None or link.numbered_by.home else f" of {link.numbered_by.label}"
    return f"nsid {loose.nsid}{through}"


def unlock(topology: Topology, loose: Loose) -> str:
    """What would tell more about an open end; empty if nothing is known that would."""
    if loose.relation != "peer" and loose.state == "ambiguous":
        return ""
    privileged, unprivileged = unresolved.of(loose.state).hint
    return privileged if able(topology) else unprivileged


def able(topology: Topology) -> bool:
    """True if this was asked with what a user needs to enter namespaces."""
    return "CAP_SYS_ADMIN" in topology.taken.capabilities


def write_gaps(paper: Paper, gaps: tuple[Gap, ...]) -> None:
    """What was not seen, most important first: a part of the answer, below it."""
    if not gaps:
        return
    paper.print()
    for gap in gaps[:GAPS_SHOWN]:
        fold_text(paper, (), f"not seen: {gap.text_with_hint}", "dim")
    if len(gaps) > GAPS_SHOWN:
        paper.print(Span(f"and {len(gaps) - GAPS_SHOWN} more: --json shows all", "dim"))
