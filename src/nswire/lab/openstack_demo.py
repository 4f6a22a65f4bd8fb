"""The network of the blog post that started this project, to the digit, and a trap for the blog's method.

The post's host::

    qdhcp-fabc7ead-…            host (home)                                router          outside
    ns-39d60faa-aa (68) ==== (69) tap39d60faa-aa - brqfabc7ead-61 - eth1 ==== int0   ext0 ==== wan0

The trap, a second DHCP namespace that lies beside the first in /run/netns, but whose wire goes to a nested host::

    qdhcp-c0ffee42-…            compute-2 (a host in the host)
    ns-7be2c0f4-1d (68) ==== (69) tap7be2c0f4-1d - brqc0ffee42-9e - eth1 ==== int1 (in router)

Asked for ns-7be2c0f4-1d, the blog's method says "peer_ifindex: 69", and `ip link | grep ^69` on the host shows exactly one
link, tap39d60faa-aa: the wrong one. Nor does asking back help: that tap answers "peer_ifindex: 68", as it would if it
were the peer. Of the four combinations of a 68 and a 69 all are mutual, and only two are true.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .lab import Lab

if TYPE_CHECKING:
    from .netns import Ns

NAMESPACE = "qdhcp-fabc7ead-6132-4920-af57-2ad5e199e1c1"
INNER, INNER_INDEX, INNER_MAC = "ns-39d60faa-aa", 68, "fa:16:3e:98:e6:f3"
OUTER, OUTER_INDEX, OUTER_MAC = "tap39d60faa-aa", 69, "62:41:1f:e2:b2:9d"
BRIDGE, UPLINK, ROUTER, OUTSIDE = "brqfabc7ead-61", "eth1", "router", "outside"

TRAP_NAMESPACE = "qdhcp-c0ffee42-9e11-4d6b-8a3c-5b1f0e7d2a64"
TRAP_INNER, TRAP_INNER_MAC = "ns-7be2c0f4-1d", "fa:16:3e:51:0c:7a"
TRAP_OUTER, TRAP_OUTER_MAC = "tap7be2c0f4-1d", "7a:0d:93:c4:5e:21"
TRAP_BRIDGE, TRAP_HOST = "brqc0ffee42-9e", "compute-2"

METADATA = "169.254.169.254/16"


@dataclass(frozen=True, slots=True)
class _Network:
    """One Neutron network on one host: DHCP port, bridge, uplink, router leg."""

    inner: tuple[str, str]
    outer: tuple[str, str]
    bridge: tuple[str, int]
    uplink: tuple[str, int, str]
    leg: str
    subnet: str
    """First three numbers of the IPv4 subnet."""


_BLOG = _Network(
    (INNER, INNER_MAC),
    (OUTER, OUTER_MAC),
    (BRIDGE, 67),
    (UPLINK, 3, "52:54:00:1b:3d:01"),
    "int0",
    "10.10.100",
)
_TRAP = _Network(
    (TRAP_INNER, TRAP_INNER_MAC),
    (TRAP_OUTER, TRAP_OUTER_MAC),
    (TRAP_BRIDGE, 67),
    ("eth1", 3, "52:54:00:1b:3d:02"),
    "int1",
    "10.10.200",
)


def blog(*, trap: bool = True) -> Lab:
    """Build it around the calling thread's namespace, whose ifindexes 3, 67 and 69 must be free.

    Every namespace is mounted in /run/netns. Raises OSError. The caller closes the laboratory.

    The post's loopback has ifindex 59; on kernels since 3.7 a namespace's loopback is always 1.
    """
    lab = Lab()
    with contextlib.ExitStack() as undo:
        undo.callback(lab.close)
        _build(lab, trap=trap)
        lab.release()
        undo.pop_all()
    return lab


def _build(lab: Lab, *, trap: bool) -> None:
    with contextlib.suppress(OSError):
        lab.rtnl(lab.home).set("lo", up=True)
    router = _host(lab, ROUTER)
    outside = _host(lab, OUTSIDE)
    lab.pair(router, "ext0", outside, "wan0")
    _network(lab, _BLOG, lab.home, _host(lab, NAMESPACE), router)
    if trap:
        _network(lab, _TRAP, _host(lab, TRAP_HOST), _host(lab, TRAP_NAMESPACE), router)
    for ns, link, address in ((router, "ext0", "203.0.113.2/24"), (outside, "wan0", "203.0.113.1/24")):
        rtnl = lab.rtnl(ns)
        rtnl.address(rtnl.index(link), address)
    lab.rtnl(router).route("default", via="203.0.113.1")
    lab.rtnl(outside).route("10.10.0.0/16", via="203.0.113.2")
    # it stands for the whole internet: whatever is sent there arrives
    lab.rtnl(outside).route("default", dev=lab.rtnl(outside).index("lo"), local=True)
    # Where /proc/sys is read-only (containers) the router does not route; all else stays true.
    with (
        contextlib.suppress(OSError),
        router.entered(),
        open("/proc/sys/net/ipv4/ip_forward", "w") as forward,
    ):
        forward.write("1")


def _host(lab: Lab, name: str) -> Ns:
    made = lab.namespace("named", name)
    lab.rtnl(made).set("lo", up=True)
    return made


def _network(lab: Lab, network: _Network, host: Ns, dhcp: Ns, router: Ns) -> None:
    bridge, bridge_index = network.bridge
    uplink, uplink_index, uplink_mac = network.uplink
    writer = lab.rtnl(host)
    writer.bridge(bridge, index=bridge_index, mac=uplink_mac, up=True)
    if host is lab.home:
        lab.undo_link(bridge_index)
    lab.pair(host, uplink, router, network.leg, index=uplink_index, mac=uplink_mac)
    lab.pair(
        dhcp,
        network.inner[0],
        host,
        network.outer[0],
        index=INNER_INDEX,
        peer_index=OUTER_INDEX,
        mac=network.inner[1],
        peer_mac=network.outer[1],
    )
    writer.set(uplink, master=bridge)
    writer.set(network.outer[0], master=bridge)
    inside = lab.rtnl(dhcp)
    inside.address(INNER_INDEX, f"{network.subnet}.2/24")
    inside.address(INNER_INDEX, METADATA)
    inside.route("default", via=f"{network.subnet}.1")
    leg = lab.rtnl(router)
    leg.address(leg.index(network.leg), f"{network.subnet}.1/24")
