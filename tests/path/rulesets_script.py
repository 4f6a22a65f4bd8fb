"""A ruleset that is being made: its lines, and what of the grammar is in each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rulesets_lab import Line

if TYPE_CHECKING:
    import random

    from rulesets_courses import Course, Spot
    from rulesets_packets import Probe


class Ruleset(NamedTuple):
    """Lines, the packets that are sent, and the courses that these were meant to take. `number`: with the seed, that is all it is made of."""

    lines: tuple[Line, ...]
    probes: tuple[Probe, ...]
    courses: tuple[str, ...]
    number: int = 0


class Chain(NamedTuple):
    """A chain of nft."""

    family: str
    table: str
    name: str

    @property
    def words(self) -> str:
        """As nft wants it."""
        return f"{self.family} {self.table} {self.name}"


Made = tuple[str, tuple[str, ...]]


class Script:
    """Collects lines; names are made when they are needed.

    `later`: rules that come behind the one that is being made. `after`: the hooks that are passed after its own, `backs`: those
    that the answer passes.
    """

    def __init__(self, rng: random.Random, course: Course, number: int) -> None:
        self.rng = rng
        self.number = number
        self.course = course
        self.lines: list[Line] = []
        self.later: list[tuple[Chain, tuple[str, ...], tuple[str, ...]]] = []
        self.after: list[Spot] = []
        self.backs: list[Spot] = []
        self._count = 0
        self._tables: set[tuple[str, str, str]] = set()

    def name(self, kind: str) -> str:
        """A new one."""
        self._count += 1
        return f"{kind}{self._count}"

    def add(
        self,
        node: str,
        tool: str,
        *clauses: str,
        forms: tuple[str, ...] = (),
        subject: bool = False,
        table: str = "",
    ) -> None:
        """A line."""
        self.lines.append(Line(node, tool, clauses, forms, subject, table))

    # -- nft -----------------------------------------------------------------------------------------------------

    def table(self, node: str, family: str, *, fresh: bool = False) -> str:
        """A table of that family; mostly the one that is there."""
        have = [table for where, of, table in self._tables if (where, of) == (node, family)]
        if have and not fresh and self.rng.random() < 0.7:
            return self.rng.choice(sorted(have))
        made = self.name("t")
        self._tables.add((node, family, made))
        self.add(node, "nft", f"add table {family} {made}")
        return made

    def chain(self, node: str, family: str, table: str) -> Chain:
        """One without a hook."""
        made = Chain(family, table, self.name("c"))
        self.add(node, "nft", f"add chain {made.words}")
        return made

    def rule(
        self, node: str, chain: Chain, *clauses: str, forms: tuple[str, ...] = (), subject: bool = False
    ) -> None:
        """A rule at the end of a chain."""
        self.add(node, "nft", f"add rule {chain.words}", *clauses, forms=forms, subject=subject)

    def base(
        self,
        spot: Spot,
        *,
        six: bool,
        kind: str = "filter",
        policy: str = "accept",
        priority: str = "",
        family: str = "",
        fresh: bool = False,
    ) -> tuple[Chain, tuple[str, ...]]:
        """A chain at a hook, and its forms."""
        family = family or self.family(spot, six=six)
        table = self.table(spot.node, family, fresh=fresh)
        made = Chain(family, table, self.name("c"))
        words = PRIORITIES["bridge" if family == "bridge" else kind]
        if spot.layer == "ip":
            words += NAMED.get(spot.hook, ())
        word = priority or self.rng.choice(words)
        if spot.layer == "netdev":
            device = spot.iif or spot.oif
            several = self.rng.random() < 0.3
            word_of_device = f' devices = {{ "{device}", "lo" }}' if several else f' device "{device}"'
        else:
            word_of_device = ""
        if self.rng.random() < 0.04:
            flags = self.name("dormant")
            self._tables.add((spot.node, family, flags))
            self.add(
                spot.node,
                "nft",
                f"add table {family} {flags} {{ flags dormant; }}",
                forms=("table flags dormant",),
            )
            made = Chain(family, flags, made.name)
        head = f"type {kind} hook {spot.hook}{word_of_device} priority {word};"
        told = f" policy {policy};" if policy == "drop" or self.rng.random() < 0.5 else ""
        forms: tuple[str, ...] = (f"hook {family} {spot.hook}", f"type {kind}", f"priority {word}")
        if policy == "drop":
            forms = (*forms, "policy drop")
        self.add(spot.node, "nft", f"add chain {made.words} {{ {head}{told} }}", forms=forms)
        return made, forms

    def family(self, spot: Spot, *, six: bool) -> str:
        """A family whose chains see that packet."""
        if spot.layer == "netdev":
            return "inet" if spot.hook == "ingress" and self.rng.random() < 0.2 else "netdev"
        if spot.layer in ("bridge", "arp"):
            return spot.layer
        return self.rng.choice(("inet", "ip6" if six else "ip"))


NAMED = {
    "prerouting": ("dstnat", "dstnat + 1"),
    "output": ("dstnat", "-100"),
    "postrouting": ("srcnat", "srcnat - 1"),
}
PRIORITIES = {
    "filter": ("0", "0", "filter", "raw", "mangle", "-150", "-1", "1", "filter + 10", "security", "-350", "300", "mangle - 5"),
    "nat": ("0", "-100", "100", "-90", "filter"),
    "route": ("mangle", "0", "-150", "filter"),
    "bridge": ("0", "-200", "filter", "-1", "300", "-300"),
}  # fmt: skip
