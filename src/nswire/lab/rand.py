"""Random topologies with a known truth, made to mislead.

Every namespace uses the same few ifindexes and the same few names, so false pairs that name each other abound; holders are
of every kind; chains of hidden namespaces hang on one visible one; both ends of a pair may lie in one namespace, or have one
ifindex.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from .lab import Lab
from .netns import BY_CHILD

if TYPE_CHECKING:
    import random

    from .holder import Keeper
    from .netns import Kind, Ns

HIDDEN: tuple[Kind, ...] = ("netlink-socket", "udp-socket", "in-flight")
"""Kinds that only the walk over nsids (or a look into foreign processes' sockets) finds."""

_NAMES = ("eth0", "eth1", "veth0", "veth1", "tap0", "net1", "ns-0", "a")
_FIRST, _LAST = 2, 6


def random_lab(
    rng: random.Random,
    *,
    most: int = 12,
    visible_only: bool = False,
    keeper: Keeper | None = None,
    tag: int = 0,
) -> Lab:
    """3 to `most` namespaces and about twice as many pairs around the calling thread's namespace.

    The same `rng` state gives the same topology (inodes apart). Named namespaces are /run/netns/r0, r1 ...; the folder
    must be private. `visible_only` leaves out the hidden kinds. The laboratory is released: only its holders hold. The
    caller closes it; a `keeper` of the caller's saves half of the time. Raises OSError.
    """
    lab = Lab(keeper)
    with contextlib.ExitStack() as undo:
        undo.callback(lab.close)
        namespaces = _namespaces(lab, rng, rng.randint(3, most), visible_only=visible_only)
        _Wiring(lab, rng, tag).all(namespaces)
        lab.release()
        undo.pop_all()
    return lab


def _namespaces(lab: Lab, rng: random.Random, count: int, *, visible_only: bool) -> list[Ns]:
    kinds: list[Kind] = ["named", "named", "mounted", *BY_CHILD]
    if visible_only:
        kinds = [kind for kind in kinds if kind not in HIDDEN]
    made = []
    for number in range(count):
        kind = rng.choice(kinds)
        name = {"named": f"r{number}", "mounted": f"/run/mounted{number}"}.get(
            kind, f"/run/elsewhere/r{number}"
        )
        if kind == "mounted-elsewhere":
            os.makedirs("/run/elsewhere", exist_ok=True)
        made.append(lab.namespace(kind, name))
    return made


def pair_macs(number: int, tag: int = 0) -> tuple[str, str]:
    """The MACs of both ends of pair `number`: they tell a reader which links belong together, also unseen ones.

    `tag` (0 to 255) tells laboratories apart: the kernel takes its time to take the last one down.
    """
    begin = f"02:bb:{tag:02x}:{number >> 8:02x}:{number & 0xFF:02x}"
    return f"{begin}:00", f"{begin}:01"


class _Wiring:
    """Lays the pairs; knows which indexes and names are taken where."""

    def __init__(self, lab: Lab, rng: random.Random, tag: int) -> None:
        self._lab, self._rng, self._tag = lab, rng, tag
        self._indexes: dict[int, set[int]] = {lab.home.inode: set(lab.rtnl(lab.home).indexes())}
        self._names: dict[int, set[str]] = {}

    def all(self, namespaces: list[Ns]) -> None:
        places = [self._lab.home, *namespaces]
        # Chains: each hidden namespace gets one wire to one made shortly before it, so that some lie several wires deep.
        for position, ns in enumerate(namespaces):
            if ns.kind in HIDDEN or self._rng.random() < 0.5:
                self.one(self._rng.choice(places[max(0, position - 2) : position + 1]), ns)
        # Many more wires make many false pairs, few leave the chains as deep as they are.
        for _ in range(self._rng.choice((2, len(places), 2 * len(places)))):
            self.one(self._rng.choice(places), self._rng.choice(places))

    def one(self, a: Ns, b: Ns) -> None:
        index = self._index(a)
        self._indexes[a.inode].add(index)
        peer_index = self._index(b, like=index if self._rng.random() < 0.3 else 0)
        self._indexes[b.inode].add(peer_index)
        name, peer = self._name(a), self._name(b)
        up = self._rng.random() < 0.7
        mac, peer_mac = pair_macs(len(self._lab.pairs), self._tag)
        self._lab.pair(
            a, name, b, peer, index=index, peer_index=peer_index, mac=mac, peer_mac=peer_mac, up=up
        )

    def _index(self, ns: Ns, like: int = 0) -> int:
        """A free index, preferably `like`, then the small ones that all namespaces use."""
        taken = self._indexes.setdefault(ns.inode, {1})
        if like and like not in taken:
            return like
        free = [index for index in range(_FIRST, _LAST + 1) if index not in taken]
        if free:
            return self._rng.choice(free)
        return next(index for index in range(_LAST + 1, 10_000) if index not in taken)

    def _name(self, ns: Ns) -> str:
        taken = self._names.setdefault(ns.inode, set())
        # Home may have links that are not ours, so its names carry a mark.
        mark = "r-" if ns.inode == self._lab.home.inode else ""
        free = [mark + name for name in _NAMES if mark + name not in taken] or [f"{mark}x{len(taken)}"]
        name = self._rng.choice(free)
        taken.add(name)
        return name
