"""What is known of a key, against the rows of a rule or a set: true, false, or not to be told."""

from __future__ import annotations

import bisect
import itertools
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from nswire.model.firewall import ANYTHING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nswire.model.firewall import Cell, Key, Row, Set

FEW = 24  # rows that are compared one by one faster than an index of them is made


class Absent:
    """The packet has no such thing, so that no rule that looks at it matches, whichever way it asks."""


ABSENT = Absent()


class Partial(NamedTuple):
    """A number of which only the bits in `known` are."""

    value: int
    known: int


Known = int | tuple[int, int] | Partial | str | Absent | None
"""A number, a range in which it is, some of its bits, a name; ABSENT; None: it cannot be known."""


class Found(NamedTuple):
    """Which rows hold: the one that certainly does, those that may, and whether it may be that none does."""

    sure: int | None
    maybe: tuple[int, ...] = ()
    none: bool = True


def narrowed(known: Known, key: Key) -> Known:
    """The value of the part that a key is about."""
    if key.mask == -1 and not key.shift:
        return known
    if isinstance(known, Partial):
        value, told = ((one & key.mask) >> key.shift for one in known)
        if key.mask == -1:
            return Partial(value, told)
        rest = key.mask >> key.shift  # all other bits are 0
        return value if told == rest else Partial(value, told | ~rest)
    if isinstance(known, tuple):
        return (known[0] & key.mask) >> key.shift if known[0] == known[1] else None
    return (known & key.mask) >> key.shift if isinstance(known, int) else known


def fits(known: Known, cell: Cell, *, bits: bool = False) -> bool | None:
    """Whether what is known is what a cell says; None if that cannot be told."""
    if isinstance(known, Absent):
        return False
    if cell == ANYTHING:
        return True
    if known is None:
        return None
    if isinstance(known, str):
        return _named(known, cell)
    if isinstance(cell, str):
        return True if cell == "*" else None
    low, high = cell
    if isinstance(known, Partial):
        return _partial(known, low, high, bits=bits)
    if isinstance(known, tuple):
        if bits:
            return None
        if low <= known[0] and known[1] <= high:
            return True
        return False if known[1] < low or high < known[0] else None
    return bool(known & low) if bits else low <= known <= high


def _named(known: str, cell: Cell) -> bool | None:
    if not isinstance(cell, str):  # `fib ... oif exists`: whether there is any
        return cell[0] <= int(known != "") <= cell[1]
    return known.startswith(cell[:-1]) if cell.endswith("*") else known == cell


def _partial(known: Partial, low: int, high: int, *, bits: bool) -> bool | None:
    if bits:
        if known.value & known.known & low:
            return True
        return None if low & ~known.known else False
    if low == high:
        return None if (known.value ^ low) & known.known == 0 else False
    return None


def row_fits(known: Sequence[Known], row: Row, *, bits: bool = False) -> bool | None:
    """Whether all cells of a row hold."""
    told: bool | None = True
    for one, cell in zip(known, row, strict=True):
        fit = fits(one, cell, bits=bits)
        if fit is False:
            return False
        if fit is None:
            told = None
    return told


def look(known: Sequence[Known], rows: Sequence[Row], *, bits: bool = False, every: bool = False) -> Found:
    """Which of some rows hold. `every`: none of them is but for what no other has (iptables' own `any`)."""
    maybe = []
    rest = None
    for at, row in enumerate(rows):
        if not every and row[0] == ANYTHING and all(cell == ANYTHING for cell in row):
            rest = at
            continue
        fit = row_fits(known, row, bits=bits)
        if fit is True:
            return Found(at, (), none=False)
        if fit is None:
            maybe.append(at)
    return _concluded(known, rows, maybe, rest)


def _concluded(known: Sequence[Known], rows: Sequence[Row], maybe: list[int], rest: int | None) -> Found:
    if rest is not None:
        return Found(None, (*maybe, rest), none=False) if maybe else Found(rest, (), none=False)
    return Found(None, tuple(maybe), none=not (maybe and _covered(known, [rows[at] for at in maybe])))


def _covered(known: Sequence[Known], rows: Sequence[Row]) -> bool:
    """Whether one of these rows is certain to hold, though which is not: they cover the whole range."""
    if len(known) != 1 or not isinstance(known[0], tuple) or isinstance(known[0], Partial):
        return False
    first, last = known[0]
    for low, high in sorted(row[0] for row in rows if not isinstance(row[0], str)):
        if low > first:
            return False
        first = max(first, high + 1)
    return first > last


class Index:
    """Rows that are looked up at once where all that is asked about is known exactly."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self._exact: dict[tuple[int | str, ...], int] = {}
        self._others: list[int] = []
        ranges: list[tuple[int, int, int]] = []
        self._rest: int | None = None
        for at, row in enumerate(rows):
            exact = _exactly(row)
            if exact is not None:
                self._exact.setdefault(exact, at)
            elif all(cell == ANYTHING for cell in row):
                self._rest = at
            elif len(row) == 1 and not isinstance(row[0], str):
                ranges.append((*row[0], at))
            else:
                self._others.append(at)
        ranges.sort()
        self._lows = [low for low, _, _ in ranges]
        self._ranges = ranges
        self._disjoint = all(one[1] < two[0] for one, two in itertools.pairwise(ranges))

    def look(self, known: Sequence[Known]) -> Found:
        """See `look`."""
        if not self._disjoint or not all(isinstance(one, int | str) for one in known):
            return look(known, self.rows)
        at = self._exact.get(tuple(known))  # type: ignore[arg-type]
        if at is not None:
            return Found(at, (), none=False)
        if self._ranges and isinstance(known[0], int):
            place = bisect.bisect_right(self._lows, known[0]) - 1
            if place >= 0 and known[0] <= self._ranges[place][1]:
                return Found(self._ranges[place][2], (), none=False)
        for at in self._others:
            if row_fits(known, self.rows[at]):
                return Found(at, (), none=False)
        return Found(self._rest, (), none=self._rest is None)


def _exactly(row: Row) -> tuple[int | str, ...] | None:
    exact: list[int | str] = []
    for cell in row:
        if isinstance(cell, str):
            if cell.endswith("*"):
                return None
            exact.append(cell)
        elif cell[0] == cell[1]:
            exact.append(cell[0])
        else:
            return None
    return tuple(exact)


_indexes: WeakKeyDictionary[Set, dict[tuple[Key, ...], Index]] = WeakKeyDictionary()


def index(of: Set, keys: tuple[Key, ...]) -> Index:
    """The index of a set, made once. ValueError: its elements cannot be read."""
    made = _indexes.setdefault(of, {})
    if keys not in made:
        made[keys] = Index(of.content(keys)[0])
    return made[keys]
