"""What would let a namespace go that lives on without anybody in it. Words only: nothing of this is ever run by nswire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.show.escape import shell_word

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.model.values import Holder, Namespace

RUN_NETNS = ("/run/netns/", "/var/run/netns/")  # where `ip netns` looks for names


def named(path: str) -> str:
    """What `ip netns` calls the namespace at a path; empty: it does not know it."""
    directory = next((known for known in RUN_NETNS if path.startswith(known)), "")
    name = path.removeprefix(directory)
    return name if directory and "/" not in name else ""


def release(ns: Namespace) -> tuple[str, ...]:
    """The commands, one for each holder; none where processes live in it, which is what a namespace is for."""
    types = {holder.type for holder in ns.holders}
    if ns.home or not types or types & {"process", "thread"}:
        return ()
    return tuple(dict.fromkeys(FORMS[holder.type](holder) for holder in ns.holders))


def _unmount(holder: Holder) -> str:
    name = named(holder.path)
    if holder.own and name:
        return f"ip netns del {shell_word(name)}"
    inside = "" if holder.own else f"nsenter -t {holder.pid} -m "
    return f"{inside}umount {shell_word(holder.path)}"


def _end(holder: Holder) -> str:
    return f"kill {holder.pid}  # it has fd {holder.number} open; to restart its service is better"


FORMS: dict[str, Callable[[Holder], str]] = {
    "mount": _unmount,
    "name": lambda holder: f"rm {shell_word(holder.path)}  # a symlink: it holds nothing by itself",
    "fd": _end,
    "socket": _end,
}
