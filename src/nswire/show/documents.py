"""The JSON documents, as Structs: their field order is the order of the keys. docs/json.md explains them to users."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from nswire.model.values import Evidence, Published, Scalar, State, Taken, Value
from nswire.show.documents_assert import AssertDocument
from nswire.show.documents_check import FactDoc, FailedDoc, SkippedDoc, SuppressedDoc
from nswire.show.documents_query import HandleDoc, InactiveDoc
from nswire.show.documents_reasons import GapDoc, MendDoc, ReasonDoc

VERSION: Literal[1] = 1
"""Of all documents. It grows when a key changes its meaning or goes; new keys may come at any time."""


class OwnerDoc(msgspec.Struct, frozen=True, kw_only=True):
    """Whose something is: `type` and `name`, its `id` with `by` (docker, neutron ...), the process that stands for it.

    `data` is what else is known, such as the compose project; `published` is there if ports of the host lead to it.
    """

    type: str
    name: str
    id: str
    by: str
    pid: int | None
    data: dict[str, Scalar]
    published: tuple[Published, ...] | UnsetType = UNSET


class NetnsDoc(msgspec.Struct, frozen=True, kw_only=True):
    """A network namespace. `inode` is null for a hidden one, `cookie` where the kernel gives none."""

    inode: int | None
    cookie: int | None
    names: tuple[str, ...]
    label: str
    home: bool
    hidden: bool


class LinkDoc(msgspec.Struct, frozen=True, kw_only=True):
    """A link. `kind` is empty for links without one, such as NICs and lo; `master` is a name in the same namespace.

    `address_flags`: what is the matter with some of its addresses (`tentative`, `dadfailed`, `deprecated`, `optimistic`).
    """

    netns: NetnsDoc
    ifindex: int
    ifname: str
    kind: str
    address: str
    mtu: int
    operstate: str
    flags: tuple[str, ...]
    addresses: tuple[str, ...]
    address_flags: dict[str, tuple[str, ...]] | UnsetType = UNSET
    master: str | None
    altnames: tuple[str, ...]
    owners: tuple[OwnerDoc, ...]


class ToDoc(msgspec.Struct, frozen=True, kw_only=True):
    """What a wire ends at if that is no link: the process that serves a tap, a namespace whose routes decide, a tunnel."""

    type: Literal["process", "namespace", "tunnel"]
    name: str
    netns: NetnsDoc | None
    pid: int | None
    data: dict[str, Scalar]


class StepDoc(msgspec.Struct, frozen=True, kw_only=True):
    """A step towards the NIC: `after` is the number of the step that it follows, -1 the asked link.

    `link` is null where it leads to something else: then `to` is there. `data` is what belongs to the wire, such as a tag.
    """

    after: int
    relation: str
    link: LinkDoc | None
    evidence: Evidence
    to: ToDoc | UnsetType = UNSET
    data: dict[str, Scalar] | UnsetType = UNSET


class FarDoc(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of another end that is not known for certain."""

    ifindex: int | None
    nsid: int | None
    netns: NetnsDoc | None


class EndDoc(msgspec.Struct, frozen=True, kw_only=True):
    """Where the way up ends: after which step (-1: at the asked link), at what, and that in words."""

    after: int
    end: str
    why: str


class WireDoc(msgspec.Struct, frozen=True, kw_only=True):
    """A wire from link `a` to link `b`, or to what `to` says. `by` is who says so."""

    relation: str
    a: LinkDoc
    b: LinkDoc | None
    evidence: Evidence
    by: str
    to: ToDoc | UnsetType = UNSET
    data: dict[str, Scalar] | UnsetType = UNSET


class ListeningDoc(msgspec.Struct, frozen=True, kw_only=True):
    """A socket that listens in a namespace; `pid` and `process` are null where nobody is known to have it open."""

    netns: NetnsDoc
    protocol: str
    address: str
    port: int
    pid: int | None
    process: str | None


