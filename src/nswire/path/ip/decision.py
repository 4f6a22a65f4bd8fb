"""A routing decision as a value, and routes in the words of `ip route`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire.model.values import End
from nswire.path.fib import table_name

if TYPE_CHECKING:
    from nswire.model.reasons import Cause
    from nswire.model.routing import NextHop, Route
    from nswire.model.values import Evidence, NsKey
    from nswire.path.context import PathContext
    from nswire.path.values import Mend

IPV6 = 6
KERNEL = "the kernel's own lookup"


class Decision(NamedTuple):
    """What routing does with a packet. `type`: `unicast`, `local`, `broadcast`, `multicast`, `dropped` or `unknown`.

    `own`: the link of the route to an own address, which packets leave by the loopback for all the same. `by_kernel`: it is what the kernel said itself. `text` is the route that decides; `cause` is there for `dropped` and `unknown` alone.
    """

    type: str
    link: End | None = None
    gateway: str = ""
    source: str = ""
    mtu: int = 0
    text: str = ""
    because: tuple[str, ...] = ()
    evidence: Evidence = "proved"
    mend: Mend | None = None
    cause: Cause | None = None
    hoplimit: int = 0
    own: End | None = None
    by_kernel: bool = False


def route_text(ctx: PathContext, ns: NsKey, route: Route) -> str:
    """A route as `ip route` prints it."""
    words = [] if route.type == "unicast" else [route.type]
    words.append(network(route.dst))
    words += [f"from {route.src}"] if route.src else []
    if len(route.hops) == 1:
        words.append(hop_text(ctx, ns, route.hops[0]))
    words += [
        f"nexthop {hop_text(ctx, ns, hop)} weight {hop.weight}" for hop in route.hops if len(route.hops) > 1
    ]
    words += [f"metric {route.priority}"] if route.priority else []
    words += [f"table {table_name(route.table)}"] if route.table != 254 else []
    return " ".join(words)


def network(dst: str) -> str:
    """A destination as `ip route` prints it."""
    address, _, length = dst.partition("/")
    if length == "0":
        return "default"
    return address if length == ("128" if ":" in address else "32") else dst


def hop_text(ctx: PathContext, ns: NsKey, hop: NextHop) -> str:
    """A next hop as `ip route` prints it."""
    link = ctx.topology.get(End(ns, hop.ifindex))
    dev = f"dev {link.ifname if link is not None else hop.ifindex}"
    encap = f"encap {hop.encap} " if hop.encap else ""
    return f"{encap}via {hop.gateway} {dev}" if hop.gateway else f"{encap}{dev}"
