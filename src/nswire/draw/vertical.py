"""How high everything of an island stands: cards, rows, and the slots at which cords leave them.

Slots on the two sides of a gap between columns are never at the same height, unless they are the ends of one cord: so no
cord that is on its way to its lane runs along another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire.draw.layering import ports

if TYPE_CHECKING:
    from nswire.draw.geometry import Metrics
    from nswire.draw.layering import Island
    from nswire.draw.scene import Card, Port

Key = str


class Part(NamedTuple):
    """A row of a card, or its title: from where to where in the card, and the heights of its slots on either side."""

    port: Port
    start: int
    stop: int
    left: dict[Key, int]
    right: dict[Key, int]


class Heights:
    """The heights of an island that begins at `top`.

    `tops` and `bottoms` of cards by key, `parts` (from, to) of rows and titles by port, `slots` by cord and port.
    """

    def __init__(self, island: Island, metrics: Metrics, top: int) -> None:
        self._metrics = metrics
        self._cords = {cord.key: cord for cord in island.cords}
        self._column = {card.key: at for at, column in enumerate(island.columns) for card in column}
        self._rank = {
            port: (at, row)
            for column in island.columns
            for at, card in enumerate(column)
            for row, port in enumerate(ports(card))
        }
        self._left: dict[Port, list[Key]] = {}
        self._right: dict[Port, list[Key]] = {}
        self._choose_sides()
        self.tops: dict[Key, int] = {}
        self.bottoms: dict[Key, int] = {}
        self.parts: dict[Port, tuple[int, int]] = {}
        self.slots: dict[tuple[Key, Port], int] = {}
        self._taken: dict[int, Key] = {}  # heights of slots at the gap that is being filled
        self._free = top  # where the next card of the column may begin
        self._waiting: dict[Key, Card] = {}
        first, *others = island.columns
        if others:
            self._spread(first, others[0], top)
        else:
            self._stack(first, top)
        for column in others[1:]:
            self._taken = {
                self._far_slot(key, port): key
                for card in column
                for port in ports(card)
                for key in self._left.get(port, ())
            }
            self._stack(column, top)

    def _choose_sides(self) -> None:
        """A cord leaves towards the column of its other end; within a column, to the right."""
        for cord in self._cords.values():
            a, b = self._column[cord.a.card], self._column[cord.b.card]
            for port, to_left in ((cord.a, a > b), (cord.b, b > a)):
                (self._left if to_left else self._right).setdefault(port, []).append(cord.key)
        for side in (self._left, self._right):
            for port, keys in side.items():
                side[port] = sorted(keys, key=lambda key, port=port: self._turn(key, port))  # type: ignore[misc]

    def _turn(self, key: Key, port: Port) -> tuple[int, int, int, int]:
        """Where among the slots of a port: as the other ends are, those that come back nested into each other."""
        far = self._far(key, port)
        at, row = self._rank[far]
        if self._column[far.card] != self._column[port.card]:
            return (1, at, row, int(key[1:]))
        return (0 if (at, row) < self._rank[port] else 2, -at, -row, int(key[1:]))

    def _far(self, key: Key, port: Port) -> Port:
        cord = self._cords[key]
        return cord.b if cord.a == port else cord.a

    def _far_slot(self, key: Key, port: Port) -> int:
        return self.slots[key, self._far(key, port)]

    # -- the first two columns, together ---------------------------------------------------------------------------

    def _spread(self, first: list[Card], second: list[Card], top: int) -> None:
        """A card of the second begins where the first row is that it is joined to; the rows make room for that."""
        metrics = self._metrics
        self._waiting = {card.key: card for card in second}
        y = top
        for card in first:
            self.tops[card.key] = y
            for number, port in enumerate(ports(card)):
                height = metrics.row if number else metrics.title
                middle = height // 2
                start, last = y, y + middle
                for at, key in enumerate(self._right.get(port, ())):
                    last = self._align(key, port, last + metrics.slot if at else last)
                    if at == 0 and number:
                        start = last - middle
                y = max(start + height, last + height - middle)
                self.parts[port] = (start, y)
            y += metrics.foot
            self.bottoms[card.key] = y
            y += metrics.gap
        self._put_waiting(all_of_them=True)

    def _align(self, key: Key, port: Port, y: int) -> int:
        """The height of a slot, at least `y`; the card that its cord leads to is placed beside it, if it is not yet."""
        card = self._waiting.pop(self._far(key, port).card, None)
        if card is not None:
            offset = self._offset(card, key)
            y = max(y, self._free + offset)
            while self._collides(card, y - offset) or self._is_near(y, key):
                y += 1
            self._place(card, y - offset)
            self._put_waiting(all_of_them=False)
        while self._is_near(y, key):
            y += 1
        self._taken[y] = key
        self.slots[key, port] = y
        return y

    def _put_waiting(self, *, all_of_them: bool) -> None:
        """Place the cards that come next and are joined to no column before theirs."""
        while self._waiting:
            key, card = next(iter(self._waiting.items()))
            if not all_of_them and any(self._left.get(port) for port in ports(card)):
                return
            del self._waiting[key]
            self._place(card, self._clear(card, self._free))

    # -- further columns -------------------------------------------------------------------------------------------

    def _stack(self, column: list[Card], top: int) -> None:
        """Each card as high as the first of what it is joined to, but below the one before it."""
        self._free = top
        for card in column:
            joined = [
                (self._far_slot(key, port), key) for port in ports(card) for key in self._left.get(port, ())
            ]
            far, key = min(joined, default=(self._free, ""))
            wanted = far - (self._offset(card, key) if key else 0)
            self._place(card, self._clear(card, max(self._free, wanted)))

    # -- one card --------------------------------------------------------------------------------------------------

    def _place(self, card: Card, y: int) -> None:
        self.tops[card.key] = y
        stop = y
        for part in self._parts(card):
            stop = y + part.stop
            self.parts[part.port] = (y + part.start, stop)
            for key, offset in part.left.items():
                self.slots[key, part.port] = y + offset
                self._taken.setdefault(y + offset, key)
            for key, offset in part.right.items():
                self.slots[key, part.port] = y + offset
        self.bottoms[card.key] = stop + self._metrics.foot
        self._free = self.bottoms[card.key] + self._metrics.gap

    def _parts(self, card: Card) -> list[Part]:
        """The parts of a card that is not spread, counted from its upper edge."""
        metrics = self._metrics
        y = 0
        made = []
        for number, port in enumerate(ports(card)):
            sides = (self._left.get(port, []), self._right.get(port, []))
            total = (metrics.row if number else metrics.title) + max(
                0, *(len(s) - 1 for s in sides)
            ) * metrics.slot
            left, right = (
                {
                    key: y + (total - (len(keys) - 1) * metrics.slot) // 2 + at * metrics.slot
                    for at, key in enumerate(keys)
                }
                for keys in sides
            )
            made.append(Part(port, y, y + total, left, right))
            y += total
        return made

    def _offset(self, card: Card, key: Key) -> int:
        return next(part.left[key] for part in self._parts(card) if key in part.left)

    def _clear(self, card: Card, y: int) -> int:
        """The first height from `y` on at which no slot of the card is where another cord has one across the gap."""
        while self._collides(card, y):
            y += 1
        return y

    def _collides(self, card: Card, y: int) -> bool:
        return bool(self._taken) and any(
            self._is_near(y + offset, key) for part in self._parts(card) for key, offset in part.left.items()
        )

    def _is_near(self, y: int, key: Key) -> bool:
        reach = max(1, self._metrics.slot // 3)
        return any(self._taken.get(near, key) != key for near in range(y - reach + 1, y + reach))
