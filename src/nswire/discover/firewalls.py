"""The firewall of a namespace, put together from what each program says of its part.

nft lists everything of nf_tables. Rules with extensions of iptables in them it lists by name alone: what these do,
`iptables-nft-save` says, whose n-th rule of a chain is nft's n-th. The old iptables has tables of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from errno import ENODATA, ENOPKG
from os import strerror
from typing import TYPE_CHECKING, overload

from msgspec.structs import replace

from nswire.codec import iptables, nftables
from nswire.codec.nftables import listed
from nswire.host import questions
from nswire.host.system import Refusal
from nswire.model.firewall import Firewall, FirewallRule, Unread

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.codec.nftables import Ruleset
    from nswire.codec.nftables.listed import Listed
    from nswire.host.system import Answer, Question
    from nswire.model.firewall import Chain

    Ask = Callable[[Question], Answer]

FAMILIES = ("ip", "ip6")
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
IP = ("ip", "ip6", "inet")


def read(ask: Ask) -> Firewall:
    """Everything that can be had; what cannot is `unread`."""
    unread: list[Unread] = []
    ruleset = _nftables(ask, unread)
    chains = list(_joined(ask, ruleset)) if ruleset is not None else []
    for question, family in zip(questions.LEGACY, FAMILIES, strict=True):
        chains += _saved(ask(question), family, question.name, unread)
    tracked = {chain.family for chain in chains if chain.tracks}
    return Firewall(
        tuple(chains),
        {} if ruleset is None else ruleset.sets,
        tuple(unread),
        frozenset(tracked | (ruleset.tracked if ruleset is not None else frozenset())),
    )


def _nftables(ask: Ask, unread: list[Unread]) -> Ruleset | None:
    answer = ask(questions.NFTABLES)
    if isinstance(answer, Refusal):
        unread.append(Unread(_missing("nft", answer.errno)))
        return None
    if not answer:
        return None
    try:
        found = nftables.decode(answer)
    except ValueError:
        found = None
    if found is None or found.doubtful:
        text = ask(questions.NFTABLES_TEXT)
        if not isinstance(text, Refusal):
            told = listed.decode(text)
            try:
                return nftables.decode(answer if found is not None else _by_table(ask, told), told)
            except ValueError:
                found = None
    if found is None:
        unread.append(Unread("what nft prints makes no sense"))
    return found


def _by_table(ask: Ask, told: Listed) -> bytes:
    """The list, table by table, without those that are switched off: nft 1.0.6 stops in the middle of a list with such. ValueError."""
    parts = []
    for family, table in told.tables:
        if (family, table) in told.dormant:
            continue
        if not PLAIN.fullmatch(table):
            raise ValueError("a table with a name that cannot be asked for")
        answer = ask(questions.nft_table(family, table))
        if isinstance(answer, Refusal):
            raise ValueError(f"the table {table} alone cannot be listed")  # noqa: TRY004 (a refusal is an answer)
        parts.append(answer)
    return nftables.together(parts)


def _joined(ask: Ask, ruleset: Ruleset) -> list[Chain]:
    """The chains, with what the programs of iptables say of rules that nft does not understand."""
    known: dict[tuple[str, str, str], Chain] = {}
    for question, family in zip(questions.IPTABLES, FAMILIES, strict=True):
        if any(one == family for one, _ in ruleset.foreign):
            for chain in _saved(ask(question), family, question.name, []):
                known[family, chain.table, chain.name] = chain
    chains = []
    for chain in ruleset.chains:
        told = known.get((chain.family, chain.table, chain.name))
        if (
            (chain.family, chain.table) in ruleset.foreign
            and told is not None
            and len(told.rules) == len(chain.rules)
        ):
            rules = _Joined(chain.rules, told.rules, told.tool)
            chains.append(replace(chain, rules=rules, tracks=chain.tracks or rules.tracks))
        else:
            chains.append(chain)
    return chains


class _Joined(Sequence[FirewallRule]):
    """The rules of a chain as nft tells them, but those with extensions as iptables does."""

    def __init__(self, rules: Sequence[FirewallRule], told: Sequence[FirewallRule], tool: str) -> None:
        self._rules = rules
        self._told = told
        self._tool = tool
        self.tracks = any(one.foreign and other.tracks for one, other in zip(rules, told, strict=True))

    def __len__(self) -> int:
        return len(self._rules)

    @overload
    def __getitem__(self, at: int) -> FirewallRule: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[FirewallRule]: ...
    def __getitem__(self, at: int | slice) -> FirewallRule | Sequence[FirewallRule]:
        if isinstance(at, slice):
            return tuple(self[one] for one in range(*at.indices(len(self))))
        rule = self._rules[at]
        return replace(self._told[at], tool=self._tool) if rule.foreign else rule


def _saved(answer: Answer, family: str, program: str, unread: list[Unread]) -> tuple[Chain, ...]:
    """The chains that a save program prints."""
    families = (family,)
    if isinstance(answer, Refusal):
        unread.append(Unread(_missing(program, answer.errno), families))
        return ()
    try:
        return iptables.decode(answer, family, program)
    except (ValueError, IndexError):
        unread.append(Unread(f"what {program} prints makes no sense", families))
        return ()


def _missing(program: str, errno: int) -> str:
    if errno == ENODATA:
        return f"what {program} prints cannot be had"
    return f"{program} is not installed" if errno == ENOPKG else f"{program}: {strerror(errno)}"
