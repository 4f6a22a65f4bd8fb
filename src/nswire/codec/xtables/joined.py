"""Rules of nft with extensions of iptables in them: nft tells all but these, the programs of iptables tell these.

Only these, since a save program leaves out what it has no words for (the elements of a set, in iptables 1.8.9: exit status 0,
no warning). The n-th rule of a chain is the n-th in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from msgspec.structs import replace

from nswire.codec import arptables, ebtables
from nswire.codec.iptables import directions
from nswire.codec.xtables.rows import Where
from nswire.codec.xtables.rule import TRACKERS, reading
from nswire.codec.xtables.words import saved
from nswire.model.firewall import NONSENSE, NOWHERE, FirewallRule, Opaque, Unfollowed, Unread
from nswire.model.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nswire.codec.xtables.rule import Reading
    from nswire.codec.xtables.words import Saved
    from nswire.model.firewall import Chain, Statement

EXTENSIONS = Reason("firewall.extensions", "what extensions in table {family} {table}, chain {chain} do")
ALIASES = {"state": "conntrack", "NOTRACK": "CT"}
"""What iptables prints, and what the kernel calls it."""
READERS: dict[str, Callable[[str, Where], Reading]] = {
    "ip": reading,
    "ip6": reading,
    "bridge": lambda line, _: ebtables.reading(line),
    "arp": lambda line, _: arptables.reading(line),
}
TOOLS = {
    "ip": "iptables-nft-save",
    "ip6": "ip6tables-nft-save",
    "bridge": "ebtables-nft-save",
    "arp": "arptables-nft-save",
}


def joined(
    chains: tuple[Chain, ...],
    answers: Mapping[str, bytes],
    known: Where,
    unread: list[Unread],
) -> Iterator[Chain]:
    """The chains, with what the texts by family say of their extensions; what they leave open is `unread`. `known`: the lists."""
    told: dict[tuple[str, str, str], tuple[Saved, Where]] = {}
    for family, answer in answers.items():
        found = _saved(answer, TOOLS[family], unread)
        ways = directions(found)
        for one in found:
            where = known._replace(family=family, nat=ways.get((one.table, one.name), ""))
            told[family, one.table, one.name] = (one, where)
    for chain in chains:
        if not chain.foreign or chain.family not in answers:
            yield chain
            continue
        text = told.get((chain.family, chain.table, chain.name))
        if text is None or not _alike(chain, text[0]):
            what = EXTENSIONS(family=chain.family, table=chain.table, chain=chain.name)
            unread.append(Unread(what, NOWHERE))
            yield chain
            continue
        rules = _Joined(chain.rules, *text)
        yield replace(chain, rules=rules, tracks=chain.tracks or rules.tracks)


def _saved(answer: bytes, program: str, unread: list[Unread]) -> list[Saved]:
    try:
        return saved(answer)
    except (ValueError, IndexError):
        unread.append(Unread(NONSENSE(program=program), NOWHERE))
        return []


def _alike(chain: Chain, text: Saved) -> bool:
    """Whether both have the same rules. The policy of a chain that somebody made is a rule at its end, in ebtables."""
    more = len(chain.rules) - len(text.rules)
    return more == 0 or (more == 1 and chain.family == "bridge" and not chain.hook)


class _Joined(Sequence[FirewallRule]):
    """The rules of a chain, each put together when it is first looked at."""

    def __init__(self, rules: Sequence[FirewallRule], text: Saved, where: Where) -> None:
        self._rules = rules
        self._lines = text.rules
        self._where = where
        self._read: dict[int, FirewallRule] = {}
        self.tracks = any(map(TRACKERS.search, text.rules)) and any(one.tracks for one in self)

    def __len__(self) -> int:
        return len(self._rules)

    @overload
    def __getitem__(self, at: int) -> FirewallRule: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[FirewallRule]: ...
    def __getitem__(self, at: int | slice) -> FirewallRule | Sequence[FirewallRule]:
        if isinstance(at, slice):
            return tuple(self[one] for one in range(*at.indices(len(self))))
        if at not in self._read:
            rule = self._rules[at]
            self._read[at] = (
                self._joined(rule, self._lines[at]) if rule.foreign and at < len(self._lines) else rule
            )
        return self._read[at]

    def _joined(self, rule: FirewallRule, line: str) -> FirewallRule:
        found = READERS[self._where.family](line, self._where)
        return FirewallRule(
            line,
            tuple(_statements(rule.statements, found)),
            rule.tracks or found.tracks,
            foreign=True,
            tool=TOOLS[self._where.family],
            handle=rule.handle,
        )


def _statements(native: Sequence[Statement], found: Reading) -> Iterator[Statement]:
    """What nft says, with each extension in its place; one that the text does not have stays as it is."""
    matches = [(ALIASES.get(name, name), made) for name, made in found.matches]
    target = ALIASES.get(found.target, found.target)
    for at, one in enumerate(native):
        if not isinstance(one, Opaque | Unfollowed) or not one.extension:
            yield one
        elif (
            one.extension == "*"
        ):  # which it is, nft does not say: all of them at the first, the target at the last
            yield from (statement for _, made in matches for statement in made)
            matches = []
            if at == len(native) - 1:
                yield from found.does
        elif isinstance(one, Unfollowed) and one.extension == target:
            yield from found.does
        else:
            place = next((index for index, (name, _) in enumerate(matches) if name == one.extension), None)
            yield from (one,) if place is None else matches.pop(place)[1]
