"""Why nothing passes a link, and where that would be changed: it is down, or has no carrier, or what is under it has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire import kinds
from nswire.model.reasons import Reason
from nswire.model.values import IFF_RUNNING, IFF_UP

if TYPE_CHECKING:
    from nswire.model.reasons import Cause
    from nswire.model.topology import Link

DOWN = Reason("l2.down", "{link} in {netns} is down", "DEV_READY")
NO_CARRIER = Reason("l2.no_carrier", "{link} in {netns} has no carrier", "DEV_READY")
PEER_DOWN = Reason(
    "l2.peer_down", "{link} in {netns} has no carrier: its peer {peer} in {peer_netns} is down", "DEV_READY"
)
LOWER_DOWN = Reason("l2.lower_down", "{link} in {netns} has no carrier: {why}", "DEV_READY")
NO_PORTS = Reason("l2.no_ports", "{link} in {netns} has no carrier: it has no ports", "DEV_READY")
PORTS_DOWN = Reason(
    "l2.ports_down", "{link} in {netns} has no carrier: none of its ports has one", "DEV_READY"
)

DEEPEST = 64  # links one over the other; a recording may claim a circle


class Stopped(NamedTuple):
    """Why a link carries nothing. `fix`: the link that has to be set up for it; None: no command alone would do."""

    cause: Cause
    fix: Link | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """The command that would do, in the namespace of `fix`; empty if there is none."""
        return () if self.fix is None else ("ip", "link", "set", "dev", self.fix.ifname, "up")


def stopped(link: Link, depth: int = 0) -> Stopped | None:
    """Why nothing passes it; None if it is up and has a carrier (IFF_UP, IFF_RUNNING: netif_carrier_ok, netif_oper_up)."""
    names = {"link": link.ifname, "netns": link.topology.title(link.netns)}
    if not link.fact.flags & IFF_UP:
        return Stopped(DOWN(**names), link)
    if link.fact.flags & IFF_RUNNING or depth > DEEPEST:
        return None
    peer, lower = link.peer, link.lower
    if peer is not None and not peer.fact.flags & IFF_UP:
        where = peer.topology.title(peer.netns)
        return Stopped(PEER_DOWN(**names, peer=peer.ifname, peer_netns=where), peer)
    below = None if lower is None else stopped(lower, depth + 1)
    if below is not None:
        return Stopped(LOWER_DOWN(**names, why=below.cause), below.fix)
    if kinds.of(link.kind).switch:
        return Stopped((PORTS_DOWN if link.ports else NO_PORTS)(**names))
    return Stopped(NO_CARRIER(**names))