class PortDoc(msgspec.Struct, frozen=True, kw_only=True):
    """A port of an asked link, and its other end: `peer`, or `to` where processes are there, or `state` where it is not known for certain."""

    link: LinkDoc
    peer: LinkDoc | None
    to: tuple[ToDoc, ...] | UnsetType = UNSET
    state: State | UnsetType = UNSET


class PeerDoc(msgspec.Struct, frozen=True, kw_only=True):
    """An asked link and its other end.

    `query` is the handle, null if none was given; `relation` is the kind of a link that has another end, else null.
    `port_links` are the ports of a master, `inactive` tells why the link carries nothing; both are there only if so.
    `to` is there where a process is at the other end. `state`, `far` and `candidates` are there only where it is not known
    for certain. `ends` tells where each branch of `up` ends, and why.
    """

    query: str | None
    link: LinkDoc
    relation: str | None
    peer: LinkDoc | None
    evidence: Evidence | None
    why: tuple[str, ...]
    up: tuple[StepDoc, ...]
    ends: tuple[EndDoc, ...]
    to: tuple[ToDoc, ...] | UnsetType = UNSET
    state: State | UnsetType = UNSET
    far: FarDoc | UnsetType = UNSET
    candidates: tuple[LinkDoc, ...] | UnsetType = UNSET
    port_links: tuple[PortDoc, ...] | UnsetType = UNSET
    inactive: InactiveDoc | UnsetType = UNSET


class HolderDoc(msgspec.Struct, frozen=True, kw_only=True):
    """What keeps a namespace alive. `number` is a thread id or descriptor; `own` tells a mount that we see ourselves."""

    type: Literal["mount", "name", "process", "thread", "fd", "socket"]
    pid: int | None
    comm: str | None
    path: str | None
    number: int | None
    own: bool


class SeenFromDoc(msgspec.Struct, frozen=True, kw_only=True):
    """How a hidden namespace is seen: as `nsid` of `netns`."""

    netns: NetnsDoc
    nsid: int


class NamespaceDoc(NetnsDoc, frozen=True, kw_only=True):
    """A namespace with what holds it. `links` is their number, null where they could not be read.

    `release` are the commands that would let it go, if it lives on without a process in it.
    """

    holders: tuple[HolderDoc, ...]
    owners: tuple[OwnerDoc, ...]
    links: int | None
    seen_from: SeenFromDoc | None
    release: tuple[str, ...]


class LowerDoc(msgspec.Struct, frozen=True, kw_only=True):
    """What a link stands on: `lower` (a VLAN's parent ...) or `underlay` (what a tunnel's packets leave by)."""

    relation: str
    link: LinkDoc | None
    evidence: Evidence | None
    state: State | UnsetType = UNSET
    far: FarDoc | UnsetType = UNSET


class ShownDoc(PeerDoc, frozen=True, kw_only=True):
    """Everything about a link. `link_index` and `link_netnsid` are the kernel's own IFLA_LINK and IFLA_LINK_NETNSID.

    `info_data` is what its kind says (VLAN id, VNI, mode ...), `info_slave_data` what its master says of it as a port,
    `details` what it takes questions of its own to know, by subject (device, vlans, programs ...). `wires` are all of them.
    """

    alias: str
    permaddr: str
    parentdev: str
    parentbus: str
    link_type: str
    slave_kind: str
    info_data: dict[str, Value]
    info_slave_data: dict[str, Value]
    link_index: int | None
    link_netnsid: int | None
    ports: tuple[str, ...]
    lower: LowerDoc | None
    uppers: tuple[LinkDoc, ...]
    wires: tuple[WireDoc, ...]
    details: dict[str, dict[str, Value]]
    namespace: NamespaceDoc


Place = tuple[int | str, int]
"""Where a link is: the inode of its namespace, or, of a hidden one, its label; and its ifindex."""


class MapWireDoc(msgspec.Struct, frozen=True, kw_only=True):
    """A wire of the picture from link `a` to link `b`, or to what `to` says. `data` is what belongs to the wire."""

    relation: str
    a: Place
    b: Place | None
    evidence: Evidence
    to: ToDoc | UnsetType = UNSET
    data: dict[str, Scalar] | UnsetType = UNSET


