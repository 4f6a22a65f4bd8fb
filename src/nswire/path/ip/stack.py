"""One ctx: a packet through the IP stacks of namespaces, from its sender to where it ends.

The order is the kernel's: output or input route, netfilter's hooks, forwarding, neighbour, link. See ip_output.c,
ip_input.c and ip_forward.c of net/ipv4, and what each step's own file names.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NoReturn

from msgspec.structs import replace

from nswire import kinds
from nswire.model.reasons import Cause, Reason
from nswire.model.tables import NotKnown
from nswire.model.values import End
from nswire.path import mtu, netfilter
from nswire.path.ip import (
    local_delivery,
    neighbour,
    reception,
    refusals,
    routing,
    source_address,
    syn,
    xfrm,
)
from nswire.path.ip.decision import IPV6
from nswire.path.netfilter import Place, Sight, verdict
from nswire.path.values import (
    ANY_PORT,
    BROADCAST,
    PACKET_BROADCAST,
    PACKET_MULTICAST,
    USUAL_TTL,
    WITH_PORTS,
    Ended,
    Frame,
    Going,
    Header,
    Landing,
    Mend,
    Steps,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.model.topology import Link
    from nswire.model.values import NsKey
    from nswire.path.context import Carry, PathContext
    from nswire.path.ip.decision import Decision
    from nswire.path.values import Flow, Packet

IN_NETNS = Reason("path.in_netns", "{netns}: {cause}")
TTL = Reason("path.ttl", "it goes round in a loop until its TTL runs out")
TTL_USED_UP = Reason("path.ttl_used_up", "its TTL is used up")
FOR_MORE = Reason("route.for_many", "{address} is a {type} address: it is for more than one", unknown=True)
LINK_UNKNOWN = Reason("route.link_unknown", "the link that it would leave by cannot be seen", unknown=True)
IPV6_DISABLED = Reason("route.ipv6_disabled", "IPv6 is disabled on {link} in {netns}", "IPV6DISABLED")
ONE_MAC = Reason(
    "path.one_mac",
    "{link} has the MAC {mac} of {other} too, which has {address}: the frame came to the wrong one",
)
INTO_ITSELF = Reason(
    "tunnel.into_itself", "{link} would send what is in it by itself: a loop", "RECURSION_LIMIT"
)

FOR_MANY = ("broadcast", "multicast")
CHOSEN = (1, 65535)  # where a port is from that is chosen by a system of which no more is known
AF_INET = 2
LOOP = 32  # links that a packet comes in by: more are a loop
ETHERNET = 1  # ARPHRD_ETHER
LOOPBACK = {4: "127.0.0.1", 6: "::1"}


class IpStack:
    """The IP stacks of all namespaces, as one walk passes them."""

    def __init__(self, ctx: PathContext) -> None:
        self._ctx = ctx

    # -- the stack -----------------------------------------------------------------------------------------------

    def originate(
        self, ns: NsKey, packet: Packet, steps: Steps = (), oif: int = 0, *, anysrc: bool = False
    ) -> Landing:
        """A packet that this namespace itself sends; `anysrc`: its source need be no address of its own."""
        return self._ended(
            lambda: self._sent(Going(ns, packet, steps), oif, anysrc=anysrc), ns, packet, steps
        )

    def receive(self, link: Link, packet: Packet, steps: Steps, frame: Frame | None = None) -> Landing:
        """A packet that comes up to the stack by that link."""
        ethernet = (
            frame is not None and link.fact.type == ETHERNET
        )  # which nft asks for, too (`meta iiftype ether`)
        packet = replace(packet, header=Header(frame.src, frame.dst) if ethernet and frame else None)
        if frame is not None and frame.to_all:  # eth_type_trans
            packet = replace(packet, pkttype=PACKET_BROADCAST if frame.dst == BROADCAST else PACKET_MULTICAST)
        going = Going(link.end.ns, packet, steps)
        return self._ended(lambda: self._received(link, going), link.end.ns, packet, steps)

    def _ended(self, walked: Callable[[], Landing], ns: NsKey, packet: Packet, steps: Steps) -> Landing:
        """Where a packet ends; unknown, where a table of this namespace, or of the segment behind it, cannot be had."""
        try:
            return walked()
        except Ended as ended:
            return ended.landing
        except NotKnown as missing:
            return Landing(
                "unknown",
                steps,
                ns,
                packet=packet,
                reason=IN_NETNS(netns=self._ctx.name(ns), cause=missing.cause),
            )

    def arrived(self, landing: Landing) -> Landing:
        """Go on with a frame that came up to a stack; anything else is where it ends."""
        link = self._ctx.topology.at(landing.end)
        if landing.fate != "up" or link is None or landing.frame is None:
            return landing
        return self.receive(link, landing.frame.packet, landing.steps, landing.frame)

    def source_address(self, end: End, gateway: str, dst: str) -> str:
        """The address that a packet out of that link gets; empty if it has none."""
        return source_address.select(self._ctx, end, gateway, dst)

    def back_out(self, link: Link, packet: Packet) -> tuple[str, str] | None:
        """The next hop of a packet that came in by a link and is routed out by it again, and the route; None: it is not."""
        found = routing.looked_up(self._ctx, link.end.ns, packet, link.end)
        if found.type != "unicast" or found.link != link.end:
            return None
        return found.gateway or packet.flow.dst, found.text

    def send(self, link: Link, packet: Packet, target: str, steps: Steps, *, carry: Carry) -> Landing:
        """Send a packet to a next hop on the segment of that link, by `carry`."""
        return neighbour.send(self._ctx, link, packet, target, steps, carry=carry)

    def _port(self, ns: NsKey, packet: Packet) -> Packet:
        """With the range of the port that this namespace chooses for it, if nobody has given one (inet_get_local_port_range)."""
        flow = packet.flow
        if flow.sport or flow.proto not in WITH_PORTS or flow.sports != ANY_PORT:
            return packet
        name = "ipv4/ip_local_port_range"
        first, last = (self._ctx.lookups.sysctl(ns, one) for one in (name, f"{name}/1"))
        within = (first, last) if first and last else CHOSEN
        return replace(packet, flow=replace(flow, sports=within))

    def _sent(self, going: Going, oif: int, *, anysrc: bool = False) -> Landing:
        going = going._replace(packet=self._port(going.ns, going.packet))
        if ipaddress.ip_address(going.packet.flow.dst).is_unspecified:
            going = self._to_self(going, oif)
        decision = self._routed(going, routing.output(self._ctx, going.ns, going.packet, oif, anysrc=anysrc))
        going = self._told(going, decision)
        if not going.packet.flow.src and decision.source:
            flow = replace(going.packet.flow, src=decision.source)
            told = self._ctx.step("source", f"its source is {flow.src}", going.ns, decision.link, flow=flow)
            going = Going(going.ns, replace(going.packet, flow=flow), going.steps + told)
        if not going.packet.hops:
            offers = syn.of(self._ctx, going.ns, going.packet, decision)
            packet = replace(going.packet, hops=self._first_ttl(going, decision), opening=offers)
            going = going._replace(packet=packet)
        self._allowed(going, "out", decision.link)
        link = self._ctx.topology.at(decision.link)
        vrf = link.master if link is not None else None
        if vrf is not None and kinds.of(vrf.kind).routes:  # vrf_ip_out, vrf_ip6_out: first as one of the VRF
            for hook in ("output", "postrouting"):
                going = self._hook(going, hook, oif=vrf.end, gateway=decision.gateway)
        after, rerouted = self._hooked(going, "output", oif=decision.link, gateway=decision.gateway)
        if rerouted is not None:
            again = self._routed(after, routing.output(self._ctx, after.ns, rerouted, oif, anysrc=anysrc))
            if again[:3] != decision[:3]:
                after = self._told(after, again)
            decision = again
            self._allowed(after, "out", decision.link)
        return self._out(after, decision)

    def _to_self(self, going: Going, oif: int) -> Going:
        """What is for no address is for who sends it (ip_route_output_key_hash_rcu; tcp_v6_connect, udpv6_sendmsg, rawv6_sendmsg)."""
        flow = going.packet.flow
        own = flow.src if flow.family != IPV6 else ""
        link = self._ctx.topology.get(End(going.ns, oif)) if oif and flow.family != IPV6 else None
        bound = (
            next((one.ip for one in link.addresses if one.family == AF_INET), "") if link is not None else ""
        )
        flow = replace(flow, dst=own or bound or LOOPBACK[flow.family])
        text = f"{going.packet.flow.dst} is {flow.dst} to who sends to it"
        steps = going.steps + self._ctx.step("route", text, going.ns, flow=flow)
        return going._replace(packet=replace(going.packet, flow=flow), steps=steps)

    def _first_ttl(self, going: Going, decision: Decision) -> int:
        """The TTL of what a namespace sends (ip4_dst_hoplimit, ip6_dst_hoplimit): the route's, else its own."""
        if decision.hoplimit:
            return decision.hoplimit
        link = self._ctx.topology.at(decision.link)
        if going.packet.flow.family != IPV6:
            return self._ctx.lookups.sysctl(going.ns, "ipv4/ip_default_ttl") or USUAL_TTL
        return (self._ctx.setting(link, "ipv6/conf/{}/hop_limit") if link is not None else 0) or USUAL_TTL

    def _received(self, link: Link, going: Going) -> Landing:
        end = link.end
        if going.packet.looped:
            return self._looped(link, going)
        came = going.packet.flow
        self._speaks(going, link)
        if going.packet.flow.family == IPV6:  # ip6_rcv_core
            self._stopped(going, "route", reception.martian6(link, going.packet), end)
            self._stopped(going, "link", reception.came_to_all(self._ctx, link, going.packet), end)
        # a packet of a VRF meets the hook twice: as one of the port, and as one of the VRF
        at_stack = _at_stack(link)
        if not going.packet.prerouted:
            going = self._hook(going, "prerouting", iif=link.ifname)
            if at_stack != link.ifname:
                going = self._hook(going, "prerouting", iif=at_stack)
        going = going._replace(packet=replace(going.packet, prerouted=False))
        arriving = routing.arriving(self._ctx, going.ns, going.packet, end)
        if arriving.cause is not None and arriving.cause.reason in refusals.NOT_FORWARDED:
            arriving = self._strayed(link, going.packet, arriving)
        decision = self._routed(going, arriving, end)
        if decision.type in FOR_MANY:
            reason = FOR_MORE(address=going.packet.flow.dst, type=decision.type)
            self._give_up(going, "route", reason, end)
        if going.packet.flow.family != IPV6:  # ip_rcv_finish_core
            self._stopped(going, "link", reception.came_to_all(self._ctx, link, going.packet), end)
        if decision.type == "local":
            going = self._hook(going, "input", iif=at_stack)
            self._stopped(going, "local", reception.no_connection(self._ctx, going.ns, going.packet), end)
            self._allowed(going, "in", end, came)
            return local_delivery.deliver(self._ctx, link, going.packet, decision.text, going.steps)
        going = self._told(going, decision)
        self._stopped(going, "link", reception.not_for_host(going.packet), end)  # ip_forward, ip6_forward
        self._allowed(going, "fwd", end, came)
        if going.packet.hops <= 1:
            self._drop(going, "loop", _ttl(going), end)
        self._allowed(going, "out", decision.link)
        going = going._replace(packet=replace(going.packet, hops=going.packet.hops - 1))
        going = self._hook(going, "forward", iif=at_stack, oif=decision.link, gateway=decision.gateway)
        return self._out(going, decision, at_stack)

    def _strayed(self, link: Link, packet: Packet, refused: Decision) -> Decision:
        """A packet that is not forwarded, if it came here only because two links have one MAC: then to forward is no cure."""
        for twin in self._ctx.topology.links():
            if (
                twin.end.ns != link.end.ns
                and twin.fact.address == link.fact.address
                and self._ctx.has(twin.end.ns, packet.flow.dst)
            ):
                places = {
                    "link": f"{link.ifname} in {self._ctx.name(link.end.ns)}",
                    "other": f"{twin.ifname} in {self._ctx.name(twin.end.ns)}",
                }
                cause = ONE_MAC(**places, mac=link.fact.address, address=packet.flow.dst)
                return refused._replace(cause=cause, mend=None, evidence="inferred")
        return refused

    def _looped(self, link: Link, going: Going) -> Landing:
        """What this namespace sent to itself: it still has the route of its output, so that nobody routes it again.

        loopback_xmit and vrf_local_xmit keep or set skb_dst, and ip_rcv_finish_core looks up only where there is none.
        """
        going = self._hook(going, "prerouting", iif=link.ifname)
        going = self._hook(going, "input", iif=link.ifname)
        self._stopped(going, "local", reception.no_connection(self._ctx, going.ns, going.packet), link.end)
        self._allowed(going, "in", link.end)
        return local_delivery.deliver(self._ctx, link, going.packet, "", going.steps)

    def _out(self, going: Going, decision: Decision, iif: str = "") -> Landing:
        """The rest of the way out of a namespace: postrouting, MTU, neighbour, link."""
        flow = going.packet.flow
        if decision.type in FOR_MANY:
            self._give_up(going, "route", FOR_MORE(address=flow.dst, type=decision.type))
        link = self._ctx.topology.at(decision.link)
        if link is None:
            self._give_up(going, "route", LINK_UNKNOWN())
        if link.end in self._ctx.inside:
            self._drop(going, "loop", INTO_ITSELF(link=link.ifname), link.end)
        before = going.packet.flow
        self._speaks(going, link)
        going = self._hook(going, "postrouting", iif=iif, oif=link.end, gateway=decision.gateway)
        if going.packet.flow != before:  # nf_xfrm_me_harder
            self._allowed(going, "out", link.end)
        going = mtu.check(self._ctx, link, going, decision.mtu, own=not iif)
        # __mkroute_output takes all for local that a route sends to lo; IPv6 does not
        if decision.type == "local" or (link.loopback and not iif and flow.family != IPV6):
            packet = _to_itself(going.packet, decision.own if decision.type == "local" else link.end)
            return self.arrived(self._ctx.l2.deliver(link, Frame("", "", packet), going.steps))
        return neighbour.send(self._ctx, link, going.packet, decision.gateway or flow.dst, going.steps)

    def _speaks(self, going: Going, link: Link) -> None:
        """Ended, if a link takes no IPv6 (ipv6_rcv, ip6_output)."""
        if going.packet.flow.family == IPV6 and self._ctx.setting(link, "ipv6/conf/{}/disable_ipv6"):
            name = f"net/ipv6/conf/{link.ifname}/disable_ipv6"
            mend = Mend("would let it have IPv6", going.ns, ("sysctl", "-w", f"{name}=0"))
            reason = IPV6_DISABLED(link=link.ifname, netns=self._ctx.name(going.ns))
            self._drop(going, "route", reason, link.end, mend)

    def _routed(self, going: Going, decision: Decision, end: End | None = None) -> Decision:
        """The decision, unless it is that the packet goes nowhere."""
        if decision.type in ("dropped", "unknown"):
            steps = self._told(going, decision, end).steps
            fate = "dropped" if decision.type == "dropped" else "unknown"
            raise Ended(
                Landing(fate, steps, going.ns, None, end, going.packet, decision.cause, decision.mend)  # type: ignore[arg-type]
            )
        return decision

    def _told(self, going: Going, decision: Decision, end: End | None = None) -> Going:
        steps = self._ctx.step(
            "route",
            decision.cause or decision.text,
            going.ns,
            decision.link or end,
            because=decision.because,
            evidence=decision.evidence,
            by_kernel=decision.by_kernel,
        )
        return going._replace(steps=going.steps + steps)

    # -- filters -----------------------------------------------------------------------------------

    def _hook(
        self,
        going: Going,
        hook: str,
        *,
        iif: str = "",
        oif: End | None = None,
        gateway: str = "",
    ) -> Going:
        """A hook of netfilter. Ended, if it does not let the packet pass."""
        return self._hooked(going, hook, iif=iif, oif=oif, gateway=gateway)[0]

    def _hooked(
        self, going: Going, hook: str, *, iif: str = "", oif: End | None = None, gateway: str = ""
    ) -> tuple[Going, Packet | None]:
        """The same, with the packet as it was when its way was to be looked up again, if it was."""
        link = self._ctx.topology.at(oif)
        place = Place(
            "ip6" if going.packet.flow.family == 6 else "ip",
            hook,
            iif,
            link.ifname if link is not None else "",
            going.packet.physin,
            gateway=gateway,
            sight=Sight(self._ctx, going.ns),
        )
        outcome = netfilter.traverse(self._ctx, going.ns, place, going.packet)
        after = verdict.undisturbed(
            self._ctx, verdict.passed(self._ctx, going, outcome, hook), place.family, hook
        )
        return after, outcome.rerouted

    def _allowed(self, going: Going, direction: str, end: End | None, flow: Flow | None = None) -> None:
        """Ended, if the XFRM policies of that direction do not let it pass. `flow`: before NAT (nf_nat_decode_session)."""
        packet = replace(going.packet, flow=flow or going.packet.flow)
        found = xfrm.ruling(self._ctx, self._ctx.topology.at(end), going.ns, direction, packet)
        if found is not None and found.fate == "dropped":
            self._drop(going, "xfrm", found.reason, end)
        if found is not None:
            self._give_up(going, "xfrm", found.reason, end)

    # -- ends ----------------------------------------------------------------------------------------------------

    def _drop(
        self, going: Going, kind: str, reason: Cause, end: End | None = None, mend: Mend | None = None
    ) -> NoReturn:
        steps = going.steps + self._ctx.step(kind, reason, going.ns, end)
        raise Ended(Landing("dropped", steps, going.ns, None, end, going.packet, reason, mend))

    def _stopped(self, going: Going, kind: str, reason: Cause | None, end: End) -> None:
        """Ended, if there is a reason."""
        if reason is not None:
            self._drop(going, kind, reason, end)

    def _give_up(self, going: Going, kind: str, reason: Cause, end: End | None = None) -> NoReturn:
        steps = going.steps + self._ctx.step(kind, reason, going.ns, end)
        raise Ended(Landing("unknown", steps, going.ns, None, end, going.packet, reason))


def _to_itself(packet: Packet, own: End | None) -> Packet:
    """A packet on the loopback: it keeps mark, connection and route; a connection that has left once gets no NAT any more.

    nf_nat_setup_info leaves those alone that are confirmed, and each is when it has passed postrouting.
    """
    if packet.conn is not None:
        packet.conn.sources = packet.conn.destinations = True
    return replace(packet, looped=True, own=own)


def _ttl(going: Going) -> Cause:
    """Why its TTL has run out: by going round, or because it had little to begin with."""
    return TTL() if sum(step.way == "in" for step in going.steps) > LOOP else TTL_USED_UP()


def _at_stack(link: Link) -> str:
    """The link as the stack calls it: the VRF, for its ports."""
    master = link.master
    return master.ifname if master is not None and kinds.of(master.kind).routes else link.ifname
