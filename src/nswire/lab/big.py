"""Thousands of namespaces, each with a loopback and one veth to a bridge of the host: the benchmark's network."""

from __future__ import annotations

import contextlib
import os
import resource
from typing import TYPE_CHECKING, Literal

from . import netns, syscalls
from .lab import End, Lab
from .rtnl import Rtnl

if TYPE_CHECKING:
    from collections.abc import Callable

    from .netns import Ns

PORTS_PER_BRIDGE = 1000
"""The kernel allows 1023 (BR_MAX_PORTS)."""

_FIRST_BRIDGE, _FIRST_PORT, _INNER = 10, 1001, 2


def big(count: int, *, held: Literal["named", "descriptor"] = "named", ipv6: bool = True) -> Lab:
    """Build `count` namespaces around the calling thread's, which ought to be private: ifindexes from 10 up are taken.

    Namespace i is mounted at /run/netns/ns{i:05d}, or held by a descriptor of this process; in it `eth0` (ifindex 2) with an
    address 10.b.x.y/16 and a default route; its peer at home is `veth{i}` (ifindex 1001 + i), a port of `br{b}`
    (1000 ports each). `ipv6=False` spares the link-local addresses and the kernel's work for them.

    Returns the laboratory, to be closed by the caller. Raises OSError, also when descriptors run out (RLIMIT_NOFILE is
    raised as far as it goes).
    """
    lab = Lab()
    with contextlib.ExitStack() as undo:
        undo.callback(lab.close)
        if held == "descriptor":
            _allow_descriptors(count + 100)
        home = lab.rtnl(lab.home)
        home.set("lo", up=True)
        if not ipv6:
            lab.undo(_new_links_without_ipv6(lab.home))
        bridges = range(-(-count // PORTS_PER_BRIDGE))
        for bridge in bridges:
            # Snooping would keep a group per namespace's solicited-node address.
            home.bridge(f"br{bridge}", index=_FIRST_BRIDGE + bridge, multicast_snooping=False)
            lab.undo_link(_FIRST_BRIDGE + bridge)
            home.address(_FIRST_BRIDGE + bridge, f"10.{bridge}.0.1/16")
        for number in range(count):
            ns = lab.namespace("named", f"ns{number:05d}") if held == "named" else _held_here(lab)
            _wire(lab, home, ns, number, ipv6=ipv6)
            if held == "named":
                ns.release()
        # Ports of a bridge that is down do not forward, so nobody hears what the others say while they come up.
        for bridge in bridges:
            home.set(_FIRST_BRIDGE + bridge, up=True)
        undo.pop_all()
    return lab


def _wire(lab: Lab, home: Rtnl, ns: Ns, number: int, *, ipv6: bool) -> None:
    bridge, port = divmod(number, PORTS_PER_BRIDGE)
    outer = f"veth{number}"
    home.veth(
        outer,
        "eth0",
        index=_FIRST_PORT + number,
        peer_index=_INNER,
        peer_netns_fd=ns.fd,
        master=_FIRST_BRIDGE + bridge,
        up=True,
    )
    with ns.rtnl() as inside:
        if not ipv6:
            _new_links_without_ipv6(ns, kind="all")
        with inside.batch():
            inside.set(1, up=True)
            inside.set(_INNER, up=True)
            inside.address(_INNER, f"10.{bridge}.{1 + port // 250}.{1 + port % 250}/16")
            inside.route("default", via=f"10.{bridge}.0.1")
    lab.pairs.append(
        (End(lab.home.inode, _FIRST_PORT + number, outer.encode()), End(ns.inode, _INNER, b"eth0"))
    )


def _new_links_without_ipv6(ns: Ns, kind: str = "default") -> Callable[[], None]:
    """Set disable_ipv6; returns how to set it back. Where /proc/sys is read-only nothing happens."""
    path = f"/proc/sys/net/ipv6/conf/{kind}/disable_ipv6"

    def write(value: str) -> None:
        with contextlib.suppress(OSError), ns.entered(), open(path, "w") as setting:
            setting.write(value)

    write("1")
    return lambda: write("0")


def _held_here(lab: Lab) -> Ns:
    """Held by a descriptor of this very process: a child per namespace would be the benchmark's subject."""
    made = netns.described(syscalls.new_netns(), "descriptor")
    lab.namespaces.append(made)
    lab.undo(made.release)
    return made


def _allow_descriptors(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(soft, min(hard, count + len(os.listdir("/proc/self/fd"))))
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
