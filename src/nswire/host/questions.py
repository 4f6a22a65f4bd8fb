"""The questions put inside namespaces, by name. The name is also what the answer is called in a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec.netlink import address, link, nsid, route
from nswire.host.system import Question

if TYPE_CHECKING:
    from nswire.host.system import Door

COOKIE = Question("cookie", b"")
LINKS = Question("links", link.ask())
ADDRESSES = Question("addresses", address.ask())
NSIDS = Question("nsids", nsid.ask_all())
ROUTES = Question("routes", route.ask())


def nsid_of(door: Door, attempt: int = 0) -> Question:
    """The id by which this namespace calls that one."""
    again = f"#{attempt}" if attempt else ""
    return Question(f"nsid-of/{door.inode}{again}", nsid.ask_for_fd(), door)


def nsid_within(target: int, number: int, attempt: int) -> Question:
    """What the namespace that this one calls `target` calls the one that this one calls `number`."""
    return Question(f"nsid-within/{target}/{number}#{attempt}", nsid.ask_within(target, number))


def links_of(target: int) -> Question:
    """All links of the namespace that this one calls `target`."""
    return Question(f"links@{target}", link.ask(target))


def addresses_of(target: int) -> Question:
    """All addresses of the namespace that this one calls `target`."""
    return Question(f"addresses@{target}", address.ask(target))


def one_link(ifindex: int, attempt: int, target: int | None = None) -> Question:
    """One link, read again."""
    where = "" if target is None else f"@{target}"
    return Question(f"link/{ifindex}{where}#{attempt}", link.ask_one(ifindex, target))


def ethtool_stats(ifname: str) -> Question:
    """The driver's statistics of a link, as `ethtool -S` shows them: where old kernels keep `peer_ifindex`."""
    return Question(f"ethtool/{ifname}", ifname.encode("utf-8", "surrogateescape"))
