"""Comparisons: what nswire says of a laboratory, or of a recording of one, with the truth and with iproute2.

All of them work on any topology, so that the live host and the recordings are held to the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nswire import facets, kinds
from nswire.resolve.uplinks import up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kinds_truth import Made, Shown, Tie, Truth, Way
    from nswire.model.topology import Link, Topology
    from nswire.model.values import NsKey, Wire

FALLBACKS = frozenset("gre0 gretap0 erspan0 ip6tnl0 ip6gre0 tunl0 sit0 ip_vti0 ip6_vti0".split())
"""The kernel puts these into each new namespace by itself (net.core.fb_tunnels_only_for_init_net)."""

Compared = tuple[str, str, int | None, str, int | None]
"""Relation, the other end's namespace and ifindex (None: the namespace itself), evidence, and the process it leads to."""


class Checks:
    """A topology beside the truth about it. `shown` is what iproute2 says, `later` what it says afterwards.

    `asked` are the facets that could be asked.
    """

    def __init__(
        self,
        topology: Topology,
        truth: Truth,
        shown: Shown,
        asked: frozenset[str],
        later: Shown | None = None,
    ) -> None:
        self.topology = topology
        self.truth = truth
        self.shown = shown
        self.later = later or shown
        self.asked = asked & {facet.name for facet in facets.TABLE}
        self.said: set[tuple[str, str]] = set()
        """Kind and name of the details that were compared so far, `port of KIND` for those of ports."""
        self.key_of = {name: self._key(name, inode) for name, inode in truth.spaces.items()}
        self.name_of = {key: name for name, key in self.key_of.items()}

    def _key(self, name: str, inode: int) -> NsKey:
        """A hidden namespace is known by a link in it; its inode, which nobody can see, must not be known."""
        marker = self.truth.hidden.get(name)
        if marker is None:
            return inode
        assert inode not in self.topology.namespaces, f"{name} is hidden, and known all the same"
        return self.topology.link(marker).end.ns

    def of(self, case: str) -> list[Made]:
        """The links of a case."""
        return [made for made in self.truth.links if made.case == case]

    def all_of(self, case: str) -> None:
        """Every comparison, for all links of a case."""
        for made in self.of(case):
            self.wires(made)
            self.late(made)
            if made.ns not in self.truth.hidden:
                self.details(made)
                self.same_as_ip(made)
        for way in self.truth.ways:
            if way.case == case:
                self.way(way)

    def link(self, made: Made) -> Link:
        """The link of the topology that was made so, which is what it is called and of that kind."""
        (ns,) = (key for key, name in self.name_of.items() if name == made.ns)
        (link,) = (link for link in self.topology.links(ns) if link.ifindex == made.ifindex)
        assert (link.ifname, link.kind) == (made.ifname, made.kind)
        return link

    # -- wires ------------------------------------------------------------------------------------------------------

    def wires(self, made: Made) -> None:
        """Exactly the wires that it must have, seen from its other end as well; and open only what must be."""
        link = self.link(made)
        told = {self._compared(link, wire) for wire in self._wires(link)} | self._port(link)
        must = {_wanted(tie) for tie in made.ties if not tie.facet and not tie.unsaid}
        may = {_wanted(tie) for tie in made.ties if not tie.facet}
        assert must <= told <= may, f"{link}: {told}"
        loose = link.loose
        assert (loose.state if loose else "") == made.state, f"{link}: {loose}"
        assert len(loose.candidates if loose else ()) == made.candidates
        for wire in self._wires(link):
            other = self.topology.at(wire.b if wire.a == link.end else wire.a)
            if other is not None:
                assert link in (other.peer, *other.uppers), f"{other} does not know of {link}"
        if link.master is not None:
            assert link in link.master.ports

    def late(self, made: Made) -> None:
        """What has to be asked for: nothing that is not true, and all that a facet which was asked should find."""
        link = self.link(made)
        told = {self._compared(link, wire) for wire in link.late_wires() if wire.a == link.end}
        must = {_wanted(tie) for tie in made.ties if tie.facet in self.asked}
        may = {_wanted(tie) for tie in made.ties}
        assert must <= told <= may, f"{link}: {told}"
        for one in made.told.keys() & self.asked:
            assert link.details.get(one) == made.told[one], f"{link}: {one}"
        open_ends = {loose.state for loose in link.late_loose()}
        facet, state = made.late or ("", "")
        assert open_ends == ({state} if facet in self.asked else set()), f"{link}: {open_ends}"

    @staticmethod
    def _wires(link: Link) -> Iterator[Wire]:
        if link.wire is not None:
            yield link.wire
        yield from link.lower_wires

    def _port(self, link: Link) -> set[Compared]:
        if link.fact.master is None:
            return set()
        assert link.master is not None, f"{link} has a master that is not there"
        return {("port", self.name_of[link.end.ns], link.master.ifindex, "proved", None)}

    def _compared(self, link: Link, wire: Wire) -> Compared:
        far = wire.b if wire.a == link.end else wire.a
        if far is not None:
            return (wire.relation, self.name_of[far.ns], far.ifindex, wire.evidence, None)
        assert wire.to is not None
        where = self.name_of.get(wire.to.ns, "?") if wire.to.ns is not None else "?"
        return (wire.relation, where, None, wire.evidence, wire.to.pid)

    # -- iproute2 ---------------------------------------------------------------------------------------------------

    def details(self, made: Made) -> None:
        """Every word that nswire says of the link iproute2 says, too, and the other way round for words that nswire knows."""
        link = self.link(made)
        names = {other.ifindex: other.ifname for other in self.topology.links(link.end.ns)}
        info = self._shown(made).get("linkinfo", {})
        later = self.later.get(made.ns, {}).get(made.ifindex, {}).get("linkinfo", {})
        for kind, mine, theirs, after, fields in (
            (
                link.kind,
                kinds.details(link.fact, names.__getitem__),
                info.get("info_data", {}) | made.may | made.says,
                later.get("info_data", {}),
                kinds.of(link.kind).fields,
            ),
            (
                f"port of {link.fact.slave_kind}",
                kinds.port_details(link.fact, names.__getitem__),
                info.get("info_slave_data", {}),
                later.get("info_slave_data", {}),
                kinds.of(link.fact.slave_kind).port_fields,
            ),
        ):
            known = {field.name for field in fields.values()}
            usual = {field.name: field.usual for field in fields.values() if field.usual is not None}
            ours, then = (
                {RENAMED.get(kind, {}).get(name, name): value for name, value in said.items()}
                for said in (theirs, after)
            )
            for name, value in mine.items():
                self.said.add((kind, name))
                if value is False and name not in ours:
                    continue  # iproute2 leaves out what is off
                if name in newer(link.kind) and name not in ours:
                    continue
                assert name in ours, f"{link} {name}: {value!r}, iproute2 says nothing of it: {theirs}"
                # neighbours agree anew when they were not heard for seconds, as on a busy machine
                assert value in (ours[name], then.get(name)), f"{link} {name}: {value!r}, ip: {ours[name]!r}"
            unsaid = {name: ours[name] for name in known & ours.keys() - mine.keys() - made.may.keys()}
            unsaid = {name: value for name, value in unsaid.items() if value not in (NONE, usual.get(name))}
            assert not unsaid, f"{link}: iproute2 says {unsaid}"
        assert made.says.items() <= kinds.details(link.fact).items()

    def same_as_ip(self, made: Made) -> None:
        """Kind, master, and the other link, where iproute2 knows it."""
        link, shown = self.link(made), self._shown(made)
        assert shown["ifname"] == link.ifname
        assert shown.get("linkinfo", {}).get("info_kind", "") == link.kind
        assert shown.get("master") == (link.master.ifname if link.master else None)
        assert shown.get("parentdev", "") == link.fact.parentdev
        assert shown.get("parentbus", "") == link.fact.parentbus
        if not link.kind:  # tunnels have a random one, which iproute2 writes like their addresses
            expected = {shown["permaddr"]} if "permaddr" in shown else {"", link.fact.address}
            assert link.fact.permaddr in expected, f"{link}: {link.fact.permaddr}"
        if made.kind in IP_MISTAKES:
            return
        other = link.peer or link.lower
        if "link_index" in shown:  # in another namespace, which has a name if it has one in /run/netns
            index = other.ifindex if other else link.loose and link.loose.ifindex
            assert shown["link_index"] == index
            assert other is None or other.netns != link.netns
            assert "link_netns" not in shown or (other and shown["link_netns"] in other.netns.names)
        elif shown.get("link") is not None:
            assert other is None or other.netns == link.netns
            name = other.ifname if other else f"if{link.loose.ifindex}" if link.loose else None
            assert shown["link"] == name
        else:
            assert other is None

    def _shown(self, made: Made) -> dict[str, Any]:
        return self.shown.get(made.ns, {}).get(made.ifindex, {})

    # -- all of it --------------------------------------------------------------------------------------------------

    def nothing_else(self) -> None:
        """Every link of these namespaces was made by the laboratory, or by the kernel for each namespace."""
        made = {(made.ns, made.ifindex) for made in self.truth.links}
        for ns, name in self.name_of.items():
            for link in self.topology.links(ns):
                if link.loopback or link.ifname in FALLBACKS:
                    assert (link.wire, link.lower_wires, link.loose, link.master) == (None, (), None, None)
                    assert link.loopback or kinds.is_fallback(link.fact)
                    continue
                assert (name, link.ifindex) in made, f"{link} was not made, or ought to be gone"
                assert not kinds.is_fallback(link.fact)

    def way(self, way: Way) -> None:
        """The way up, step for step, and where it ends."""
        ns, _, name = way.start.rpartition("/")
        (link,) = (link for link in self.topology.links(self.key_of[ns]) if link.ifname == name)
        found = up(link)
        steps = tuple((step.after, step.relation, self._place(step.link, step.to)) for step in found.steps)
        assert steps == way.steps, f"from {way.start}: {steps}"
        ends = tuple((stop.after, stop.end) for stop in found.ends)
        assert ends == way.ends, f"from {way.start}: {ends}"

    def _place(self, link: Link | None, far: Any) -> str:
        if link is None:
            return self.name_of[far.ns]
        return f"{self.name_of[link.end.ns]}/{link.ifname}"


