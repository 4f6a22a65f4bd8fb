"""What is true of a laboratory by construction, and a recording's companion: plain values, also as JSON.

Nothing here is read back from the product. Namespaces go by the laboratory's own names for them.
"""

from __future__ import annotations

from typing import Any

import msgspec

AT_HOME, MOVED, CROWDED = "at home", "moved", "moved, with its lower link's ifindex"
"""The three ways in which a link of a kind is there; special cases have others."""

HOME = "home"
"""The laboratory's name for the namespace that it is built around."""
NEIGHBOURS = "neighbours"
"""The case of links that are there for others: lower links, their other ends, and traps."""


class Tie(msgspec.Struct, frozen=True, omit_defaults=True):
    """A wire that a link must have: its relation, and the other end, a link or (`ifindex` None) the namespace `ns` itself.

    `facet` names the part of nswire that has to ask more than rtnetlink for it (`nswire.facets`); `pid` is the process
    that the wire leads to. `unsaid`: not every kernel tells it.
    """

    relation: str
    ns: str
    ifindex: int | None = None
    evidence: str = "proved"
    facet: str = ""
    pid: int | None = None
    unsaid: bool = False


class Made(msgspec.Struct, frozen=True, omit_defaults=True):
    """A link that was made: as what (case and variant), where, and what has to be said of it.

    `state` is why an end has to stay open, with as many `candidates`; `late` the same of one that a facet is asked for, with
    that facet's name. `says` are details that have to be told and that iproute2
    6.1 does not know; `may` are further ones, of newer kernels. `told` are details that a facet has to tell, by its name.
    """

    case: str
    variant: str
    kind: str
    ns: str
    ifindex: int
    ifname: str
    ties: tuple[Tie, ...] = ()
    state: str = ""
    candidates: int = 0
    late: tuple[str, str] | None = None
    says: dict[str, Any] = {}
    may: dict[str, Any] = {}
    told: dict[str, dict[str, Any]] = {}


class Way(msgspec.Struct, frozen=True):
    """The way up from a link: (after, relation, where to) of each step, and (after, why) of each end.

    Where to is `NAMESPACE/IFNAME`, or a namespace alone.
    """

    case: str
    start: str
    steps: tuple[tuple[int, str, str], ...]
    ends: tuple[tuple[int, str], ...]


class Truth(msgspec.Struct):
    """All of it. `spaces` are inodes by name; `hidden` names a link of each namespace that nothing findable holds.

    `deleted` has the case and the variant of links that went down with what they stood on. `refused` has the kernel's reason
    for each kind that it does not make.
    """

    spaces: dict[str, int] = {}
    hidden: dict[str, str] = {}
    links: list[Made] = []
    deleted: list[tuple[str, str]] = []
    ways: list[Way] = []
    refused: dict[str, str] = {}

    def of(self, case: str) -> list[Made]:
        """The links of a case."""
        return [made for made in self.links if made.case == case]

    def cases(self) -> list[str]:
        """The cases of which there is something, in the order in which they were made."""
        return list(dict.fromkeys(made.case for made in self.links))


Shown = dict[str, dict[int, dict[str, Any]]]
"""What `ip -j -d link` says in each namespace, by ifindex; of each link the words that are compared."""


class Golden(msgspec.Struct):
    """What lies beside a recording. `facets` are those that were asked when it was made."""

    kernel: str
    made: str
    iproute2: str
    facets: list[str]
    truth: Truth
    shown: Shown


def series_of(release: str) -> str:
    """`6.12` of `6.12.118+deb13-amd64`: what recordings are called after."""
    return ".".join(release.split(".")[:2])
