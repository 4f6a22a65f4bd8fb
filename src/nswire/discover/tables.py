"""What paths look up, asked of the scanned machine or its recording: along the way only, each thing once."""

from __future__ import annotations

import functools
from errno import EINVAL, ENODATA, ENOENT, EOPNOTSUPP, EPROTONOSUPPORT
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from nswire import kinds
from nswire.codec import bpf, procfs
from nswire.codec import process as processes
from nswire.codec.checked import is_decimal
from nswire.codec.netlink import bridge, hook, link, neighbour, nexthop, route, rule, sockets, tc, xfrm
from nswire.discover import firewalls
from nswire.discover.client import PROTOCOLS
from nswire.errors import MalformedReply, NetlinkError
from nswire.facets import tc_filters
from nswire.facets.query import NOT_THERE, decoded
from nswire.host import requests
from nswire.host.failures import refusal
from nswire.host.system import Refusal
from nswire.model.firewall import Unread
from nswire.model.gaps import ADMINISTER, Unseen, netns
from nswire.model.reasons import Reason
from nswire.model.sockets import Credentials, Process
from nswire.model.tables import Marked, Moment, NotKnown, Policies

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from nswire.codec.host_info import About
    from nswire.host.client import Client
    from nswire.host.system import Answer, Question
    from nswire.model.firewall import Firewall
    from nswire.model.routing import FdbEntry, Neighbour, NextHopObject, PortVlans, Route, Rule, VlanState
    from nswire.model.sockets import Listener
    from nswire.model.tables import Filter, Hook, Qdisc, Query
    from nswire.model.values import End, NsKey, Value

T = TypeVar("T")
GEN_ID = slice(
    20, 28
)  # NFTA_GEN_ID, the first attribute; behind it is who asks, which is another thread each time
ATTEMPTS = 3  # to read a firewall while nobody changes it
FILTERS_UNREAD = Reason("tables.filters_unread", "the tc filters of {link} could not be read", unknown=True)
TABLE_UNREAD = Reason(
    "tables.unread", "the {what} of that namespace could not be read ({error})", unknown=True
)
TABLE = Unseen("netns.table", "its {table}", ADMINISTER)
FIREWALL = Unseen("netns.firewall", "its firewall", ADMINISTER)
CHANGING = Reason("firewall.changing", "it changed all the time that it was read")
IF_ANY = (
    requests.QDISCS,
    requests.VLAN_STATES,
    requests.POLICIES,
    requests.DEFAULT_POLICIES,
    *requests.HOOKS.values(),
)
TABLES = (
    *requests.RULES,
    requests.ROUTES,
    requests.TRIES,
    requests.NEXT_HOPS,
    *requests.NEIGHBOURS,
    requests.FDB,
    requests.VLANS,
    *IF_ANY,
    requests.sysctls(),
    requests.sysctls("all"),
    *requests.WAITING,
    *requests.SOCKETS,
    requests.NFTABLES,
    *requests.LEGACY.values(),
)
AHEAD = {
    "rules": requests.RULES,
    "routes": (requests.ROUTES, requests.NEXT_HOPS),
    "neighbours": requests.NEIGHBOURS,
    "fdb": (requests.FDB,),
    "bridge vlans": (requests.VLANS,),
    "policies": (requests.POLICIES, requests.DEFAULT_POLICIES),
    "sysctls": (requests.sysctls(), requests.sysctls("all")),
    "link sysctls": (),  # one question for each link
}
"""Tables that may be asked of all namespaces at once, by the method that has them: what must be asked for each."""
NO_SUCH_THING = (EOPNOTSUPP, EPROTONOSUPPORT, ENOENT, EINVAL)  # what a kernel says of what it does not know


