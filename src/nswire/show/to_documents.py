"""Topology to documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from nswire.kinds import PAIRS, details, port_details
from nswire.model.values import End
from nswire.resolve.carrier import stopped
from nswire.resolve.evidence import why
from nswire.resolve.uplinks import ENDS, may_lead_out, way_up
from nswire.show.cleanup_commands import release
from nswire.show.documents import (
    EndDoc,
    FarDoc,
    HolderDoc,
    LinkDoc,
    LowerDoc,
    NamespaceDoc,
    NetnsDoc,
    OwnedDoc,
    OwnerDoc,
    PeerDoc,
    PortDoc,
    SeenFromDoc,
    ShownDoc,
    StepDoc,
    ToDoc,
    WireDoc,
)
from nswire.show.documents_query import InactiveDoc
from nswire.show.equivalent_commands import entry
from nswire.show.escape import shell_word
from nswire.show.to_documents_reasons import reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.model.topology import Link, Topology
    from nswire.model.values import Far, Holder, Loose, Namespace, NsKey, Owner, Value, Wire
    from nswire.resolve.carrier import Stopped
    from nswire.resolve.uplinks import Step, Stop, Way

# include/uapi/linux/if_arp.h, in iproute2's words
LINK_TYPES = {
    1: "ether",
    32: "infiniband",
    280: "can",
    512: "ppp",
    768: "ipip",
    769: "tunnel6",
    772: "loopback",
    776: "sit",
    778: "gre",
    823: "gre6",
    824: "netlink",
    826: "vsockmon",
    65534: "none",
}


def all_wires(link: Link) -> tuple[Wire, ...]:
    """Every wire of a link: its pair's, those to what it stands on, and those that take questions of their own."""
    own = () if link.wire is None else (link.wire,)
    return (*own, *link.lower_wires, *link.late_wires())


def servers(link: Link) -> tuple[Far, ...]:
    """The processes at the other end of a link."""
    wires = (wire for wire in link.late_wires("tap") if wire.a == link.end)
    return tuple(wire.to for wire in wires if wire.to is not None)


def said_of(link: Link) -> dict[str, Value]:
    """What its kind says of it, links by their names."""
    return details(link.fact, _name_of(link))


def said_of_port(link: Link) -> dict[str, Value]:
    """What its master says of it as a port."""
    return port_details(link.fact, _name_of(link))


def _name_of(link: Link) -> Callable[[int], str]:
    def name(index: int) -> str:
        found = link.topology.get(End(link.end.ns, index))
        return f"if{index}" if found is None else found.ifname

    return name


LIKELY = 4  # ports that are told by name


def end_words(link: Link, way: Way, stop: Stop) -> str:
    """Why the way up ends there. Escape it like any text from outside."""
    last = link if stop.after < 0 else way.steps[stop.after].link
    netns = "its namespace" if last is None else link.topology.title(last.netns)
    told = ENDS[stop.end].format(netns=netns)
    likely = [] if last is None or stop.end != "no uplink" else may_lead_out(last)
    if not likely:
        return told
    names = ", ".join(
        f"{port.ifname} ({port.kind} to {link.topology.title(port.peer.netns)})"
        for port in likely[:LIKELY]
        if port.peer is not None
    )
    more = f" and {len(likely) - LIKELY} more" if len(likely) > LIKELY else ""
    return f"{told} for certain; may lead out: {names}{more}"


def master_name(link: Link) -> str | None:
    """The name of its master; `if7` if that was not there to be read."""
    if link.fact.master is None:
        return None
    master = link.master
    return f"if{link.fact.master}" if master is None else master.ifname


def fix(found: Stopped) -> str | None:
    """The command that would make a link carry again, to be pasted; None if none alone would, or none leads there."""
    if found.fix is None:
        return None
    way = entry(found.fix.netns)
    return None if way.ip is None else " ".join((way.ip, *map(shell_word, found.words[1:])))


