"""Hundreds of namespaces with links of five kinds: what scanning real hosts costs, where not all is veth."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from . import attributes as nla
from .lab import End, Lab

if TYPE_CHECKING:
    from .netns import Ns
    from .rtnl import Rtnl

KINDS = ("veth", "macvlan", "vxlan", "macvtap", "bridge")
"""In turn; every kernel of today has them."""

CARD, WALL, BRIDGE, _FIRST_PORT = 5, 6, 10, 1001
INNER, OWN_BRIDGE = 2, 3
MOST = 2500
"""Namespaces: two of five have a port of the one bridge at home, which takes 1023."""

Place = tuple[int, int]
"""Inode and ifindex."""


class Mixed(NamedTuple):
    """The laboratory, and what each link stands on, or is a port of, by construction."""

    lab: Lab
    lowers: dict[Place, Place]
    masters: dict[Place, Place]


def mixed(count: int) -> Mixed:
    """Build `count` namespaces around the calling thread's, which ought to be private: ifindexes from 5 up are taken.

    Namespace i is /run/netns/mx{i:05d}; its `eth0` (ifindex 2, with an IPv4 address) is one end of a veth whose other end is
    a port of `br0` at home; or a macvlan, vxlan or macvtap on `card` at home; or again a veth, which is a port of a bridge
    of the namespace's own. The caller closes the laboratory. Raises OSError, and ValueError beyond MOST.
    """
    if count > MOST:
        raise ValueError(f"cannot build {count} mixed namespaces: at most {MOST}")
    lab = Lab()
    made = Mixed(lab, {}, {})
    with contextlib.ExitStack() as undo:
        undo.callback(lab.close)
        home = lab.rtnl(lab.home)
        home.set("lo", up=True)
        home.bridge("br0", index=BRIDGE, multicast_snooping=False)
        lab.undo_link(BRIDGE)
        lab.pair(lab.home, "card", lab.home, "wall", index=CARD, peer_index=WALL)
        for number in range(count):
            ns = lab.namespace("named", f"mx{number:05d}")
            _wire(made, home, ns, number)
            ns.release()
        home.set(BRIDGE, up=True)
        undo.pop_all()
    return made


def _wire(made: Mixed, home: Rtnl, ns: Ns, number: int) -> None:
    kind, at_home = KINDS[number % len(KINDS)], made.lab.home.inode
    if kind in ("veth", "bridge"):
        outer, port = f"veth{number}", _FIRST_PORT + number
        home.veth(
            outer,
            "eth0",
            index=port,
            peer_index=INNER,
            peer_netns_fd=ns.fd,
            master=BRIDGE,
            up=True,
        )
        ends = End(at_home, port, outer.encode()), End(ns.inode, INNER, b"eth0")
        made.lab.pairs.append(ends)
        made.masters[at_home, port] = (at_home, BRIDGE)
    else:
        lower = CARD if kind != "vxlan" else 0  # whose lower link is among its data
        data = nla.vxlan_data(number + 1, lower=CARD) if kind == "vxlan" else nla.macvlan_data()
        home.link("eth0", kind, data, index=INNER, lower=lower, netns_fd=ns.fd)
        made.lowers[ns.inode, INNER] = (at_home, CARD)
    with ns.rtnl() as inside:
        if kind == "bridge":
            inside.bridge("br0", index=OWN_BRIDGE)
            inside.set(INNER, master=OWN_BRIDGE)
            made.masters[ns.inode, INNER] = (ns.inode, OWN_BRIDGE)
        with inside.batch():
            inside.set(1, up=True)
            inside.set(INNER, up=True)
            inside.address(INNER, f"10.0.{1 + number // 250}.{1 + number % 250}/16")
