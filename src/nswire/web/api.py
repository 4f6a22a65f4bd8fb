"""What can be asked over HTTP: each answer is one row of `TABLE`, and each document one of the command line's.

A row says which parameters an answer takes (a Struct, by whose types they are checked and described) and how its document
is made of a topology. `openapi.py` makes the description of the API of the same rows.
"""

from __future__ import annotations

import io
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from nswire.draw import HOPS, Wishes
from nswire.draw.path_overlay import followed
from nswire.draw.selection import choose
from nswire.errors import PathQueryError
from nswire.escape import visible
from nswire.handles import find, nearest
from nswire.path import endpoints, query
from nswire.show import documents, documents_error, jsonout, sections, to_documents_map, to_documents_reasons
from nswire.show.documents import FoundDoc
from nswire.show.sections import Asked
from nswire.show.text_path import caption
from nswire.show.to_documents import Builder
from nswire.show.to_documents_path import PathBuilder
from nswire.sources import ALL, EAGER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from nswire.draw import Followed
    from nswire.handles import Match
    from nswire.model.topology import Topology
    from nswire.path import Trace

Parts = list[tuple[str, "Iterable[object]"]]
Handle = Annotated[
    str, Meta(max_length=512, description="What you hold: a name, NETNS/IFNAME, an ifindex, a MAC ...")
]
Wanted = Annotated[Handle, Meta(min_length=1)]
Port = Annotated[int, Meta(ge=0, le=65535)]


class Given(NamedTuple):
    """What a document is made of: its lists, and its keys that are none."""

    parts: Parts
    facts: Mapping[str, object] = MappingProxyType({})