IP_MISTAKES = {
    "vxlan": "it shows IFLA_LINK, which is none at home, and once moved the link's own ifindex",
    "ipvtap": "it shows IFLA_LINK as a link of the same namespace, wherever that one is",
    "hsr": "it does not show the two slaves as links",
}
"""Kinds whose other link iproute2 does not know."""
NONE = "any"
"""How iproute2 tells, of some kinds, that there is no such address."""
NEWER = frozenset(
    """
    actor_port_prio ad_churn_actor_state ad_churn_partner_state prio coupled_control broadcast_neighbor lacp_strict
    fdb_n_learned fdb_max_learned stp_mode backup_port mab neigh_vlan_suppress backup_nhid neigh_forward_grat
    localbypass vnifilter label label_policy mc_route port_range reserved_bits gro_hint srcportmin multiproto
    interlink version bccutoff pairing nf_call_iptables nf_call_ip6tables nf_call_arptables proxy_arp_wifi
    """.split()
)
"""Words that Debian 12's iproute2 does not tell, or that the laboratory varies nowhere: tests/kinds/test_new_words.py has them."""
NEWER_OF = {
    "geneve": {"local"},
    "gtp": {"local"},
    "ovpn": {"mode"},
    "ipvlan": {""},
    "ipvtap": {""},
    "bridge": {""},
}
"""The same, of one kind alone; without a name: words of their own in one attribute."""


def newer(kind: str) -> set[str]:
    """The words of a kind that are told, and not compared here."""
    return NEWER_OF.get(kind, set()) | NEWER


RENAMED = {
    "vxlan": {"remote6": "remote", "local6": "local", "group6": "remote", "group": "remote"},
    "geneve": {"remote6": "remote"},
}
"""iproute2's names for what nswire calls by one."""


def made_by(truth: Truth) -> set[tuple[str, str, str]]:
    """What there is: case, variant and kind of each link."""
    return {(made.case, made.variant, made.kind) for made in truth.links}


def _wanted(tie: Tie) -> Compared:
    return (tie.relation, tie.ns, tie.ifindex, tie.evidence, tie.pid)
