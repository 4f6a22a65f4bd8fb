"""The last step: a socket of the namespace that has the address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.path.values import ICMP, ICMPV6, WITH_PORTS, Landing, Mend

if TYPE_CHECKING:
    from nswire.model.topology import Link
    from nswire.model.values import NsKey
    from nswire.path.values import Packet, Steps
    from nswire.path.walk import Walk

IGNORING = {ICMP: "ipv4/icmp_echo_ignore_all", ICMPV6: "ipv6/icmp/echo_ignore_all"}


def ignores(walk: Walk, ns: NsKey, packet: Packet) -> tuple[str, Mend] | None:
    """Why a namespace does not answer a packet that has arrived, and what would change that; None if it does."""
    name = IGNORING.get(packet.flow.proto)
    if name is None or not walk.lookups.sysctl(ns, name):
        return None
    key = f"net.{name.replace('/', '.')}"
    reason = f"{walk.name(ns)} does not answer an echo request: {key}=1"
    return reason, Mend("would answer", ns, ("sysctl", "-w", f"{key}=0"))


def deliver(walk: Walk, link: Link, packet: Packet, why: str, steps: Steps) -> Landing:
    """The packet has arrived; whether anybody listens there is told as well."""
    ns, flow = link.end.ns, packet.flow
    text = f"{flow.dst} is an address of {walk.name(ns)}"
    because = [why] if why else []
    protocol = WITH_PORTS.get(flow.proto)
    if protocol is not None and flow.dport and not packet.answer:
        ports = walk.lookups.listeners(ns)
        listens = ports is None or (protocol, flow.dport) in ports
        answer = "a reset" if protocol == "tcp" else "port unreachable"
        text += (
            "" if listens else f"; nothing listens on {protocol} port {flow.dport}, so the answer is {answer}"
        )
    steps += walk.step("local", text, ns, link.end, because=tuple(because))
    return Landing("delivered", steps, ns, end=link.end, packet=packet, reason=text)
