"""/run/netns and its like: what `ip netns` lists. An entry may be a mount, a symlink into /proc or a dead file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec import procfs
from nswire.model.values import Gap, Holder
from nswire.sources.found import Found, ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.host.system import System


def find(system: System) -> Iterator[Found | Gap]:
    """The namespaces that have a name."""
    answer = ask(system, "names", "names of namespaces")
    for inode, path in procfs.names(answer):
        if inode:
            yield Found(inode, Holder("name", path=path), ("path", 0, path))
        else:
            yield Gap(
                path,
                "nothing: the name is left over",
                "it is no network namespace",
                "`ip netns del` removes it",
            )
