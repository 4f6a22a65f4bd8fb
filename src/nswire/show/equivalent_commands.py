"""`--how`: the classic commands that show the same, chosen by what really leads into each namespace.

Every word from outside is quoted for a POSIX shell (`$'..'` for control characters, which bash, zsh and ksh know).
Nothing here is ever run by nswire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire import kinds
from nswire.escape import visible
from nswire.kinds.kind import iflink
from nswire.resolve.uplinks import way_up
from nswire.show.cleanup_commands import named
from nswire.show.escape import shell_word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nswire.model.topology import Link, Topology
    from nswire.model.values import Holder, Namespace, Wire
    from nswire.path.values import Hop, Trace


class Entry(NamedTuple):
    """The way into a namespace: words before `ip`'s own options and before any other command; None: there is none."""

    ip: str | None
    other: str | None
    note: str = ""


def entry(ns: Namespace) -> Entry:
    """How the classic tools get into a namespace."""
    if ns.home:
        return Entry("ip", "")
    if ns.hidden:
        return Entry(None, None, f"# no classic command reads {visible(ns.label)}: nothing leads into it")
    for kind, make in ENTRIES:
        for holder in ns.holders:
            if holder.type == kind and (made := make(holder)) is not None:
                return made
    return Entry(None, None, f"# no classic command enters {visible(ns.label)}: only a socket holds it")


def _named(holder: Holder) -> Entry | None:
    name = named(holder.path)
    if not name:
        return _nsenter(holder.path)
    return Entry(f"ip -n {shell_word(name)}", f"ip netns exec {shell_word(name)} ")


def _nsenter(path: str) -> Entry:
    words = f"nsenter --net={shell_word(path)} "
    return Entry(f"{words}ip", words)


ENTRIES: tuple[tuple[str, Callable[[Holder], Entry | None]], ...] = (
    ("name", _named),
    ("mount", lambda holder: _named(holder) if holder.own else None),
    ("process", lambda holder: _nsenter(f"/proc/{holder.pid}/ns/net")),
    ("thread", lambda holder: _nsenter(f"/proc/{holder.pid}/task/{holder.number}/ns/net")),
    ("fd", lambda holder: _nsenter(f"/proc/{holder.pid}/fd/{holder.number}")),
    ("mount", lambda holder: _nsenter(f"/proc/{holder.pid}/root{holder.path}")),
)


def for_peer(links: Iterable[Link]) -> list[str]:
    """The commands that show what `peer` said about these links."""
    return _once(command for link in links for command in _peer(link))


def for_trace(topology: Topology, trace: Trace) -> list[str]:
    """The classic commands behind every fact of a path, and of its answer, one namespace after the other."""
    ways = [*trace.forward.ways, *(() if trace.reply is None else trace.reply.ways)]
    return _once(command for way in ways for hop in way.hops for command in _of_hop(topology, hop))


def _of_hop(topology: Topology, hop: Hop) -> Iterator[str]:
    ns = topology.namespaces[hop.ns]
    way = entry(ns)
    if way.other is None:
        yield way.note
        return
    types = {step.type for step in hop.steps}
    came_by = topology.at(hop.end)
    if "route" in types:
        iif = (
            f" from {hop.enters.src} iif {shell_word(came_by.ifname)}"
            if came_by is not None and hop.enters.src
            else ""
        )
        yield _in(ns, f"route get {hop.enters.dst}{iif}")
    for kind, command in STEPS:
        if kind in types:
            yield (
                _in(ns, command.removeprefix("ip ")) if command.startswith("ip ") else f"{way.other}{command}"
            )
    for step in hop.steps:
        link = topology.at(step.end)
        if link is not None and link.end.ns == ns.key:
            for kind, command in LINK_STEPS:
                if step.type == kind:
                    told = command.format(name=shell_word(link.ifname))
                    yield (
                        _in(ns, told.removeprefix("ip ")) if told.startswith("ip ") else f"{way.other}{told}"
                    )


STEPS = (
    ("route", "ip rule"),
    ("neighbour", "ip neigh"),
    ("bridge", "bridge fdb show"),
    ("bridge", "bridge vlan show"),
    ("netfilter", "nft -a list ruleset"),
    ("nat", "nft -a list ruleset"),
    ("ipsec", "ip xfrm policy"),
    ("crossing", "sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding"),
    ("local", "ip route show table local"),
    ("local", "ss -lntup"),
    ("ovs", "ovs-appctl dpctl/dump-flows"),
    ("ovs", "ovs-vsctl show"),
)
"""What shows more about the steps of a path."""

LINK_STEPS = (
    ("in", "ip -d link show dev {name}"),
    ("out", "ip -d link show dev {name}"),
    ("link", "ip -d link show dev {name}"),
    ("mtu", "ip link show dev {name}"),
    ("tunnel", "ip -d link show dev {name}"),
    ("tc", "tc filter show dev {name} ingress"),
    ("tc", "tc filter show dev {name} egress"),
    ("source", "ip address show dev {name}"),
    ("process", "ip tuntap show dev {name}"),
)
"""The same about the steps that are about a link."""


