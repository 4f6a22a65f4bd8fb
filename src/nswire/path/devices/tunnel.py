"""Tunnels: the packet goes on inside another one, which has a way of its own through the namespace that the tunnel is tied to.

drivers/net/vxlan, geneve.c; net/ipv4/ip_tunnel.c, net/ipv6/ip6_tunnel.c, ip6_gre.c, sit.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from nswire import kinds
from nswire.model.reasons import Reason
from nswire.path.devices.device import Device
from nswire.path.values import UDP, Flow, Landing, Packet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nswire.model.reasons import Cause
    from nswire.model.topology import Link
    from nswire.model.values import NsKey
    from nswire.path.context import PathContext
    from nswire.path.values import Frame, Steps

UNDERLAY_UNKNOWN = Reason(
    "tunnel.underlay_unknown", "in which namespace {link} sends its packets cannot be seen", unknown=True
)
MARKED = Reason("tunnel.marked", "what the mark of a packet does in a {kind} is not followed", unknown=True)
NO_OTHER_END = Reason("tunnel.no_other_end", "no {kind} in {netns} takes what comes from {link}")
TOO_DEEP = Reason("tunnel.too_deep", "tunnels in tunnels without an end")
OUTER = Reason("tunnel.outer", "its outer packet: {cause}")
MULTICAST = Reason(
    "tunnel.multicast", "{link} sends to the multicast group {group}: who is in it is not known", unknown=True
)
EXTERNAL = Reason("tunnel.external", "{link} goes where each packet says (external): not known", unknown=True)
NO_GROUP = Reason(
    "tunnel.no_group", "{link} has {mac} at nhid {group}, and what that is cannot be seen", unknown=True
)
NO_REMOTE = Reason("tunnel.no_remote", "{link} has no remote end", unknown=True)

IPIP, IP6, GRE = 4, 41, 47
IPV4_HEADER, IPV6_HEADER = 20, 40


class _Row(NamedTuple):
    """A kind of tunnel: the protocol of its outer packets, how much they add beside the IP header, what tells two apart.

    `addresses`: how many of remote and local it looks at when a packet comes in.
    """

    proto: int
    overhead: int
    port: int = 0
    keys: tuple[str, ...] = ()
    frames: bool = False
    addresses: int = 2


ROWS = {
    "vxlan": _Row(UDP, 30, 8472, ("id",), frames=True, addresses=0),
    "geneve": _Row(UDP, 30, 6081, ("id",), frames=True, addresses=1),
    "gre": _Row(GRE, 4, keys=("ikey",)),
    "gretap": _Row(GRE, 18, keys=("ikey",), frames=True),
    "ip6gre": _Row(GRE, 4, keys=("ikey",)),
    "ip6gretap": _Row(GRE, 18, keys=("ikey",), frames=True),
    "ipip": _Row(IPIP, 0),
    "sit": _Row(IP6, 0),
    "ip6tnl": _Row(IP6, 0),
}
METADATA = (*ROWS, "erspan", "ip6erspan", "bareudp", "gtp")
"""Kinds that look at what was set for a packet (`external`)."""
UP = 0x1
ANY = ("0.0.0.0", "::")  # noqa: S104 (what a tunnel without such an address says)
TO_ALL = "00:00:00:00:00:00"


def send(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """Into the tunnel, and out of it at the other end, if that is on this host; else the outer packet's end is the end."""
    details = kinds.details(link.fact)
    remotes, why, nowhere = _remotes(ctx, link, frame)
    if nowhere is not None:
        yield ctx.l2.unknown(link, frame, steps, nowhere)
        return
    ns = underlay(link)
    if ns is None:
        yield ctx.l2.unknown(link, frame, steps, UNDERLAY_UNKNOWN(link=link.ifname))
        return
    row = ROWS[link.kind]
    if (
        frame.packet.mark and row.proto != UDP
    ):  # ip_tunnel_xmit routes by the tunnel's own mark, filters see the packet's
        yield ctx.l2.unknown(link, frame, steps, MARKED(kind=link.kind))
        return
    port = details.get("port", row.port) if row.proto == UDP else 0
    local = str(details.get("local", "") or "")
    for remote in remotes:
        outer = Flow(remote, local, row.proto, 0, port if isinstance(port, int) else 0)
        text = f"{link.ifname} puts it into {link.kind}{_told(details)}: {outer.text}"
        told = steps + ctx.step("tunnel", text, link.end.ns, link.end, because=((why,) if why else ()))
        landing = encapsulated(ctx, link, outer, frame, told, ns=ns, overhead=row.overhead, oif=_bound(link))
        if landing.fate != "delivered":
            yield landing
            continue
        other = _other_end(ctx, link, landing)
        if other is None:
            reason = NO_OTHER_END(kind=link.kind, netns=ctx.name(landing.ns), link=link.ifname)
            steps_there = landing.steps + ctx.step("tunnel", reason, landing.ns)
            yield Landing("dropped", steps_there, landing.ns, frame, landing.end, frame.packet, reason=reason)
            continue
        inner = frame.crossed(link.end.ns, landing.ns)
        if not row.frames:
            inner = replace(inner, dst="")
        yield from ctx.l2.arrive(other, inner, landing.steps)


