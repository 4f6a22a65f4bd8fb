"""Where the page is reached: a socket that listens, the names by which it may be called, the URL that is printed."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import stat
from typing import TYPE_CHECKING, NamedTuple

from nswire.web.hostnames import ANY_ADDRESS, LOOPBACK
from nswire.web.privileges import is_mapped

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKLOG = 1024  # somebody who knocks a thousand times is not to keep others from knocking


class Place(NamedTuple):
    """A socket that listens, the hosts of `guard`, and the URL of the page, without its token."""

    socket: socket.socket
    hosts: frozenset[str]
    url: str


def is_loopback(address: str) -> bool:
    """True if only this machine reaches that address. Raises ValueError if it is none."""
    return ipaddress.ip_address(address).is_loopback


def at_address(address: str, port: int) -> Place:
    """A place in the network. Raises OSError; ValueError if that is no address."""
    parsed = ipaddress.ip_address(address)
    family = socket.AF_INET if parsed.version == 4 else socket.AF_INET6
    listening = socket.create_server((address, port), family=family, backlog=BACKLOG)
    name = address if family == socket.AF_INET else f"[{address}]"
    hosts = {*LOOPBACK, name}
    if not parsed.is_loopback:
        hosts |= {ANY_ADDRESS, socket.gethostname().lower()}
    if parsed.is_unspecified:
        name = socket.gethostname()
    return Place(listening, frozenset(hosts), f"http://{name}:{listening.getsockname()[1]}/")


def at_path(path: str) -> Place:
    """A unix socket, for its owner alone: who was root by sudo gets it for the user that he was. Raises OSError.

    What a service that has ended left there is replaced; anything else is not.
    """
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        with as_who_asked():
            _clear(path)
            mask = os.umask(0o177)
            try:
                listening.bind(path)
            finally:
                os.umask(mask)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise OSError(error.errno, error.strerror, path) from error
    return Place(listening, LOOPBACK, "http://localhost/")


def leave(path: str) -> None:
    """Remove the unix socket."""
    with contextlib.suppress(OSError), as_who_asked():
        os.unlink(path)


def _clear(path: str) -> None:
    """Remove a socket that nobody listens at; a connection to a plain file is refused in the same way."""
    if not (os.path.lexists(path) and stat.S_ISSOCK(os.lstat(path).st_mode)):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
        except OSError:
            return


@contextlib.contextmanager
def as_who_asked() -> Iterator[None]:
    """With the rights of the user behind sudo: what he may not touch is not touched for him."""
    uid, gid = (os.environ.get(name, "") for name in ("SUDO_UID", "SUDO_GID"))
    known = uid.isdigit() and gid.isdigit() and is_mapped("uid", int(uid)) and is_mapped("gid", int(gid))
    if os.geteuid() or not known or not int(uid):
        yield
        return
    groups = os.getgroups()
    os.setgroups([int(gid)])
    os.setegid(int(gid))
    os.seteuid(int(uid))
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
