"""Namespaces that an engine has left behind: it made them for a sandbox that is no more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from nswire.model.gaps import ENTER, READ_FILES, Unseen
from nswire.model.reasons import Reason

if TYPE_CHECKING:
    from nswire.check.network import Network
    from nswire.model.values import Namespace

UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# how engines call the namespaces of sandboxes; those of Docker's overlay networks (1-abc, lb_abc) live without processes
MAKERS = (
    (re.compile(rf"(?:/var)?/run/netns/cni-{UUID}"), "CNI"),
    (re.compile(rf"(?:/var)?/run/(?:user/\d+/)?netns/netns-{UUID}"), "podman"),
    (re.compile(r"(?:/var)?/run/docker/netns/[0-9a-f]{12}"), "docker"),
)
STATE = "names"
LIVES = Unseen("check.engine_state", "whether an engine still knows it", READ_FILES)
HOLDERS = Unseen("check.holders", "who is in it", ENTER)
UNREAD = Reason("scan.engine_unread", "the files of an engine could not be read: {what}")
NO_ROOT = Reason("scan.not_root", "processes of others cannot be seen", hint="it takes root (CAP_SYS_PTRACE)")


class Leftover(NamedTuple):
    """Whose way of naming it is, and where it is mounted."""

    maker: str
    path: str


def leftover(network: Network, ns: Namespace) -> Leftover | None:
    """What a namespace is a leftover of; None if it is none, or (a gap) that cannot be told.

    It is one if an engine's own mounts are all that holds it, nobody is in it, and no owner is known.
    """
    if ns.home or ns.hidden or not ns.holders or any(one.type not in ("name", "mount") for one in ns.holders):
        return None
    made = [
        (maker, one.path) for one in ns.holders for pattern, maker in MAKERS if pattern.fullmatch(one.path)
    ]
    if len(made) < len(ns.holders) or network.topology.owners(ns.key):
        return None
    if "CAP_SYS_PTRACE" not in network.topology.taken.capabilities:
        network.gap(ns.key, HOLDERS, NO_ROOT())
        return None
    for gap in network.topology.gaps:
        if gap.code.partition(".")[2] in (STATE, "owners"):  # the rows of `owners.asked.unseen`
            network.gap(ns.key, LIVES, UNREAD(what=gap.what))
            return None
    return Leftover(*made[0])
