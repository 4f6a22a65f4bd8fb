"""Topology to documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nswire.kinds import is_pair
from nswire.kinds.data import details, port_details
from nswire.resolve.up import up
from nswire.resolve.why import why
from nswire.show.documents import (
    FarDoc,
    HolderDoc,
    LinkDoc,
    LowerDoc,
    NamespaceDoc,
    NetnsDoc,
    PeerDoc,
    SeenFromDoc,
    ShownDoc,
    StepDoc,
)

if TYPE_CHECKING:
    from nswire.model.topology import Link, Topology
    from nswire.model.values import End, Holder, Loose, Namespace, NsKey
    from nswire.resolve.up import Step

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


def way_up(link: Link) -> tuple[Step, ...]:
    """The way up from a link, told by the gateways of its own namespace and of its peer's."""

    def gateways() -> frozenset[str]:
        ends = {link.end.ns} | ({link.peer.end.ns} if link.peer is not None else set())
        # what home's own packets do tells nothing about a client's, and home's table is the longest
        spaces = ends - {link.topology.home} or ends
        return frozenset(gateway.address for ns in spaces for gateway in link.topology.gateways(ns))

    return up(link, gateways)


def master_name(link: Link) -> str | None:
    """The name of its master; `if7` if that was not there to be read."""
    if link.fact.master is None:
        return None
    master = link.master
    return f"if{link.fact.master}" if master is None else master.ifname


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
            master=master_name(link),
            altnames=link.fact.altnames,
            owners=ns.owners,
        )

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
            info_data=details(fact.kind, fact.data),
            info_slave_data=port_details(fact.slave_kind, fact.slave_data),
            link_index=fact.link,
            link_netnsid=fact.link_netnsid,
            ports=tuple(port.ifname for port in link.ports),
            lower=self._lower(link),
            uppers=tuple(self.link(upper) for upper in link.uppers),
            namespace=self.namespace(link.netns),
        )

    def namespace(self, ns: Namespace) -> NamespaceDoc:
        """The answer to `netns` for one namespace."""
        comms = self._topology.named_holders(ns.key)
        return NamespaceDoc(
            **_netns_fields(ns),
            holders=tuple(_holder(holder, comms.get(holder)) for holder in ns.holders),
            owners=ns.owners,
            links=self._topology.count(ns.key) if ns.readable else None,
            seen_from=self._seen_from(ns),
        )

    def _peer_fields(self, query: str | None, link: Link) -> dict[str, Any]:
        wire, peer, loose = link.wire, link.peer, open_peer(link)
        return {
            "query": query,
            "link": self.link(link),
            "relation": link.kind if wire is not None or loose is not None or is_pair(link.kind) else None,
            "peer": None if peer is None else self.link(peer),
            "evidence": None if wire is None else wire.evidence,
            "why": why(link),
            "up": () if query is None else tuple(self._step(step) for step in way_up(link)),
            **({} if loose is None else self._open(loose)),
        }

    def _open(self, loose: Loose) -> dict[str, Any]:
        namespaces = self._topology.namespaces
        far = None if loose.ns is None else namespaces.get(loose.ns)
        found = (self._topology.get(end) for end in loose.candidates)
        return {
            "state": loose.state,
            "far": FarDoc(
                ifindex=loose.ifindex, nsid=loose.nsid, netns=None if far is None else self.netns(far)
            ),
            "candidates": tuple(self.link(link) for link in found if link is not None),
        }

    def _lower(self, link: Link) -> LowerDoc | None:
        wire, lower, loose = link.lower_wire, link.lower, link.loose
        if wire is not None and lower is not None:
            return LowerDoc(relation=wire.relation, link=self.link(lower), evidence=wire.evidence)
        if loose is None or loose.relation == "peer":
            return None
        fields = self._open(loose)
        return LowerDoc(
            relation=loose.relation, link=None, evidence=None, state=fields["state"], far=fields["far"]
        )

    def _step(self, step: Step) -> StepDoc:
        return StepDoc(after=step.after, relation=step.relation, link=self.link(step.link))

    def _seen_from(self, ns: Namespace) -> SeenFromDoc | None:
        if ns.seen_from is None:
            return None
        through, nsid = ns.seen_from
        return SeenFromDoc(netns=self.netns(self._topology.namespaces[through]), nsid=nsid)


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
