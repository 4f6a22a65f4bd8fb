"""From words to matches, and back: the shortest word that finds one link and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire.handles import special
from nswire.handles.index import Found, index_of
from nswire.handles.table import LINKS, NAMESPACES, OWNERS, PREFIXES, SEARCHES, SPECIAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nswire.model.topology import Link, Topology
    from nswire.model.values import End, Namespace, NsKey, Owner

NEAR = 5  # names offered instead of one that is not there
SCOPES = 8  # slashes tried as the one between NETNS and IFNAME; a path has a few


class Match(NamedTuple):
    """What a handle stands for: one link, a namespace and all its links (loopback aside), or an owner and all of his.

    `kind` says as what the handle was understood (`ifname`, `MAC`, `netns` ...), `unique` is a handle that finds
    this and nothing else, and can be typed. Lower `rank` first. An owner who uses the host's network has no links, and home
    for a namespace; one without either is where it cannot be seen.
    """

    kind: str
    links: tuple[Link, ...]
    namespace: Namespace | None
    unique: str
    rank: int
    owner: Owner | None = None


def find(topology: Topology, text: str) -> list[Match]:
    """All that a handle stands for, best first; what is found in several ways counts once. Never raises."""
    return [_match(topology, found) for found in _find(topology, text)]


def own(topology: Topology, matches: Sequence[Match]) -> Match | None:
    """Of links that have one name the one in the namespace nswire runs in, as `ip` has it; None if that has none of them.

    Only where nothing but links is called so: a namespace or a container of that name may be what was meant.
    """
    if any(match.kind not in NAMES or match.namespace is not None for match in matches):
        return None
    mine = [match for match in matches if match.links[0].end.ns == topology.home]
    return mine[0] if len(mine) == 1 else None


NAMES = ("ifname", "altname", "as ip prints it")
"""The families of handles that name a link as `ip` would take or print it."""


def unique_handle(link: Link) -> str:
    """The shortest handle that finds exactly this link and can be typed.

    `IFNAME`, else `NETNS/IFNAME`, else `net:[INODE]/IFINDEX`.
    """
    topology, ns, end = link.topology, link.netns, link.end
    sure = ns.label if ns.inode is None else f"net:[{ns.inode}]"
    named = [link.ifname, f"{ns.label}/{link.ifname}"] if _typable(link.ifname) else []
    for word in (*named, f"{ns.label}/{link.ifindex}", f"{sure}/{link.ifindex}"):
        if _typable(word) and _means(topology, word, None, end):
            return word
    return f"{sure}/ifindex:{link.ifindex}"


def nearest(topology: Topology, text: str) -> list[str]:
    """Up to five names that look like it, best first."""
    from difflib import get_close_matches

    names: dict[str, None] = {}
    for link in topology.links():
        names[link.ifname] = None
        names.update(dict.fromkeys(link.fact.altnames))
    for ns in topology.namespaces.values():
        names[ns.label] = None
    wanted = text.rpartition("/")[2]
    close = get_close_matches(wanted[:256], names, NEAR)
    inside = [name for name in names if len(wanted) > 1 and wanted in name and name not in close]
    return [*close, *inside][:NEAR]


# -- matches -----------------------------------------------------------------------------------------------------


def _match(topology: Topology, found: Found) -> Match:
    if found.owner is not None:
        return _match_owner(topology, found, found.owner)
    if found.end is not None:
        link = topology.get(found.end)
        if link is None:  # pragma: no cover (the index is made of the topology's own links)
            raise LookupError(found)
        return Match(found.kind, (link,), None, unique_handle(link), found.rank)
    ns = topology.namespaces[found.ns or 0]
    links = tuple(link for link in topology.links(ns.key) if not link.loopback)
    return Match(found.kind, links, ns, unique_namespace(topology, ns), found.rank)


def _match_owner(topology: Topology, found: Found, number: int) -> Match:
    owner, ns, ends = topology.owned()[number]
    shares = ns is None or ns == topology.home
    inside = () if shares else tuple(link for link in topology.links(ns) if not link.loopback)
    own = tuple(link for end in ends if (link := topology.get(end)) is not None)
    namespace = None if ns is None else topology.namespaces.get(ns)
    return Match(
        found.kind, (*inside, *own), namespace, _unique_owner(topology, owner, number), found.rank, owner
    )


def _unique_owner(topology: Topology, owner: Owner, number: int) -> str:
    for word in (f"{owner.type}:{owner.name}", f"{owner.type}:{owner.id}"):
        found = _find(topology, word) if word.startswith(PREFIXES) and _typable(word) else ()
        if [one.owner for one in found] == [number]:
            return word
    return f"{owner.type}:{owner.id}"


def unique_namespace(topology: Topology, ns: Namespace) -> str:
    """A handle that finds exactly this namespace."""
    for word in (ns.label, f"netns:{ns.label}"):
        if _typable(word) and _means(topology, word, ns.key, None):
            return word
    return ns.label if ns.inode is None else f"net:[{ns.inode}]"


def _typable(word: str) -> bool:
    """True if a shell, a terminal and an option parser leave the word alone (brackets need quotes in some shells)."""
    return word.isprintable() and not word.startswith("-") and not _AWKWARD & set(word)


_AWKWARD = frozenset(" \\'\"`$&|;<>(){}*?!#~")


def _means(topology: Topology, word: str, ns: NsKey | None, end: End | None) -> bool:
    found = _find(topology, word)
    return len(found) == 1 and (found[0].ns, found[0].end, found[0].owner) == (ns, end, None)


# -- looking up --------------------------------------------------------------------------------------------------


def _find(topology: Topology, text: str) -> tuple[Found, ...]:
    memory = index_of(topology).found
    if text not in memory:
        best: dict[tuple[NsKey | None, End | None, int | None], Found] = {}
        everything = list(_namespaces(topology, text))
        if text not in SPECIAL:
            everything += [*_links(topology, text), *_owners(topology, text), *_scoped(topology, text)]
            everything += _searches(topology, text, everything)
            everything = everything or list(_owners(topology, text, last=True))
        for found in everything:
            place = (found.ns, found.end, found.owner)
            if place not in best or found.rank < best[place].rank:
                best[place] = found
        memory[text] = tuple(sorted(best.values(), key=lambda found: found.rank))
    return memory[text]


def _namespaces(topology: Topology, text: str) -> Iterator[Found]:
    index, typed = index_of(topology), text.startswith(PREFIXES)
    for family in NAMESPACES:
        if typed and not (family.prefix and text.startswith(family.prefix)):
            continue
        if text in SPECIAL and family is not special.FAMILY:
            continue
        key = family.key(text)
        if key is not None:
            for ns in index.namespaces(topology, family, key):
                yield Found(family.rank, family.name, ns=ns)


def _links(topology: Topology, text: str, ns: NsKey | None = None) -> Iterator[Found]:
    index, typed = index_of(topology), text.startswith(PREFIXES)
    for family in LINKS:
        if typed and not (family.prefix and text.startswith(family.prefix)):
            continue
        key = family.key(text)
        if key is None or (ns is not None and not family.scoped):
            continue
        ends = index.links(topology, family, key) if ns is None else index.links_in(topology, family, ns, key)
        for end in ends:
            yield Found(family.rank, family.name, end=end)


def _owners(topology: Topology, text: str, *, last: bool = False) -> Iterator[Found]:
    """Owners by name or id. One whose namespace is found by the same word already is not found once more by its own."""
    typed = text.startswith(PREFIXES)
    for family in OWNERS:
        if family.last != last or typed != bool(family.prefix) or not text.startswith(family.prefix):
            continue
        word = text.removeprefix(family.prefix)
        for number, (owner, _, _) in enumerate(topology.owned()) if word else ():
            if family.fits(owner, word):
                yield Found(family.rank, family.name, owner=number)


def _searches(topology: Topology, text: str, known: list[Found]) -> Iterator[Found]:
    """What has to be looked up. Of whom an owner was found by the same word nothing more is told."""
    typed = text.startswith(PREFIXES)
    owned = {topology.owned()[one.owner][1] for one in known if one.owner is not None}
    found: dict[Found, None] = {}
    for family in SEARCHES:
        if typed != bool(family.prefix) or not text.startswith(family.prefix):
            continue
        for one in family.search(topology, text):
            place = one.ns if one.end is None else one.end.ns
            if place in owned - {topology.home} or (family.other and one in found):
                continue
            # its namespace, or another one of its links, is found already
            if family.other and any(place in (other.ns, other.end and other.end.ns) for other in found):
                continue
            found[one] = None
    yield from found


def _scoped(topology: Topology, text: str) -> Iterator[Found]:
    """`NETNS/IFNAME`, whichever of the slashes is the one between the two: names of both may have some."""
    at = text.find("/")
    for _ in range(SCOPES):
        if at < 0:
            return
        for place in _places(topology, text[:at]):
            yield from _links(topology, text[at + 1 :], place)
        at = text.find("/", at + 1)


def _places(topology: Topology, text: str) -> set[NsKey | None]:
    """The namespaces that a word names, by itself or by who owns them."""
    named = {found.ns for found in _namespaces(topology, text)}
    owned = {topology.owned()[found.owner][1] for found in _owners(topology, text) if found.owner is not None}
    return named | (owned - {None, topology.home})