class Lookups:
    """See `model.tables`."""

    def __init__(self, client: Client, about: About) -> None:
        self._client = client
        self._moment = Moment(about.time, about.zone, about.cpus) if about.time else None
        self._known: dict[tuple[NsKey, str], Answer] = {}
        self._read: dict[tuple[NsKey, str], object] = {}
        self._decisions: dict[tuple[NsKey, Query], Route | int | None] = {}
        self._holders: dict[int, int] | None = None

    def decision(self, ns: NsKey, query: Query) -> Route | int | None:
        """The kernel's own answer; a recording has none."""
        if (ns, query) not in self._decisions:
            question = requests.decision(len(self._decisions), query)
            (answer,) = self._answers(ns, question)
            self._decisions[ns, query] = _decided(answer)
        return self._decisions[ns, query]

    def marked(self, ns: NsKey) -> Marked:
        """By the same answers as the routes and the policy rules."""
        try:
            realms, segments = self._once(ns, requests.ROUTES, route.marked, "", "marked")
            by_rule = self._once(ns, requests.RULES[0], rule.realms, "", "realms")
        except NotKnown:
            return Marked()
        return Marked(realms or any(by_rule), segments)

    def moment(self) -> Moment | None:
        """When the machine was asked who it is."""
        return self._moment

    def rules(self, ns: NsKey, family: int) -> tuple[Rule, ...]:
        """The policy rules of a family."""
        return self._once(ns, requests.RULES[family == 6], rule.decode, "policy rules")

    def routes(self, ns: NsKey) -> tuple[Route, ...]:
        """All routes."""
        return self._once(ns, requests.ROUTES, route.routes, "routes")

    def prefixes(self, ns: NsKey) -> Mapping[str, int]:
        """How many routes the IPv4 tables Main and Local hold; empty where that cannot be known, as in older recordings."""
        try:
            return self._once(ns, requests.TRIES, procfs.prefixes, "")
        except NotKnown:
            return {}

    def next_hops(self, ns: NsKey) -> Mapping[int, NextHopObject]:
        """The next hop objects; none from a kernel that has no such thing."""
        try:
            found = self._once(ns, requests.NEXT_HOPS, nexthop.decode, "")
        except NotKnown:
            return {}
        return {one.id: one for one in found}

    def neighbours(self, ns: NsKey) -> tuple[Neighbour, ...]:
        """The neighbours and the proxies."""
        known, proxies = (self._once(ns, one, neighbour.decode, "neighbours") for one in requests.NEIGHBOURS)
        return (*known, *proxies)

    def fdb(self, ns: NsKey, *lladdrs: str) -> tuple[FdbEntry, ...]:
        """What the forwarding tables have of these MACs: only that is decoded, a bridge of a thousand ports has thousands more."""
        part = " ".join(lladdrs)
        return self._once(
            ns, requests.FDB, lambda answer: neighbour.fdb(answer, lladdrs), "forwarding tables", part
        )

    def vlans(self, ns: NsKey) -> Mapping[int, PortVlans]:
        """The VLANs of bridge ports."""
        return self._once(ns, requests.VLANS, bridge.vlans, "VLANs of bridge ports")

    def vlan_states(self, ns: NsKey) -> Mapping[int, tuple[VlanState, ...]]:
        """The states of bridge ports in single VLANs; none from a kernel that has no such thing."""
        return self._if_any(ns, requests.VLAN_STATES, bridge.states, "states of bridge ports by VLAN") or {}

    def qdiscs(self, end: End) -> tuple[Qdisc, ...]:
        """The queueing disciplines of a link."""
        found = self._if_any(end.ns, requests.QDISCS, tc.qdiscs, "queueing disciplines") or ()
        return tuple(one for one in found if one.ifindex == end.ifindex)

    def policies(self, ns: NsKey) -> Policies:
        """The XFRM policies."""
        listed = self._if_any(ns, requests.POLICIES, xfrm.policies, "XFRM policies") or ()
        blocked = self._if_any(ns, requests.DEFAULT_POLICIES, xfrm.default, "default XFRM policies")
        return Policies(listed, blocked or frozenset())

    def hooks(self, ns: NsKey, family: str) -> tuple[Hook, ...]:
        """What netfilter calls; of a kernel that cannot be asked: the BPF programs that it calls in any namespace."""
        if family not in requests.HOOKS:
            return ()
        found = self._if_any(ns, requests.HOOKS[family], hook.decode, "hooks of netfilter")
        if found is not None:
            return found
        links = self._client.host("netfilter-links")
        return () if isinstance(links, Refusal) else tuple(bpf.at_netfilter(links, family))

    def sysctl(self, ns: NsKey, name: str, ifname: str = "") -> int | None:
        """One number; None if this kernel has no such sysctl."""
        return self._once(ns, requests.sysctls(ifname), _settings, "sysctls").get(name.replace("{}", ifname))

    def groups(self, ns: NsKey) -> Mapping[int, int]:
        """The groups of links."""
        return self._once(ns, requests.LINKS, link.groups, "links")

    def firewall(self, ns: NsKey) -> Firewall:
        """The packet filter: nft's tables, those of iptables in either form."""
        key = (ns, "firewall")
        if key not in self._read:
            self._read[key] = self._firewall(ns)
        return self._read[key]  # type: ignore[return-value]

    def listeners(self, ns: NsKey) -> tuple[Listener, ...] | None:
        """What listens, by sock_diag; else by /proc/net/tcp and its like. A kernel without IPv6 has no sockets of that."""
        key = (ns, "listeners")
        if key not in self._read:
            self._read[key] = self._listeners(ns)
        return self._read[key]  # type: ignore[return-value]

    def holder(self, inode: int) -> Process | None:
        """The process that has a socket open."""
        if self._holders is None:
            answer = self._client.host("socket-holders")
            self._holders = {} if isinstance(answer, Refusal) else procfs.socket_holders(answer)
        pid = self._holders.get(inode)
        if pid is None:
            return None
        name = self._client.host(f"comm/{pid}")
        return Process(pid, "?" if isinstance(name, Refusal) else name.decode("utf-8", "surrogateescape"))

    def credentials(self, pid: int) -> Credentials | None:
        """By /proc/PID/status."""
        answer = self._client.host(f"process/{pid}")
        one = processes.decode(answer) if isinstance(answer, bytes) else None
        return None if one is None or not one.groups else Credentials(one.uid, one.groups, one.capabilities)

    def _listeners(self, ns: NsKey) -> tuple[Listener, ...] | None:
        found: list[Listener] = []
        for better, other, protocol in zip(requests.WAITING, requests.SOCKETS, PROTOCOLS, strict=True):
            said = decoded(self._answer(ns, better), functools.partial(sockets.decode, protocol=protocol))
            if isinstance(said, int):
                answer = self._answer(ns, other)
                if isinstance(answer, Refusal):
                    if not other.name.endswith("6"):
                        return None
                    continue
                said = tuple(procfs.listeners(answer, protocol))
            found += said
        return tuple(found)

    def filters(self, end: End) -> Mapping[str, tuple[Filter, ...]]:
        """The tc filters of a link by place."""
        link = self._client.facts.links.get(end.ns, {}).get(end.ifindex)
        if link is None:
            return {}
        asked = tc_filters.ask(link)
        if (end.ns, asked[0].name) not in self._known:
            answers = self._answers(end.ns, *asked)
            self._known.update(
                {(end.ns, one.name): answer for one, answer in zip(asked, answers, strict=True)}
            )
        found = tc_filters.at([self._known[end.ns, one.name] for one in asked])
        if any(isinstance(one, int) and one not in NOT_THERE for one in found.values()):
            raise NotKnown(FILTERS_UNREAD(link=link.ifname))
        return {place: one for place, one in found.items() if not isinstance(one, int)}

    def details(self, end: End, facet: str) -> Mapping[str, Value]:
        """What a facet tells of a link."""
        return self._client.details(end, facet).get(facet, {})

    def switched(self, bridge: str, flow: str) -> str | None:
        """`ofproto/trace`; None where Open vSwitch cannot be asked."""
        answer = self._client.host(f"ovs-trace/{bridge} {flow}")
        return None if isinstance(answer, Refusal) else answer.decode("utf-8", "replace")

    def ahead(self, tables: Collection[str]) -> None:
        """Ask for these tables (`AHEAD`) in all namespaces, in one visit of each."""
        asked = tuple(question for table, each in AHEAD.items() if table in tables for question in each)
        wanted = {}
        for ns, links in self._client.facts.links.items():
            each = (requests.sysctls(one.ifname) for one in links.values() if "link sysctls" in tables)
            new = tuple(one for one in (*asked, *each) if (ns, one.name) not in self._known)
            if new and ns not in self._client.facts.hidden:
                wanted[ns] = new
        for ns, answers in self._client.query(wanted).items():
            names = ((ns, question.name) for question in wanted[ns])
            self._known.update(zip(names, answers, strict=True))

    def everything(self) -> None:
        """Ask for all tables of all namespaces: for a recording, which cannot be asked for a decision."""
        wanted = {
            ns: (*TABLES, *(requests.sysctls(link.ifname) for link in links.values()))
            for ns, links in self._client.facts.links.items()
        }
        for ns, answers in self._client.query(wanted).items():
            names = ((ns, question.name) for question in wanted[ns])
            self._known.update(zip(names, answers, strict=True))
        self._client.host("netfilter-links")
        for ns in wanted:
            self.firewall(ns)  # which may need more than that
            for one in self.listeners(ns) or ():
                self.holder(one.inode)

    # -- asking --------------------------------------------------------------------------------------------------

    def _answers(self, ns: NsKey, *asked: Question) -> list[Answer]:
        return self._client.query({ns: asked}).get(ns) or [Refusal(ENODATA, "enter")] * len(asked)

    def _answer(self, ns: NsKey, question: Question) -> Answer:
        key = (ns, question.name)
        if key not in self._known:
            (self._known[key],) = self._answers(ns, question)
        return self._known[key]

    def _once(
        self, ns: NsKey, question: Question, decode: Callable[[bytes], T], what: str, part: str = ""
    ) -> T:
        """What an answer (or a part of it) says, read once; NotKnown if it was refused, with a gap if `what` it is matters."""
        key = (ns, f"{question.name} {part}" if part else question.name)
        if key not in self._read:
            self._read[key] = found = decoded(self._answer(ns, question), decode)
            if isinstance(found, int) and what:
                self._gap(ns, what, found)
        known = self._read[key]
        if isinstance(known, int):
            raise NotKnown(TABLE_UNREAD(what=what, error=str(refusal(known)[0])))
        return known  # type: ignore[return-value]

    def _if_any(self, ns: NsKey, question: Question, decode: Callable[[bytes], T], what: str) -> T | None:
        """The same of what not every kernel has; None where there is no such thing, or (with a gap) in an older recording."""
        key = (ns, question.name)
        if key not in self._known:  # whoever asks for one of them is about to ask for the others
            answers = self._answers(ns, *IF_ANY)
            names = ((ns, one.name) for one in IF_ANY)
            self._known.update(zip(names, answers, strict=True))
        answer = self._answer(ns, question)
        found = decoded(answer, decode) if key not in self._read else self._read[key]
        if found == ENODATA and key not in self._read:
            self._gap(ns, what, ENODATA)
        self._read[key] = found
        if isinstance(found, int) and (found in NO_SUCH_THING or found == ENODATA):
            return None
        return self._once(ns, question, decode, what)

    def _gap(self, ns: NsKey, table: str, errno: int) -> None:
        facts = self._client.facts
        facts.gaps.append(TABLE(netns(facts, ns), *refusal(errno), table=table))

    def _generation(self, ns: NsKey, attempt: int) -> bytes:
        """Which rules of nf_tables these are; empty where that cannot be asked."""
        (answer,) = self._answers(ns, requests.generation(attempt))
        return b"" if isinstance(answer, Refusal) else answer[GEN_ID]

    def _unchanged(self, ns: NsKey, *, switches: bool) -> Firewall:
        """The firewall as it was at one time: what several programs say of it counts if nothing changed in between."""
        for attempt in range(ATTEMPTS):
            asked: set[str] = set()

            def ask(question: Question, asked: set[str] = asked) -> Answer:
                asked.add(question.name)
                return self._answer(ns, question)

            before = self._generation(ns, 2 * attempt)
            found = firewalls.read(ask, switches=switches)
            if before == self._generation(ns, 2 * attempt + 1):
                return found
            for name in asked:
                self._known.pop((ns, name), None)
        return replace(found, unread=(*found.unread, Unread(CHANGING())))

    def _firewall(self, ns: NsKey) -> Firewall:
        links = self._client.facts.links.get(ns, {}).values()
        switches = any(kinds.of(link.kind).switch for link in links)
        found = self._unchanged(ns, switches=switches)
        if found.unread:
            listed, facts = self._answer(ns, requests.NFTABLES), self._client.facts
            errno = listed.errno if isinstance(listed, Refusal) else 0
            facts.gaps += [FIREWALL(netns(facts, ns), one.what, errno) for one in found.unread]
        return found


def _decided(answer: Answer) -> Route | int | None:
    if isinstance(answer, Refusal):
        return None
    try:
        found = route.routes(answer)
    except NetlinkError as error:
        return error.errno
    except MalformedReply:
        return None
    return found[0] if found else None


def _settings(answer: bytes) -> dict[str, int]:
    """Names and values of sysctls; of several numbers the second is NAME/1. Those that are no numbers are left out."""
    found = {}
    for line in answer.decode("utf-8", "surrogateescape").split("\n"):
        name, _, value = line.rpartition("=")
        for at, part in enumerate(value.split()):
            if is_decimal(part.removeprefix("-")):
                found[f"{name}/{at}" if at else name] = int(part)
    return found