class OpenDoc(msgspec.Struct, frozen=True, kw_only=True):
    """A wire of the picture whose other end is not known for certain: `state` says why, `candidates` are all that fit.

    A candidate without an ifindex is a namespace.
    """

    relation: str
    a: Place
    state: State
    far: FarDoc
    candidates: tuple[tuple[int | str, int | None], ...]


class FlowDoc(msgspec.Struct, frozen=True, kw_only=True):
    """What a packet is. `proto` is the number of its protocol; null: not chosen yet, or whatever the sender chooses."""

    proto: int
    src: str | None
    dst: str
    sport: int | None
    dport: int | None


class PathStepDoc(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happens to a packet. `direction` is there where it passes a link; `depth` counts tunnels."""

    type: str
    text: str
    because: tuple[str, ...]
    evidence: Evidence
    link: str | None
    direction: Literal["in", "out"] | None
    depth: int


class HopDoc(msgspec.Struct, frozen=True, kw_only=True):
    """A stay in one namespace: by which link it came in (null: it begins there), as what, and as what it goes on."""

    netns: NetnsDoc
    link: LinkDoc | None
    enters: FlowDoc
    leaves: FlowDoc
    steps: tuple[PathStepDoc, ...]


class MtuDoc(msgspec.Struct, frozen=True, kw_only=True):
    """The size of the largest packet that passes whole, and the link that says so."""

    bytes: int
    link: LinkDoc | None


class WayDoc(msgspec.Struct, frozen=True, kw_only=True):
    """A way of a packet. `choices` are what it was assumed for, where that cannot be known; `others` the ways otherwise."""

    fate: Literal["leaves", "delivered", "refused", "dropped", "unknown"]
    reason: ReasonDoc | None
    mend: MendDoc | None
    choices: tuple[str, ...]
    hops: tuple[HopDoc, ...]
    others: tuple[WayDoc, ...]


class FoundDoc(msgspec.Struct, frozen=True, kw_only=True):
    """What a word means: `kind` says as what it was understood, `handle` finds this and nothing else.

    `netns` or `owner` where it names one; `links` are all that it stands for.
    """

    kind: str
    handle: str
    netns: NetnsDoc | None
    owner: OwnerDoc | None
    links: tuple[LinkDoc, ...]


class PeerDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`nswire peer --json`."""

    schema: Literal["nswire/peer"]
    version: Literal[1]
    taken: Taken
    results: tuple[PeerDoc, ...]
    handles: tuple[HandleDoc, ...] | UnsetType = UNSET
    gaps: tuple[GapDoc, ...]
    how: tuple[str, ...] | UnsetType = UNSET


class LsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`nswire ls --json`."""

    schema: Literal["nswire/ls"]
    version: Literal[1]
    taken: Taken
    links: tuple[LinkDoc, ...]
    listening: tuple[ListeningDoc, ...] | UnsetType = UNSET
    handles: tuple[HandleDoc, ...] | UnsetType = UNSET
    gaps: tuple[GapDoc, ...]
    how: tuple[str, ...] | UnsetType = UNSET


class NetnsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`nswire netns --json`."""

    schema: Literal["nswire/netns"]
    version: Literal[1]
    taken: Taken
    namespaces: tuple[NamespaceDoc, ...]
    handles: tuple[HandleDoc, ...] | UnsetType = UNSET
    gaps: tuple[GapDoc, ...]
    how: tuple[str, ...] | UnsetType = UNSET


class OwnedDoc(msgspec.Struct, frozen=True, kw_only=True):
    """An owner that a handle named. `netns` is the namespace that he is in, null if it cannot be seen.

    Home, without links: he uses the host's network, and owns none of it.
    """

    query: str
    owner: OwnerDoc
    netns: NetnsDoc | None


class ShowDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`nswire show --json`. `namespaces` are those that a handle named as such."""

    schema: Literal["nswire/show"]
    version: Literal[1]
    taken: Taken
    owners: tuple[OwnedDoc, ...]
    namespaces: tuple[NamespaceDoc, ...]
    links: tuple[ShownDoc, ...]
    handles: tuple[HandleDoc, ...] | UnsetType = UNSET
    gaps: tuple[GapDoc, ...]
    how: tuple[str, ...] | UnsetType = UNSET


class MapDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`nswire map --json`: what is on the picture, nothing of it folded."""

    schema: Literal["nswire/map"]
    version: Literal[1]
    taken: Taken
    namespaces: tuple[NetnsDoc, ...]
    links: tuple[LinkDoc, ...]
    wires: tuple[MapWireDoc, ...]
    open: tuple[OpenDoc, ...]
    handles: tuple[HandleDoc, ...] | UnsetType = UNSET
    gaps: tuple[GapDoc, ...]
    how: tuple[str, ...] | UnsetType = UNSET


class PathDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`nswire path --json`. `fate` is that of the packet, `reply` the way of the answer (null: not wanted, or there is none)."""

    schema: Literal["nswire/path"]
    version: Literal[1]
    taken: Taken
    start: NetnsDoc
    flow: FlowDoc
    fate: Literal["leaves", "delivered", "refused", "dropped", "unknown"]
    reason: ReasonDoc | None
    mend: MendDoc | None
    mtu: MtuDoc | None
    reply: WayDoc | None
    hops: tuple[HopDoc, ...]
    choices: tuple[str, ...]
    others: tuple[WayDoc, ...]
    handles: tuple[HandleDoc, ...] | UnsetType = UNSET
    gaps: tuple[GapDoc, ...]
    how: tuple[str, ...] | UnsetType = UNSET


class FindingDoc(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong: by which rule (docs/rules/), and the `code` of the reason, which stay the same.

    `subjects` are handles, that of what is to be mended first. `values` is what the sentence is about, `facts` show it.
    `fix` is a command that nswire never runs. `fingerprint` is the same for the same trouble of the same names, on whatever day. `consequences` are what follows from this: they are gone when it is mended.
    """

    rule: str
    code: str
    severity: Literal["error", "warning", "note"]
    subjects: tuple[str, ...]
    text: str
    values: dict[str, str | int | ReasonDoc]
    facts: tuple[FactDoc, ...]
    owners: tuple[OwnerDoc, ...]
    fix: MendDoc | None
    confidence: Evidence
    fingerprint: str
    consequences: tuple[FindingDoc, ...]


class CheckDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`nswire check --json`. `rules` are those that were asked; `looks`: 2 where what was found was looked at again."""

    schema: Literal["nswire/check"]
    version: Literal[1]
    taken: Taken
    looks: int
    rules: tuple[str, ...]
    findings: tuple[FindingDoc, ...]
    suppressed: tuple[SuppressedDoc, ...]
    skipped: tuple[SkippedDoc, ...]
    failed: tuple[FailedDoc, ...]
    handles: tuple[HandleDoc, ...] | UnsetType = UNSET
    gaps: tuple[GapDoc, ...]
    how: tuple[str, ...] | UnsetType = UNSET


class FindDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`/api/v1/find` of `nswire serve`: all that a word means, best first; `nearest` are names that look like it, if nothing is."""

    schema: Literal["nswire/find"]
    version: Literal[1]
    taken: Taken
    matches: tuple[FoundDoc, ...]
    nearest: tuple[str, ...]
    gaps: tuple[GapDoc, ...]


DOCUMENTS: dict[str, type[msgspec.Struct]] = {
    "peer": PeerDocument,
    "ls": LsDocument,
    "netns": NetnsDocument,
    "show": ShowDocument,
    "map": MapDocument,
    "path": PathDocument,
    "check": CheckDocument,
    "assert": AssertDocument,
    "find": FindDocument,
}


def head(name: str, taken: Taken) -> dict[str, object]:
    """The keys that every document starts with."""
    return {"schema": f"nswire/{name}", "version": VERSION, "taken": taken}


def schema(name: str) -> dict[str, object]:
    """The JSON Schema (2020-12) of one of `DOCUMENTS`. Raises KeyError."""
    made: dict[str, object] = msgspec.json.schema(DOCUMENTS[name])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"nswire/{name}", **made}
