"""`[[peer]]`: what is at the other end of a link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.check.expect.values import Compared, Kind, Unjudged, only, only_link

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nswire.check.expect.values import Look
    from nswire.model.topology import Link, Topology

NONE = "none"
KEYS: Mapping[str, type | tuple[type, ...]] = {"of": str, "is": str}


def _text(given: Mapping[str, object]) -> str:
    return f"the peer of {given['of']} is {given['is']}"


def _compare(look: Look, given: Mapping[str, object]) -> list[Compared]:
    topology = look.topology
    link, wanted = only_link(topology, str(given["of"])), str(given["is"])
    peer = link.peer
    if peer is None and (link.loose is not None or link.wire is not None):
        raise Unjudged(f"{given['of']}: its peer is not known")
    found = NONE if peer is None else _handle(peer)
    if wanted == NONE:
        return [Compared(key="is", expected=NONE, found=found, holds=peer is None)]
    meant = only(topology, wanted)
    if meant.namespace is not None or meant.owner is not None:  # somewhere in there
        return [Compared(key="is", expected=wanted, found=found, holds=peer in meant.links)]
    return [Compared(key="is", expected=wanted, found=found, holds=[peer] == list(meant.links))]


def _write(topology: Topology, words: tuple[str, ...]) -> Iterator[dict[str, object]]:
    """Every proved pair, told from the end that is listed first; of these handles, if there are any."""
    wanted = {link for word in words for link in only(topology, word).links} if words else None
    done = set()
    for link in topology.links():
        peer = link.peer
        if peer is None or link in done or not (wanted is None or {link, peer} & wanted):
            continue
        done |= {link, peer}
        yield {"of": _handle(link), "is": _handle(peer)}


def _handle(link: Link) -> str:
    from nswire.handles import unique_handle

    return unique_handle(link)


KIND = Kind("peer", KEYS, ("of", "is"), _text, _compare, _write)
