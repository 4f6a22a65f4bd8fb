"""What is on a picture, before anybody knows where: cards with rows, cords between them, notes beside them.

A card is a namespace, or something else that a wire ends at; a row is a link; a cord is a wire. Each may stand for many
that are alike (`many`). Texts are harmless already (`nswire.escape.visible`) and still have to be escaped for the format
that they go into.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from nswire.model.topology import Topology
    from nswire.model.values import End, Loose, NsKey, Wire

Mark = Literal["up", "down", "carrier"]
"""`carrier`: it is switched on, and still nothing passes; the row's state says why."""

CardType = Literal["home", "space", "hidden", "closed", "process", "tunnel", "unknown"]
"""`closed`: a namespace whose links could not be read; the last three are ends that are no namespace."""

Certainty = Literal["proved", "mutual", "inferred", "unknown"]
"""The evidence of a wire; `unknown`: what would be at the other end, for all that is known."""


class Chip(NamedTuple):
    """A short text at the end of a row, and how much it matters.

    `state`: why nothing passes; `bad`: a packet ends here; `warn`: something to look at; `blocked`: a port that does not forward.
    """

    text: str
    level: Literal["", "state", "bad", "warn", "blocked"] = ""


class Row(NamedTuple):
    """A link, or `many` that are alike. `parent` is the key of the row it hangs on in its card, `depth` how deep.

    `state` is empty where all is well. `notes` are a few words each, most important first. `nic`: its other side is the
    world outside of this machine; `out`: it leads out of its bridge, or to a NIC. `ends` are the links themselves.
    """

    key: str
    name: str
    kind: str
    address: str
    mark: Mark
    state: str
    notes: tuple[Chip, ...]
    depth: int
    parent: str
    nic: bool
    out: bool
    ends: tuple[End, ...]

    @property
    def many(self) -> int:
        """How many links it stands for."""
        return len(self.ends)


class Card(NamedTuple):
    """A namespace, or `many` that are alike, or another end of a wire. `subtitle` and `note` may be empty.

    `stands_for` are the namespaces (their keys), or the texts of the other ends.
    """

    key: str
    type: CardType
    title: str
    subtitle: str
    note: str
    rows: tuple[Row, ...]
    spaces: tuple[NsKey, ...]
    others: tuple[str, ...]

    @property
    def many(self) -> int:
        """How many it stands for."""
        return len(self.spaces) or len(self.others)


class Port(NamedTuple):
    """Where a cord ends: at a row of a card, or, with an empty `row`, at the card itself."""

    card: str
    row: str


class Cord(NamedTuple):
    """A wire, or `many` that are alike; or, `loose`, one whose other end is not known.

    `tree`: it joins a row to the one that it hangs on in the same card. `broken`: nothing passes, since one end is not up.
    `notes`: what belongs to the wire. `network`: the number of the layer-2 network it belongs to, 0 for none with others.
    """

    key: str
    relation: str
    a: Port
    b: Port
    certainty: Certainty
    broken: bool
    notes: tuple[str, ...]
    network: int
    tree: bool
    wires: tuple[Wire, ...]
    loose: tuple[Loose, ...]

    @property
    def many(self) -> int:
        """How many wires it stands for."""
        return len(self.wires) or len(self.loose)


class Trail(NamedTuple):
    """Something to be followed on the picture: rows and cords by their keys, in order, and what is to be said of it."""

    caption: str
    rows: tuple[str, ...]
    cords: tuple[str, ...]
    fate: str = "unknown"


class Scene(NamedTuple):
    """All of it. `unseen` and `left_out` are sentences: what could not be seen, and what was left out on purpose."""

    title: str
    cards: tuple[Card, ...]
    cords: tuple[Cord, ...]
    unseen: tuple[str, ...]
    left_out: tuple[str, ...]
    trail: Trail | None
    topology: Topology

    @property
    def upwards(self) -> list[Cord]:
        """The cords in the order in which they are drawn: those to be followed above the others."""
        trail = () if self.trail is None else self.trail.cords
        return sorted(self.cords, key=lambda cord: cord.key in trail)

    def card(self, key: str) -> Card:
        """The card of that key: they are numbered."""
        return self.cards[int(key[1:])]

    def cord(self, key: str) -> Cord:
        """The cord of that key, of a scene of which nothing was cut off."""
        return self.cords[int(key[1:])]

    def row(self, key: str) -> Row:
        """The row of that key."""
        card, _, number = key.partition("r")
        return self.card(card).rows[int(number)]


def cut(scene: Scene, cards: int, hint: str, rows: int | None = None) -> Scene:
    """The first so many cards, with the first so many rows each (None: all), and what is between them; `hint` says where the rest is."""
    kept = tuple(card._replace(rows=card.rows[:rows]) for card in scene.cards[:cards])
    here = {
        port
        for card in kept
        for port in (Port(card.key, ""), *(Port(card.key, row.key) for row in card.rows))
    }
    cords = tuple(cord for cord in scene.cords if cord.a in here and cord.b in here)
    less = len(scene.cards) - len(kept), sum(len(card.rows) for card in scene.cards) - len(here) + len(kept)
    if not any(less):
        return scene
    said = f"{less[0]} cards and {less[1]} rows, for which there is no room: {hint}"
    return scene._replace(cards=kept, cords=cords, left_out=(said, *scene.left_out))


def folded(scene: Scene) -> bool:
    """True if something on the picture stands for several."""
    return any(card.many > 1 or any(row.many > 1 for row in card.rows) for card in scene.cards)
