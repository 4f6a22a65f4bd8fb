"""A laboratory: what was built, what is true of it by construction, and its end in reverse order."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, NamedTuple, Self

from . import netns
from .holder import Keeper

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from .netns import Kind, Ns
    from .rtnl import Rtnl

FINDABLE: frozenset[Kind] = frozenset(
    {"here", "named", "mounted", "mounted-elsewhere", "process", "thread", "descriptor"}
)
"""Kinds of namespaces that a scan of mounts, processes, threads and descriptors finds; the others are hidden."""


class End(NamedTuple):
    """One end of a pair: inode of its namespace, ifindex there, name there."""

    inode: int
    ifindex: int
    ifname: bytes


class Lab:
    """A laboratory around the network namespace that the calling thread is in. A context manager."""

    def __init__(self, keeper: Keeper | None = None) -> None:
        """Nothing is built yet. A `keeper` may serve many laboratories; else one is started when needed.

        Raises OSError.
        """
        self._ending = contextlib.ExitStack()
        self.keeper = keeper or self._ending.enter_context(Keeper())
        self._links_at_home: list[int] = []
        self.home = netns.here()
        self._ending.callback(self.home.release)
        self.namespaces: list[Ns] = []
        """What the laboratory made, without home."""
        self.pairs: list[tuple[End, End]] = []
        """Every veth pair, each once."""
        self._rtnl: dict[int, Rtnl] = {}
        self._ending.callback(self._close_rtnl)

    # -- building -------------------------------------------------------------------------------------------------

    def namespace(self, kind: Kind = "named", name: str | bytes = b"") -> Ns:
        """A new namespace. `name` is the name of a "named" one, the path of a "mounted" or "mounted-elsewhere" one."""
        if kind == "named":
            made = netns.named(name)
        elif kind == "mounted":
            made = netns.mounted(name)
        else:
            made = netns.held(kind, self.keeper, name or b"/run/elsewhere")
        self._ending.callback(made.close)
        self.namespaces.append(made)
        return made

    def rtnl(self, ns: Ns) -> Rtnl:
        """The laboratory's writer in a namespace, opened once; `release` closes it."""
        if ns.inode not in self._rtnl:
            self._rtnl[ns.inode] = ns.rtnl()
        return self._rtnl[ns.inode]

    def pair(
        self,
        a: Ns,
        name: str | bytes,
        b: Ns,
        peer: str | bytes,
        *,
        index: int = 0,
        peer_index: int = 0,
        mac: str | bytes | None = None,
        peer_mac: str | bytes | None = None,
        mtu: int = 0,
        up: bool = True,
    ) -> tuple[End, End]:
        """A veth pair between two namespaces (or within one), noted as true; index 0 lets the kernel choose (both or neither)."""
        one, other = self.rtnl(a), self.rtnl(b)
        same = a.inode == b.inode
        one.veth(
            name,
            peer,
            index=index,
            peer_index=peer_index,
            mac=mac,
            peer_mac=peer_mac,
            mtu=mtu,
            peer_netns_fd=None if same else b.fd,
            up=up,
        )
        index, peer_index = index or one.index(name), peer_index or other.index(peer)
        if up:
            other.set(peer_index, up=True)
        made = (End(a.inode, index, _bytes(name)), End(b.inode, peer_index, _bytes(peer)))
        self.pairs.append(made)
        # A pair dies with the namespace of either end, but some time after; the next laboratory wants the names now.
        if self.home.inode in (a.inode, b.inode):
            self.undo_link(index if a.inode == self.home.inode else peer_index)
        return made

    def undo(self, action: Callable[[], None]) -> None:
        """Run this when the laboratory ends, before what was built earlier is undone."""
        self._ending.callback(action)

    def undo_link(self, index: int) -> None:
        """Delete this link of home when the laboratory ends."""
        self._links_at_home.append(index)

    # -- the truth ------------------------------------------------------------------------------------------------

    def peers(self) -> dict[tuple[int, int], tuple[int, int]]:
        """(inode, ifindex) -> (inode, ifindex) of the other end, both ways."""
        ends = [(a[:2], b[:2]) for a, b in self.pairs]
        return dict(ends) | {b: a for a, b in ends}

    def by_inode(self, inode: int) -> Ns:
        """The namespace with this inode, home included. Raises KeyError."""
        return {ns.inode: ns for ns in (self.home, *self.namespaces)}[inode]

    def findable(self) -> set[int]:
        """Inodes of home and of the namespaces that mounts, processes, threads and descriptors show."""
        return {ns.inode for ns in (self.home, *self.namespaces) if ns.kind in FINDABLE}

    def reachable(self) -> set[int]:
        """Inodes of `findable` namespaces and of those that hang on them through pairs, at any distance."""
        reached = self.findable()
        grown = True
        while grown:
            more = {b.inode for a, b in self._both_ways() if a.inode in reached} - reached
            reached |= more
            grown = bool(more)
        return reached

    def _both_ways(self) -> list[tuple[End, End]]:
        return self.pairs + [(b, a) for a, b in self.pairs]

    # -- the end --------------------------------------------------------------------------------------------------

    def release(self) -> None:
        """Drop every own descriptor and socket in the made namespaces: from now on only the holders hold them."""
        self._close_rtnl()
        for ns in self.namespaces:
            ns.release()

    def close(self) -> None:
        """Undo everything in reverse order; a second call does nothing. Namespaces end a little later."""
        self._delete_links_at_home()
        self._ending.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _close_rtnl(self) -> None:
        for rtnl in self._rtnl.values():
            rtnl.close()
        self._rtnl.clear()

    def _delete_links_at_home(self) -> None:
        if self._links_at_home:
            with self.home.rtnl() as rtnl:
                rtnl.delete_together(self._links_at_home)
            self._links_at_home.clear()


def wait_until(predicate: Callable[[], bool], timeout: float = 5.0, what: str = "the condition") -> None:
    """Return as soon as the predicate holds; raise TimeoutError after `timeout` seconds. Polls every millisecond."""
    end = time.monotonic() + timeout
    while not predicate():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come true within {timeout} s")
        time.sleep(0.001)


def _bytes(name: str | bytes) -> bytes:
    return name if isinstance(name, bytes) else name.encode(errors="surrogateescape")