def for_pairs(topology: Topology) -> list[str]:
    """The commands that show every pair: the links and the ids of every namespace, to be matched by hand."""
    return _once(command for ns in topology.namespaces.values() for command in _pairs_in(ns))


def for_links(topology: Topology, links: Iterable[Link], *, every: bool) -> list[str]:
    """The commands that show what `ls` said."""
    if every:
        return _once(_in(ns, "link show", "address show") for ns in topology.namespaces.values())
    return _once(_in(link.netns, f"address show dev {shell_word(link.ifname)}") for link in links)


def for_listening(namespaces: Iterable[Namespace]) -> list[str]:
    """The commands that show what listens in these namespaces."""
    return _once(way.note if way.other is None else f"{way.other}ss -lntup" for way in map(entry, namespaces))


def for_namespaces(namespaces: Iterable[Namespace]) -> list[str]:
    """The commands that show what `netns` said."""
    common = [
        "ip netns list",
        "lsns -t net",
        "grep nsfs /proc/*/mountinfo",
        "ls -l /proc/*/task/*/ns/net /proc/*/fd",
    ]
    return [*common, *_once(_in(ns, "link show", "netns list-id") for ns in namespaces)]


def for_show(links: Iterable[Link], namespaces: Iterable[Namespace]) -> list[str]:
    """The commands that show what `show` said."""
    listed = list(links)
    addresses = (_in(link.netns, f"address show dev {shell_word(link.ifname)}") for link in listed)
    spaces = (_in(ns, "address show", "netns list-id") for ns in namespaces)
    return _once((*spaces, *addresses, *(command for link in listed for command in _peer(link))))


def _peer(link: Link) -> Iterator[str]:
    yield from _end(link)
    if link.peer is not None:
        yield from _end(link.peer)
    for wire in link.late_wires():
        yield from _late(link, wire)
    for step in way_up(link).steps:
        if step.link is None:
            continue
        if step.relation == "port":
            yield _in(step.link.netns, f"-d link show master {shell_word(step.link.ifname)}  # its ports")
        elif step.relation == "uplink":
            yield _in(step.link.netns, f"-d link show dev {shell_word(step.link.ifname)}")
        else:
            yield from _end(step.link)


def _end(link: Link) -> Iterator[str]:
    """What one end of a pair says: its index and name, the other's index, and the id of the other's namespace."""
    paired = link.wire is not None or link.loose is not None
    index, nsid = iflink(link.fact), link.fact.link_netnsid
    said = f"  # @if{index}" + ("" if nsid is None else f", link-netnsid {nsid}") if paired and index else ""
    yield _in(link.netns, f"-d link show dev {shell_word(link.ifname)}{said}")
    if not paired:
        return
    if nsid is not None and not link.netns.hidden:
        yield _in(link.numbered_by, f"netns list-id  # which namespace is nsid {nsid}")
    yield _statistics(link)


def _late(link: Link, wire: Wire) -> Iterator[str]:
    """What shows a wire that rtnetlink's description of a link does not tell."""
    name = shell_word(link.ifname)
    data = dict(wire.data) | (dict(wire.to.data) if wire.to is not None else {})
    if wire.relation == "tap" and wire.to is not None:
        for fd in str(data.get("fd", "")).split():
            yield f"grep iff: /proc/{wire.to.pid}/fdinfo/{fd}  # the link behind a tun descriptor"
    for command in COMMANDS.get(wire.relation, ()):
        way = entry(link.netns)
        if way.other is not None:
            yield way.other + command.format(name=name, place=data.get("from", "ingress"))


COMMANDS = {
    "port": ("ovs-appctl dpif/show  # bridges, and the numbers of their ports", "ovs-dpctl show"),
    "patch": ("ovs-vsctl --columns=name,options list interface type=patch",),
    "redirect": ("tc filter show dev {name} {place}",),
    "mirror": ("tc filter show dev {name} {place}",),
    "underlay": ("wg show {name} listen-port", "ss -uan  # in which namespace is that port?"),
}


def _statistics(link: Link) -> str:
    way = entry(link.netns)
    if not kinds.of(link.kind).told_by_driver or link.ifname.startswith("-") or way.other is None:
        return ""
    return f"{way.other}ethtool -S {shell_word(link.ifname)}  # peer_ifindex"


def _pairs_in(ns: Namespace) -> Iterator[str]:
    yield _in(
        ns,
        *(f"-d link show type {kind.name}" for kind in kinds.TABLE if kind.name in kinds.PAIRS),
        "netns list-id",
    )


def _in(ns: Namespace, *commands: str) -> str:
    way = entry(ns)
    if way.ip is None:
        return way.note
    return "\n".join(f"{way.ip} {command}" for command in commands)


def _once(commands: Iterable[str]) -> list[str]:
    lines = (part for command in commands for part in command.split("\n"))
    return list(dict.fromkeys(part for part in lines if part))