def encapsulated(
    ctx: PathContext,
    link: Link,
    outer: Flow,
    frame: Frame,
    steps: Steps,
    *,
    ns: NsKey,
    overhead: int,
    oif: int = 0,
) -> Landing:
    """The way of the outer packet of that tunnel in the namespace that it sends from, told one level deeper."""
    if ctx.depth >= ctx.DEEPEST:
        return Landing("dropped", steps, ns, frame, None, frame.packet, reason=TOO_DEEP())
    header = IPV6_HEADER if outer.family == 6 else IPV4_HEADER
    size = frame.packet.size + overhead + header if frame.packet.size and not frame.asks else 0
    ctx.depth += 1
    ctx.overhead += overhead + header
    ctx.inside.append(link.end)
    packet = Packet(
        outer,
        frame.packet.crossed(link.end.ns, ns).mark,
        size=size,
        whole=outer.proto != UDP,
        hops=frame.packet.hops,
    )
    try:
        with ctx.l2.in_full():
            landing = ctx.l3.originate(ns, packet, steps, oif)
    finally:
        ctx.inside.pop()
        ctx.depth -= 1
        ctx.overhead -= overhead + header
    if landing.fate in ("leaves", "dropped", "unknown"):
        return replace(
            landing,
            packet=frame.packet,
            reason=None if landing.reason is None else OUTER(cause=landing.reason),
            outer=True,
        )
    return landing


def _told(details: Mapping[str, object]) -> str:
    number = details.get("id")
    return f" (id {number})" if number is not None else ""


def _remotes(ctx: PathContext, link: Link, frame: Frame) -> tuple[tuple[str, ...], str, Cause | None]:
    """Where the outer packets go, and who says so: the forwarding table, or the link itself; or why that is not known."""
    details = kinds.details(link.fact)
    if details.get("external"):
        return (), "", EXTERNAL(link=link.ifname)
    remote = str(details.get("remote", "") or "")
    if link.kind == "vxlan":
        found = [
            one
            for one in ctx.lookups.fdb(link.end.ns, *dict.fromkeys((frame.dst or TO_ALL, TO_ALL)))
            if one.ifindex == link.ifindex and not one.master
        ]
        entries = [one for one in found if one.dst]
        exact = tuple(one.dst for one in entries if one.lladdr == frame.dst)
        group = next((one.nh_id for one in found if one.lladdr == frame.dst and one.nh_id), 0)
        if group and not frame.to_all:
            return _by_group(ctx, link, frame.dst, group)
        if exact and not frame.to_all:
            return exact, f"its forwarding table has {frame.dst} at {', '.join(exact)}", None
        everybody = tuple(dict.fromkeys(one.dst for one in entries if one.lladdr == TO_ALL))
        if everybody:
            return everybody, "its forwarding table: for all", None
    if remote and _is_multicast(remote):
        return (), "", MULTICAST(link=link.ifname, group=remote)
    if not remote:
        return (), "", NO_REMOTE(link=link.ifname)
    return (remote,), "", None


def _by_group(
    ctx: PathContext, link: Link, mac: str, group: int
) -> tuple[tuple[str, ...], str, Cause | None]:
    """By the next hops of an entry with a group of them (`nhid`), of which a hash picks one."""
    objects = ctx.lookups.next_hops(link.end.ns)
    members = [number for number, _ in objects[group].group] or [group] if group in objects else []
    hops = [one.hop for number in members if (one := objects.get(number)) is not None]
    remotes = [hop.gateway for hop in hops if hop is not None and hop.gateway]
    if not remotes:
        return (), "", NO_GROUP(link=link.ifname, mac=mac, group=group)
    taken = remotes[ctx.chooser.choose([f"{link.ifname} sends it to {remote}" for remote in remotes])]
    return (taken,), f"its forwarding table has {mac} at nhid {group}: {', '.join(remotes)}", None


def _is_multicast(address: str) -> bool:
    return address.startswith("ff") if ":" in address else 224 <= int(address.partition(".")[0]) < 240


def underlay(link: Link) -> NsKey | None:
    """The namespace that the outer packets are sent from."""
    wires = (*link.lower_wires, *link.late_wires("underlay"))
    for wire in wires:
        if wire.relation != "underlay":
            continue
        if wire.b is not None:
            return wire.b.ns
        if wire.to is not None and wire.to.ns is not None:
            return wire.to.ns
    if link.loose is not None or link.late_loose("underlay") or link.kind == "geneve":
        return None
    return link.end.ns


def _bound(link: Link) -> int:
    """The link that the outer packets have to leave by; 0: whichever the routes say."""
    lower = next(
        (wire.b for wire in link.lower_wires if wire.relation == "underlay" and wire.b is not None), None
    )
    return lower.ifindex if lower is not None else 0


def _other_end(ctx: PathContext, link: Link, landing: Landing) -> Link | None:
    """The tunnel that takes the outer packet: of the same kind, up, tied to where it arrived, with the same keys; the closest.

    vxlan_rcv and geneve_rx look for the number alone, and geneve for the remote end; ip_tunnel_lookup takes the one that
    names most of the packet's two addresses.
    """
    if landing.packet is None:
        return None
    outer, mine, row = landing.packet.flow, kinds.details(link.fact), ROWS[link.kind]
    found: list[tuple[int, Link]] = []
    for other in ctx.topology.links():
        if other.kind != link.kind or other == link or not other.fact.flags & UP:
            continue
        theirs = kinds.details(other.fact)
        same = all(mine.get(_other_side(key)) == theirs.get(key) for key in row.keys)
        if not same or mine.get("port", row.port) != theirs.get("port", row.port):
            continue
        named = [(theirs.get("remote"), outer.src, 2), (theirs.get("local"), outer.dst, 1)][: row.addresses]
        given = [(said, real, weight) for said, real, weight in named if said not in (None, "", *ANY)]
        if all(said == real for said, real, _ in given) and underlay(other) == landing.ns:
            found.append((sum(weight for *_, weight in given), other))
    return max(found, key=lambda one: one[0], default=(0, None))[1]


def _other_side(key: str) -> str:
    """What one end calls `okey` the other one calls `ikey`."""
    return {"ikey": "okey"}.get(key, key)


DEVICES = (Device(tuple(ROWS), transmit=send),)
