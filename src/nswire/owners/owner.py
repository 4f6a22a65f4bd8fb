"""What an owner source is, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from nswire.host.client import Client
    from nswire.model.gaps import Gap
    from nswire.model.values import End, NsKey, Owner


class Claim(NamedTuple):
    """Somebody owns a namespace (`ns`) or single links (`ends`).

    Home for `ns`: he uses the host's network, and owns none of it. Neither of the two: where he is cannot be seen.
    """

    owner: Owner
    ns: NsKey | None = None
    ends: tuple[End, ...] = ()


class Source(NamedTuple):
    """Somebody who knows owners: `find` says whose what is among these namespaces.

    `last`: it is asked only about namespaces that nobody before it has claimed; `each`: about one of them at a time, when
    somebody wants to know.
    """

    name: str
    find: Callable[[Client, Collection[NsKey]], Iterator[Claim | Gap]]
    last: bool = False
    each: bool = False