class Builder:
    """Makes the documents of one topology; a namespace's is made once."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._netns: dict[NsKey, NetnsDoc] = {}

    def netns(self, ns: Namespace) -> NetnsDoc:
        """NETNS of the contract."""
        doc = self._netns.get(ns.key)
        if doc is None:
            doc = self._netns[ns.key] = NetnsDoc(**_netns_fields(ns))
        return doc

    def link(self, link: Link) -> LinkDoc:
        """LINK of the contract."""
        ns = link.netns
        return LinkDoc(
            netns=self.netns(ns),
            ifindex=link.ifindex,
            ifname=link.ifname,
            kind=link.kind,
            address=link.fact.address,
            mtu=link.fact.mtu,
            operstate=link.operstate,
            flags=link.flags,
            addresses=tuple(address.address for address in link.addresses),
            address_flags={one.address: one.trouble for one in link.addresses if one.trouble} or UNSET,
            master=master_name(link),
            altnames=link.fact.altnames,
            owners=tuple(_owner(owner) for owner in link.owners),
        )

    def owner(self, owner: Owner) -> OwnerDoc:
        """OWNER of the contract."""
        return _owner(owner)

    def peer(self, query: str | None, link: Link) -> PeerDoc:
        """The answer to `peer`. Without a query (every pair) the way up is left out: it is one way per link."""
        return PeerDoc(**self._peer_fields(query, link))

    def shown(self, query: str, link: Link) -> ShownDoc:
        """The answer to `show` for one link."""
        fact = link.fact
        return ShownDoc(
            **self._peer_fields(query, link),
            alias=fact.alias,
            permaddr=fact.permaddr,
            parentdev=fact.parentdev,
            parentbus=fact.parentbus,
            link_type=LINK_TYPES.get(fact.type, str(fact.type)),
            slave_kind=fact.slave_kind,
            info_data=said_of(link),
            info_slave_data=said_of_port(link),
            link_index=fact.link,
            link_netnsid=fact.link_netnsid,
            ports=tuple(port.ifname for port in link.ports),
            lower=self._lower(link),
            uppers=tuple(self.link(upper) for upper in link.uppers),
            wires=tuple(self._wire(wire) for wire in all_wires(link)),
            details={name: dict(values) for name, values in link.details.items()},
            namespace=self.namespace(link.netns),
        )

    def owned(self, query: str, owner: Owner, ns: Namespace | None) -> OwnedDoc:
        """An owner that a handle named."""
        return OwnedDoc(query=query, owner=_owner(owner), netns=None if ns is None else self.netns(ns))

    def namespace(self, ns: Namespace) -> NamespaceDoc:
        """The answer to `netns` for one namespace."""
        comms = self._topology.named_holders(ns.key)
        return NamespaceDoc(
            **_netns_fields(ns),
            holders=tuple(_holder(holder, comms.get(holder)) for holder in ns.holders),
            owners=tuple(_owner(owner) for owner in self._topology.owners(ns.key)),
            links=self._topology.count(ns.key) if ns.readable else None,
            seen_from=self._seen_from(ns),
            release=release(ns),
        )

    def _peer_fields(self, query: str | None, link: Link) -> dict[str, Any]:
        wire, peer, loose = link.wire, link.peer, open_peer(link)
        to = servers(link) if query is not None else ()
        way = None if query is None else way_up(link)
        return {
            "query": query,
            "link": self.link(link),
            "relation": link.kind if wire or loose or to or link.kind in PAIRS else None,
            "peer": None if peer is None else self.link(peer),
            "evidence": None if wire is None else wire.evidence,
            "why": why(link),
            "up": () if way is None else tuple(self._step(step) for step in way.steps),
            "ends": () if way is None else tuple(_end(link, way, stop) for stop in way.ends),
            **({"to": tuple(self.to(one) for one in to)} if to else {}),
            **({} if loose is None else self._open(loose)),
            **({} if query is None else self._more_of_asked(link)),
        }

    def _more_of_asked(self, link: Link) -> dict[str, Any]:
        found, ports = stopped(link), link.ports
        return {
            **({"port_links": tuple(self._port(port) for port in ports)} if ports else {}),
            **(
                {} if found is None else {"inactive": InactiveDoc(reason=reason(found.cause), fix=fix(found))}
            ),
        }

    def _port(self, port: Link) -> PortDoc:
        peer, loose, to = port.peer, open_peer(port), servers(port)
        return PortDoc(
            link=self.link(port),
            peer=None if peer is None else self.link(peer),
            to=tuple(self.to(one) for one in to) or UNSET,
            state=UNSET if loose is None else loose.state,
        )

    def _open(self, loose: Loose) -> dict[str, Any]:
        found = (self._topology.get(end) for end in loose.candidates)
        return {
            "state": loose.state,
            "far": self.far(loose),
            "candidates": tuple(self.link(link) for link in found if link is not None),
        }

    def far(self, loose: Loose) -> FarDoc:
        """What is known of an end that is not known for certain."""
        ns = None if loose.ns is None else self._topology.namespaces.get(loose.ns)
        return FarDoc(ifindex=loose.ifindex, nsid=loose.nsid, netns=None if ns is None else self.netns(ns))

    def _lower(self, link: Link) -> LowerDoc | None:
        lower, loose = link.lower, link.loose
        for wire in link.lower_wires:
            if wire.b is not None and lower is not None:
                return LowerDoc(relation=wire.relation, link=self.link(lower), evidence=wire.evidence)
        if loose is None or loose.relation == "peer":
            return None
        fields = self._open(loose)
        return LowerDoc(
            relation=loose.relation, link=None, evidence=None, state=fields["state"], far=fields["far"]
        )

    def _step(self, step: Step) -> StepDoc:
        return StepDoc(
            after=step.after,
            relation=step.relation,
            link=None if step.link is None else self.link(step.link),
            evidence="proved" if step.wire is None else step.wire.evidence,
            **self._more(step.to, step.wire),
        )

    def _wire(self, wire: Wire) -> WireDoc:
        a, b = self._topology.get(wire.a), self._topology.at(wire.b)
        if a is None:  # pragma: no cover (a wire starts at a link that was read)
            raise LookupError(wire)
        return WireDoc(
            relation=wire.relation,
            a=self.link(a),
            b=None if b is None else self.link(b),
            evidence=wire.evidence,
            by=wire.said_by,
            **self._more(wire.to, wire),
        )

    def _more(self, to: Far | None, wire: Wire | None) -> dict[str, Any]:
        more: dict[str, Any] = {} if to is None else {"to": self.to(to)}
        return more | ({"data": dict(wire.data)} if wire is not None and wire.data else {})

    def to(self, far: Far) -> ToDoc:
        """What a wire ends at if that is no link."""
        ns = None if far.ns is None else self._topology.namespaces.get(far.ns)
        return ToDoc(
            type=far.type,
            name=far.name,
            netns=None if ns is None else self.netns(ns),
            pid=far.pid,
            data=dict(far.data),
        )

    def _seen_from(self, ns: Namespace) -> SeenFromDoc | None:
        if ns.seen_from is None:
            return None
        through, nsid = ns.seen_from
        return SeenFromDoc(netns=self.netns(self._topology.namespaces[through]), nsid=nsid)


def _end(link: Link, way: Way, stop: Stop) -> EndDoc:
    return EndDoc(after=stop.after, end=stop.end, why=end_words(link, way, stop))


def _owner(owner: Owner) -> OwnerDoc:
    return OwnerDoc(
        type=owner.type,
        name=owner.name,
        id=owner.id,
        by=owner.by,
        pid=owner.pid,
        data=dict(owner.data),
        published=owner.published or UNSET,
    )


def _holder(holder: Holder, comm: str | None) -> HolderDoc:
    return HolderDoc(
        type=holder.type,
        pid=holder.pid or None,
        comm=comm or None,
        path=holder.path or None,
        number=holder.number if holder.type in {"thread", "fd", "socket"} else None,
        own=holder.own,
    )


def _netns_fields(ns: Namespace) -> dict[str, Any]:
    return {
        "inode": ns.inode,
        "cookie": ns.cookie,
        "names": ns.names,
        "label": ns.label,
        "home": ns.home,
        "hidden": ns.hidden,
    }


def pairs(topology: Topology) -> list[Link]:
    """One end of each pair, the home side or else the first one."""
    chosen: dict[End, Link] = {}
    for link in topology.links():
        wire = link.wire
        if wire is not None and wire.a not in chosen and wire.b not in chosen:
            chosen[link.end] = link
    return list(chosen.values())


def loose_ends(topology: Topology) -> list[Link]:
    """The links whose other end is not known for certain."""
    return [link for link in topology.links() if open_peer(link) is not None]


def open_peer(link: Link) -> Loose | None:
    """Why the other end of a pair is not known; None if it is, or if this is no end of a pair."""
    loose = link.loose
    return loose if loose is not None and loose.relation == "peer" else None
