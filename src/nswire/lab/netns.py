"""Network namespaces to order, one per holder type that the product must find.

A maker returns an `Ns` that the laboratory can still reach through a descriptor of its own. `Ns.release()` closes it, and
from then on only the holder keeps the namespace alive: that is the state a test wants to look at.
"""

from __future__ import annotations

import contextlib
import os
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from . import syscalls
from .rtnl import Rtnl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .holder import Child, Keeper

Kind = Literal[
    "here",
    "named",
    "mounted",
    "mounted-elsewhere",
    "process",
    "thread",
    "descriptor",
    "netlink-socket",
    "udp-socket",
    "in-flight",
]
"""What keeps a namespace alive; "here" is the one that the laboratory was built from."""

BY_CHILD: tuple[Kind, ...] = (
    "mounted-elsewhere",
    "process",
    "thread",
    "descriptor",
    "netlink-socket",
    "udp-socket",
    "in-flight",
)
"""The kinds whose holder is a child process."""

RUN_NETNS = "/run/netns"

_SO_NETNS_COOKIE = 71


@dataclass(frozen=True, slots=True)
class Ns:
    """A network namespace and what holds it. Entered through `fd` until `release`."""

    inode: int
    device: int
    cookie: int | None
    """SO_NETNS_COOKIE (Linux 5.14), never reused; None where the kernel has none."""
    kind: Kind
    path: bytes | None = None
    """Where it is mounted, for the mounted kinds (for "mounted-elsewhere" as its child sees it)."""
    child: Child | None = None
    """The process (and thread) that holds it."""
    _fd: list[int] = field(default_factory=list, compare=False, repr=False)
    _undo: list[Callable[[], None]] = field(default_factory=list, compare=False, repr=False)

    @property
    def fd(self) -> int:
        """The laboratory's own descriptor. Raises ValueError after `release`."""
        if not self._fd:
            raise ValueError(f"net:[{self.inode}] was released; only its holder ({self.kind}) keeps it")
        return self._fd[0]

    @property
    def name(self) -> str | None:
        """The last part of `path`, as `ip netns` would show it."""
        return os.fsdecode(self.path.rpartition(b"/")[2]) if self.path else None

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Run a block with the current thread in this namespace. Raises OSError, also when the way back fails."""
        with syscalls.inside(self.fd):
            yield

    def rtnl(self) -> Rtnl:
        """A writer in this namespace; it pins the namespace until it is closed."""
        return Rtnl(self.fd)

    def release(self) -> None:
        """Close the laboratory's own descriptor; a second call does nothing."""
        while self._fd:
            os.close(self._fd.pop())

    def close(self) -> None:
        """End the holder and release; a second call does nothing. The kernel takes the namespace down a little later."""
        self.release()
        while self._undo:
            self._undo.pop()()


def here() -> Ns:
    """The namespace that the calling thread is in."""
    return described(syscalls.open_here(), "here")


def named(name: str | bytes) -> Ns:
    """A namespace as `ip netns add` makes it: a mount in /run/netns. Raises FileExistsError and other OSErrors."""
    os.makedirs(RUN_NETNS, exist_ok=True)
    return _mounted("named", os.fsencode(RUN_NETNS) + b"/" + os.fsencode(name))


def mounted(path: str | bytes) -> Ns:
    """A namespace mounted at any path; the file must not exist, its folder must."""
    return _mounted("mounted", os.fsencode(path))


def held(kind: Kind, keeper: Keeper, path: str | bytes = b"/run/elsewhere") -> Ns:
    """A namespace held by a child: one of `BY_CHILD`. `path` is for "mounted-elsewhere" (an existing folder/a new file)."""
    how, words = _ORDERS.get(kind, (kind, ()))
    if kind == "mounted-elsewhere":
        words = (os.fsencode(path),)
    fd = syscalls.new_netns()
    try:
        child = keeper.hold(how, fd, *words)
    except OSError:
        os.close(fd)
        raise
    at = os.fsencode(path) if kind == "mounted-elsewhere" else None
    return described(fd, kind, path=at, child=child, undo=lambda: keeper.end(child))


_ORDERS: dict[Kind, tuple[str, tuple[bytes, ...]]] = {
    "netlink-socket": ("socket", (b"netlink",)),
    "udp-socket": ("socket", (b"udp",)),
}


def _mounted(kind: Kind, path: bytes) -> Ns:
    fd = syscalls.new_netns()
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444))
        try:
            syscalls.mount(f"/proc/self/fd/{fd}", path, None, syscalls.MS_BIND)
        except OSError:
            os.unlink(path)
            raise
    except OSError:
        os.close(fd)
        raise
    return described(fd, kind, path=path, undo=lambda: _unmounted(path))


def _unmounted(path: bytes) -> None:
    syscalls.umount(path)
    os.unlink(path)


def described(
    fd: int,
    kind: Kind,
    *,
    path: bytes | None = None,
    child: Child | None = None,
    undo: Callable[[], None] | None = None,
) -> Ns:
    """The value for a namespace whose descriptor is `fd`, which then belongs to it; `undo` ends its holder."""
    stat = os.fstat(fd)
    return Ns(stat.st_ino, stat.st_dev, _cookie(fd), kind, path, child, [fd], [undo] if undo else [])


def _cookie(fd: int) -> int | None:
    with syscalls.inside(fd):
        asked = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    with asked:
        try:
            return int.from_bytes(asked.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, 8), "little")
        except OSError:
            return None
