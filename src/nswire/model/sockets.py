"""Sockets that wait for somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nswire.model.values import End, NsKey

ANYBODY = ("0.0.0.0", "::")  # noqa: S104 (what the kernel says of a socket that is bound to no address)
MAPPED, MAPPED_ANY = (
    "::ffff:",
    "::ffff:0.0.0.0",
)  # an address of IPv4 that a socket of IPv6 is bound to; all of them


class Listener(NamedTuple):
    """A TCP socket that listens, or a UDP socket with no other side. `protocol`: `tcp` or `udp`; `family` 4 or 6.

    `ifindex`: the link that it is bound to, 0 if to none (or if that was not told). `v6only` of a socket of IPv6: whether it
    takes no IPv4; None: not told. `inode` is that of its descriptors, 0 for one that nobody has open.
    """

    protocol: str
    family: int
    address: str
    port: int
    ifindex: int = 0
    v6only: bool | None = None
    inode: int = 0

    @property
    def everywhere(self) -> bool:
        """Whether it is bound to no address."""
        return self.address in ANYBODY


class Process(NamedTuple):
    """A process, as it calls itself."""

    pid: int
    name: str


class Credentials(NamedTuple):
    """What a process may do: effective user, groups (the effective one first), effective capabilities as bits."""

    uid: int
    groups: tuple[int, ...]
    capabilities: int


class Forward(NamedTuple):
    """Where a process hands on what comes to a socket of its: to `port` (0: not told) at an address of the namespace `ns`.

    `ns` None: to `address`, by the routes of its own namespace. `keeps`: it only keeps the port from others, and answers nobody.
    `tap`: the link of `ns` that it serves. `loopback`: what comes from a loopback address is for one inside.
    """

    ns: NsKey | None
    address: str = ""
    port: int = 0
    keeps: bool = False
    tap: End | None = None
    loopback: bool = False
