"""Who takes a packet that is for this namespace: the socket that it is looked up for, and the process that has it.

net/ipv4/inet_hashtables.c (compute_score), udp.c (compute_score), include/net/inet_sock.h (inet_bound_dev_eq).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire import kinds
from nswire.model.reasons import Reason
from nswire.model.sockets import MAPPED, MAPPED_ANY
from nswire.model.values import End
from nswire.path.values import TCP, WITH_PORTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nswire.model.reasons import Cause
    from nswire.model.sockets import Forward, Listener, Process
    from nswire.model.topology import Link
    from nswire.model.values import NsKey
    from nswire.path.context import PathContext
    from nswire.path.values import Flow, Packet

TAKEN = Reason("local.taken", "{address} is an address of {netns}; {process} (pid {pid}) listens on {socket}")
HANDED_ON = Reason(
    "local.handed_on",
    "{address} is an address of {netns}; {process} (pid {pid}) listens on {socket}, and hands on what comes to {to}",
)
HANDED_ON_UNTOLD = Reason(
    "local.handed_on_untold",
    "{address} is an address of {netns}; {process} (pid {pid}) listens on {socket} for somebody else, and to whom it hands on what comes "
    "is not known",
)
ONLY_KEPT = Reason(
    "local.only_kept",
    "{address} is an address of {netns}; {process} (pid {pid}) listens on {socket}, and only keeps it from others: nobody answers, "
    "as the firewall would have it go to {to}",
)
TAKEN_BY_SOMEBODY = Reason(
    "local.taken_by_somebody", "{address} is an address of {netns}; a socket listens on {socket}"
)
NOBODY_LISTENS = Reason(
    "local.nobody_listens",
    "{address} is an address of {netns}; nothing listens on {socket} ({answer})",
    "NO_SOCKET",
)
LISTENS_ELSEWHERE = Reason(
    "local.listens_elsewhere",
    "{address} is an address of {netns}; nothing listens on {socket} ({answer}); {process} (pid {pid}) listens on {elsewhere}",
    "NO_SOCKET",
)
SOMEBODY_ELSEWHERE = Reason(
    "local.somebody_elsewhere",
    "{address} is an address of {netns}; nothing listens on {socket} ({answer}); a socket listens on {elsewhere}",
    "NO_SOCKET",
)
REFUSED = (NOBODY_LISTENS, LISTENS_ELSEWHERE, SOMEBODY_ELSEWHERE)
ANSWERS = {"tcp": "a reset", "udp": "port unreachable"}


class Taken(NamedTuple):
    """What is said of who takes a packet; where that process hands it on to, if it is one that listens for others alone."""

    cause: Cause
    forwards: tuple[Forward, ...] | None = None
    process: Process | None = None

    @property
    def listens(self) -> bool:
        """Whether there is such a socket."""
        return self.cause.reason not in REFUSED


class _Came(NamedTuple):
    """By which link a packet came, as sockets see it: the VRF, and its port (0: it came by no VRF)."""

    dif: int
    sdif: int


def taken(ctx: PathContext, link: Link, flow: Flow) -> Taken | None:
    """Who takes a packet that came in by that link, or that nobody does; None if that cannot be told, or is no matter of ports."""
    protocol = WITH_PORTS.get(flow.proto)
    found = ctx.lookups.listeners(link.end.ns) if protocol is not None and flow.dport else None
    if protocol is None or found is None:
        return None
    waiting = [one for one in found if (one.protocol, one.port) == (protocol, flow.dport)]
    came = _came(link)
    l3mdev = bool(ctx.lookups.sysctl(link.end.ns, f"ipv4/{protocol}_l3mdev_accept")) if came.sdif else True
    fits = [(_fits(one, flow.dst, came, l3mdev=l3mdev), one) for one in waiting]
    told = {"address": flow.dst, "netns": ctx.name(link.end.ns)}
    certain = [one for fit, one in fits if fit]
    if certain:
        one = max(certain, key=_score)
        process = ctx.lookups.holder(one.inode)
        socket = _written(ctx, link, one)
        if process is None:
            return Taken(TAKEN_BY_SOMEBODY(**told, socket=socket))
        taker: dict[str, str | int] = {"socket": socket, "process": process.name, "pid": process.pid}
        forwards = ctx.topology.forwards(link.end.ns, process.pid, one)
        if forwards is None:
            return Taken(TAKEN(**told, **taker))
        return Taken(_handed_on(ctx, forwards, told | taker), forwards, process)
    if any(fit is None for fit, _ in fits):
        return None
    wanted = f"[{flow.dst}]:{flow.dport}" if flow.family == 6 else f"{flow.dst}:{flow.dport}"
    told |= {"socket": wanted, "answer": ANSWERS[protocol]}
    if not waiting:
        return Taken(NOBODY_LISTENS(**told))
    one = waiting[0]
    told["elsewhere"] = _written(ctx, link, one, family=flow.family)
    process = ctx.lookups.holder(one.inode)
    if process is None:
        return Taken(SOMEBODY_ELSEWHERE(**told))
    return Taken(LISTENS_ELSEWHERE(**told, process=process.name, pid=process.pid))


def _handed_on(ctx: PathContext, forwards: tuple[Forward, ...], told: Mapping[str, str | int]) -> Cause:
    """By a program that listens for somebody else (docker-proxy, pasta ...), and to whom, as far as that is known."""
    if not forwards:
        return HANDED_ON_UNTOLD(**told)
    to = " or ".join(_whither(ctx, one) for one in forwards)
    return (ONLY_KEPT if all(one.keeps for one in forwards) else HANDED_ON)(**told, to=to)


def _whither(ctx: PathContext, to: Forward) -> str:
    address = f"[{to.address}]" if ":" in to.address else to.address
    if to.ns is None:
        return f"{address}:{to.port}" if to.port else address
    return f"port {to.port} of {ctx.name(to.ns)}" if to.port else ctx.name(to.ns)


def answers_by(ctx: PathContext, link: Link | None, flow: Flow) -> int:
    """The VRF that the answer to a packet is bound to that came in by that link; 0: to none.

    Echo replies, resets and TCP's connections are bound to where the packet came from (icmp_reply, inet_request_bound_dev_if),
    what is sent by a socket of UDP as that is.
    """
    if link is None or not (came := _came(link)).sdif:
        return 0
    protocol = WITH_PORTS.get(flow.proto)
    found = ctx.lookups.listeners(link.end.ns) if protocol == "udp" else None
    fits = [one for one in found or () if (one.protocol, one.port) == (protocol, flow.dport)]
    takers = [one for one in fits if _fits(one, flow.dst, came, l3mdev=True)]
    return 0 if takers and not max(takers, key=_score).ifindex else came.dif


def answers_with(ctx: PathContext, ns: NsKey, link: Link | None, packet: Packet) -> int:
    """The mark of the answer to a packet that has that mark itself: the same, or none.

    What the kernel itself says (an echo reply, a reset, port unreachable) by fwmark_reflect (IP4_REPLY_MARK), a connection that is accepted
    by tcp_fwmark_accept (inet_request_mark); what a socket of UDP sends has that socket's own.
    """
    flow = packet.flow
    if not packet.mark:
        return 0
    reflect = _switch(ctx, ns, f"ipv{flow.family}/fwmark_reflect")
    if flow.proto not in WITH_PORTS:
        return packet.mark if reflect else 0
    accepts = _switch(ctx, ns, "ipv4/tcp_fwmark_accept") if flow.proto == TCP else False
    if accepts == reflect:
        return packet.mark if reflect else 0
    taker = taken(ctx, link, flow) if link is not None else None
    if taker is None:
        names = [f"{text} listens on port {flow.dport}" for text in ("nobody", "a socket")]
        listens = bool(ctx.chooser.choose(names))
    else:
        listens = taker.listens
    return packet.mark if (accepts if listens else reflect) else 0


def _switch(ctx: PathContext, ns: NsKey, name: str) -> bool:
    """A switch that every kernel has; where it was not recorded, both are possible."""
    known = ctx.lookups.sysctl(ns, name)
    if known is not None:
        return bool(known)
    return bool(ctx.chooser.choose_once((name, ns), [f"{name} is {value}" for value in (0, 1)]))


def _came(link: Link) -> _Came:
    if kinds.of(link.kind).routes:
        return _Came(link.ifindex, link.ifindex)
    master = link.master
    if master is not None and kinds.of(master.kind).routes:
        return _Came(master.ifindex, link.ifindex)
    return _Came(link.ifindex, 0)


def _fits(one: Listener, dst: str, came: _Came, *, l3mdev: bool) -> bool | None:
    """Whether a socket of that port takes a packet for that address; None if it was not told whether it takes IPv4."""
    if not (one.ifindex in came if one.ifindex else not came.sdif or l3mdev):
        return False
    if one.address == MAPPED_ANY:
        return ":" not in dst
    if not one.everywhere:
        return dst in (one.address, one.address.removeprefix(MAPPED))
    if one.family == (6 if ":" in dst else 4):
        return True
    return one.family == 6 and (None if one.v6only is None else not one.v6only)


def _score(one: Listener) -> tuple[bool, bool, bool]:
    return not one.everywhere, bool(one.ifindex), one.family == 4


def _written(ctx: PathContext, link: Link, one: Listener, family: int = 0) -> str:
    """A socket as `ss` writes it; that it takes no IPv4, where that is why."""
    bound = ctx.topology.at(End(link.end.ns, one.ifindex)) if one.ifindex else None
    device = f"%{bound.ifname}" if bound is not None else f"%{one.ifindex}" if one.ifindex else ""
    address = f"[{one.address}]" if one.family == 6 else one.address
    alone = " (IPv6 alone)" if one.v6only and one.everywhere and family == 4 else ""
    return f"{address}{device}:{one.port}{alone}"