class Refused(Exception):
    """The answer is that there is none: an HTTP status, and the same words as on the command line."""

    def __init__(
        self, status: int, subject: str, reason: str, hint: str = "", matches: tuple[str, ...] = ()
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.subject, self.reason, self.hint, self.matches = subject, reason, hint, matches


class Every(msgspec.Struct, forbid_unknown_fields=True):
    """No handle: everything."""

    handle: Handle = ""


class One(msgspec.Struct, forbid_unknown_fields=True):
    """A handle is needed."""

    handle: Wanted


class Searched(msgspec.Struct, forbid_unknown_fields=True):
    """What to look for."""

    q: Wanted


class Reach(msgspec.Struct, forbid_unknown_fields=True):
    """What of the host is on the picture, as the options of `nswire map` say it."""

    handle: Handle = ""
    hops: Annotated[int, Meta(ge=0, le=1000, description="How many wires away from the handle")] = HOPS
    only: Literal["", "up"] = ""


class Way(msgspec.Struct, forbid_unknown_fields=True, rename={"start": "from"}):
    """Which packet, as the options of `nswire path` say it. `to` may be HOST:PORT, or tcp:HOST:PORT."""

    start: Wanted
    to: Handle = ""
    proto: Annotated[str, Meta(max_length=16)] = ""
    sport: Port = 0
    dport: Port = 0
    mark: Annotated[int, Meta(ge=0, le=0xFFFFFFFF)] = 0
    src: Handle = ""
    size: Annotated[int, Meta(ge=0, le=65535)] = 0
    reply: bool = True


class Page(Reach, forbid_unknown_fields=True, rename={"start": "from"}):
    """What the page is of: what is within reach of a handle, or the way of a packet."""

    start: Handle = ""
    to: Handle = ""
    proto: Annotated[str, Meta(max_length=16)] = ""
    sport: Port = 0
    dport: Port = 0
    mark: Annotated[int, Meta(ge=0, le=0xFFFFFFFF)] = 0
    src: Handle = ""
    size: Annotated[int, Meta(ge=0, le=65535)] = 0


PACKET = ("proto", "sport", "dport", "mark", "src", "size")  # what a page says of a packet, as a way does


class Row(NamedTuple):
    """An answer: its name, what it says, the parameters it takes, the document that it is, how that is made.

    `sources`: the sources of namespaces that are asked for it.
    """

    name: str
    about: str
    wants: type[msgspec.Struct]
    document: str
    give: Callable[[Topology, Builder, Any], Given]
    sources: tuple[str, ...] = EAGER


def understood(topology: Topology, word: str) -> list[Match]:
    """All that a handle stands for. Raises Refused."""
    matches = find(topology, word)
    if not matches:
        near = [visible(name) for name in nearest(topology, word) if name != word]
        raise Refused(
            404, word, "there is no such thing", f"nearest: {', '.join(near)}" if near else "", tuple(near)
        )
    return matches


def single(topology: Topology, word: str) -> Match:
    """The one thing that a handle stands for. Raises Refused."""
    matches = understood(topology, word)
    if len(matches) > 1:
        unique = tuple(match.unique for match in matches)
        raise Refused(409, word, f"{len(matches)} things are called so", "say which one", unique)
    return matches[0]


def wishes(topology: Topology, reach: Reach) -> Wishes:
    """What is to be on the picture. Raises Refused."""
    matches = understood(topology, reach.handle) if reach.handle else []
    return Wishes(
        tuple(dict.fromkeys(link.end for match in matches for link in match.links)),
        tuple(dict.fromkeys(match.namespace.key for match in matches if match.namespace is not None)),
        reach.hops,
        only_up=reach.only == "up",
    )


def paged(topology: Topology, page: Page) -> tuple[Wishes, Followed | None]:
    """What is to be on a page, and the way that is to be seen on it, which may be none. Raises Refused."""
    if not page.start:
        return wishes(topology, page), None
    try:
        packet = {name: getattr(page, name) for name in PACKET}
        to = "" if page.to == "out" else page.to
        trace = traced(topology, Way(start=page.start, to=to, reply=False, **packet))
    except Refused:  # the page is told why when it asks for the way itself
        return wishes(topology, page), None
    follow = followed(topology, trace, caption(topology, trace))
    return Wishes((*follow.links, *follow.target), (), 0), follow


def _map(topology: Topology, build: Builder, reach: Reach) -> Given:
    return Given(to_documents_map.parts(build, topology, choose(topology, wishes(topology, reach))))


def _show(topology: Topology, build: Builder, one: One) -> Given:
    return Given(sections.shown(build, _asked(one.handle, understood(topology, one.handle))))


def _peer(topology: Topology, build: Builder, every: Every) -> Given:
    if not every.handle:
        return Given(sections.every_pair(build, topology))
    return Given(sections.peers(build, _asked(every.handle, [single(topology, every.handle)])))


def _netns(topology: Topology, build: Builder, every: Every) -> Given:
    if not every.handle:
        return Given(sections.listed(build, topology.namespaces.values()))
    asked = _asked(every.handle, understood(topology, every.handle))
    return Given(sections.listed(build, sections.spaces(asked)))


def _asked(word: str, matches: list[Match]) -> list[Asked]:
    return [Asked(word, tuple(match.links), match.namespace, match.owner) for match in matches]


def _find(topology: Topology, build: Builder, searched: Searched) -> Given:
    matches = find(topology, searched.q)
    found = (
        FoundDoc(
            kind=match.kind,
            handle=match.unique,
            netns=None if match.namespace is None else build.netns(match.namespace),
            owner=None if match.owner is None else build.owner(match.owner),
            links=tuple(map(build.link, match.links)),
        )
        for match in matches
    )
    return Given([("matches", found), ("nearest", [] if matches else nearest(topology, searched.q))])


def traced(topology: Topology, way: Way) -> Trace:
    """The way of a packet. Raises Refused."""
    begin, end = _party(topology, way.start), None
    wanted = query.Wanted(**{name: getattr(way, name) for name in query.Wanted._fields if hasattr(way, name)})
    try:
        if way.to:
            to, wanted = query.ported(topology, way.to, wanted)
            end = query.Party(to) if endpoints.address(to) else _party(topology, to)
        return query.follow(topology, query.complete(topology, begin, end, wanted), wanted)
    except PathQueryError as error:
        raise Refused(400, error.subject, str(error), error.hint) from None


def _path(topology: Topology, build: Builder, way: Way) -> Given:
    trace, made = traced(topology, way), PathBuilder(topology, build)
    return Given(made.parts(trace), made.facts(trace))


def _party(topology: Topology, word: str) -> query.Party:
    match = single(topology, word)
    return query.Party(word, match.links, match.namespace, match.owner)


TABLE = (
    Row("map", "Who is wired to whom: what is on the picture, nothing of it folded.", Reach, "map", _map),
    Row("show", "Everything known about a link or a namespace.", One, "show", _show),
    Row(
        "peer", "The other end of a link, and its way up; without a handle: every pair.", Every, "peer", _peer
    ),
    Row("netns", "Namespaces: names, owners, what holds them.", Every, "netns", _netns, ALL),
    Row(
        "path",
        "How a packet gets there, step by step; without `to`: out.",
        Way,
        "path",
        _path,
    ),
    Row("find", "What a word means: links, namespaces, owners.", Searched, "find", _find),
)


def parameters(wants: type[msgspec.Struct], given: Iterable[tuple[str, str]]) -> Any:
    """The parameters of a query, checked. Raises Refused."""
    query: dict[str, str] = {}
    for name, value in given:
        if name in query:
            raise Refused(400, name, "it is given twice")
        query[name] = value
    try:
        return msgspec.convert(query, wants, strict=False)
    except msgspec.ValidationError as error:
        raise Refused(400, "", str(error), "the parameters are described in /api/v1/openapi.json") from None


def document(row: Row, topology: Topology, wanted: object) -> str:
    """The document of an answer. Raises Refused."""
    build = Builder(topology)
    parts, facts = row.give(topology, build, wanted)
    out = io.StringIO()
    jsonout.write(
        out, documents.head(row.document, topology.taken) | dict(facts), _with_gaps(parts, topology)
    )
    return out.getvalue()


def _with_gaps(lists: Parts, topology: Topology) -> Iterator[tuple[str, Iterable[object]]]:
    yield from lists
    yield (
        "gaps",
        to_documents_reasons.gaps(topology.gaps),
    )  # last: something may go unseen while the answer is made


def refusal(problem: Refused) -> str:
    """The document of a refusal."""
    said = documents_error.ErrorDocument(
        schema="nswire/error",
        version=documents.VERSION,
        subject=problem.subject,
        reason=problem.reason,
        hint=problem.hint,
        matches=problem.matches,
    )
    return jsonout.dumps(said) + "\n"
