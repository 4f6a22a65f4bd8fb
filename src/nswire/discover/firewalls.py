"""The firewall of a namespace, put together from what each program says of its part.

nft lists everything of nf_tables. Extensions of iptables in rules it lists by name alone: what these do, `iptables-nft-save`
and its like say (`codec.xtables.joined`). The old iptables, arptables and ebtables have tables of their own, ipset its sets.
"""

from __future__ import annotations

import re
from errno import ENODATA, ENOPKG
from typing import TYPE_CHECKING

from nswire.codec import ebtables, nftables
from nswire.codec.netlink import ipset
from nswire.codec.nftables import listed
from nswire.codec.xtables import ipsets, recents
from nswire.codec.xtables.joined import joined
from nswire.codec.xtables.old import READERS, TOOLS
from nswire.codec.xtables.rows import Where
from nswire.codec.xtables.words import saved as saved_chains
from nswire.host import requests
from nswire.host.failures import refusal
from nswire.host.system import Refusal
from nswire.model.firewall import NONSENSE, NOWHERE, Firewall, Unread
from nswire.model.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nswire.codec.netlink.ipset import IpSet
    from nswire.codec.nftables import Ruleset
    from nswire.codec.nftables.listed import Listed
    from nswire.codec.xtables.recents import Recent
    from nswire.host.system import Answer, Question
    from nswire.model.firewall import Chain
    from nswire.model.reasons import Cause

    Ask = Callable[[Question], Answer]

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
SETS = Reason("firewall.ipsets", "the sets of ipset")
LISTS = Reason("firewall.recent_lists", "the lists of xt_recent")
NOT_HAD = Reason("firewall.not_recorded", "what {program} prints cannot be had")
NOT_INSTALLED = Reason("firewall.not_installed", "{program} is not installed")
FAILED = Reason("firewall.refused", "{program}: {error}")


def read(ask: Ask, *, switches: bool) -> Firewall:
    """Everything that can be had; what cannot is `unread`. `switches`: the namespace has any that frames are filtered in."""
    unread: list[Unread] = []
    ruleset = _nftables(ask, unread)
    foreign = {family for family, _ in ruleset.foreign} if ruleset is not None else set()
    saved = {
        family: _text(ask(one), one.name, NOWHERE, unread)
        for family, one in requests.SAVED.items()
        if family in foreign
    }
    legacy = {family: _text(ask(one), one.name, (family,), unread) for family, one in requests.LEGACY.items()}
    if switches:
        legacy[ebtables.FAMILY] = _frames(ask, unread)
    texts = (*saved.values(), *legacy.values())
    known = Where("", sets=_sets(ask, texts, unread), recent=_recent(ask, texts, unread))
    chains = list(joined(ruleset.chains, saved, known, unread)) if ruleset is not None else []
    for family, text in legacy.items():
        chains += _legacy(family, text, known, unread)
    tracked = {
        chain.family for chain in chains if chain.tracks and chain.family != "inet"
    }  # of which nft tells more exactly
    return Firewall(
        tuple(chains),
        {
            **({} if ruleset is None else ruleset.sets),
            **ipsets.sets(known.sets or {}),
            **recents.sets(known.recent or {}),
        },
        tuple(unread),
        frozenset(tracked | (ruleset.tracked if ruleset is not None else frozenset())),
    )


def _nftables(ask: Ask, unread: list[Unread]) -> Ruleset | None:
    answer = ask(requests.NFTABLES)
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
        text = ask(requests.NFTABLES_TEXT)
        if not isinstance(text, Refusal):
            told = listed.decode(text)
            try:
                return nftables.decode(answer if found is not None else _by_table(ask, told), told)
            except ValueError:
                found = None
    if found is None:
        unread.append(Unread(NONSENSE(program="nft")))
    return found


def _by_table(ask: Ask, told: Listed) -> bytes:
    """The list, table by table, without those that are switched off: nft 1.0.6 stops in the middle of a list with such. ValueError."""
    parts = []
    for family, table in told.tables:
        if (family, table) in told.dormant:
            continue
        if not PLAIN.fullmatch(table):
            raise ValueError("a table with a name that cannot be asked for")
        answer = ask(requests.nft_table(family, table))
        if isinstance(answer, Refusal):
            raise ValueError(f"the table {table} alone cannot be listed")  # noqa: TRY004 (a refusal is an answer)
        parts.append(answer)
    return nftables.together(parts)


def _text(answer: Answer, program: str, families: tuple[str, ...], unread: list[Unread]) -> bytes:
    """What a program printed; empty if that cannot be had."""
    if isinstance(answer, Refusal):
        unread.append(Unread(_missing(program, answer.errno), families))
        return b""
    return answer


def _sets(ask: Ask, texts: Iterable[bytes], unread: list[Unread]) -> dict[str, IpSet] | None:
    """The sets of ipset, if any rule looks into one; None if they cannot be had."""
    if not any(b"-set " in text for text in texts):
        return {}
    answer = _text(ask(requests.IPSET), "ipset", NOWHERE, unread)
    try:
        return ipset.decode(answer) if answer else None
    except (ValueError, OSError):
        unread.append(Unread(SETS(), NOWHERE))
        return None


def _recent(ask: Ask, texts: Iterable[bytes], unread: list[Unread]) -> dict[str, Recent] | None:
    """The lists of addresses that rules keep, if any does; None if they cannot be had."""
    keeping = [text for text in texts if b"-m recent " in text]
    if not keeping:
        return {}
    answer = ask(requests.RECENT)
    if isinstance(answer, Refusal):
        unread.append(Unread(_missing("xt_recent", answer.errno), NOWHERE))
        return None
    try:
        return recents.decode(answer, [saved_chains(text) for text in keeping])
    except (ValueError, IndexError):
        unread.append(Unread(LISTS(), NOWHERE))
        return None


def _frames(ask: Ask, unread: list[Unread]) -> bytes:
    """The tables of the old ebtables that are in use."""
    hooks = ask(requests.HOOKS[ebtables.FAMILY])
    tables = ebtables.used(None if isinstance(hooks, Refusal) else hooks)
    families = (ebtables.FAMILY,)
    return b"".join(
        _text(ask(requests.EBTABLES[table]), "ebtables-legacy", families, unread) for table in tables
    )


def _legacy(family: str, text: bytes, known: Where, unread: list[Unread]) -> tuple[Chain, ...]:
    """The chains of an old variant."""
    if not text:
        return ()
    name = TOOLS[family]
    try:
        return READERS[family](text, name, known)
    except (ValueError, IndexError):
        unread.append(Unread(NONSENSE(program=name), (family,)))
        return ()


def _missing(program: str, errno: int) -> Cause:
    if errno == ENODATA:
        return NOT_HAD(program=program)
    if errno == ENOPKG:
        return NOT_INSTALLED(program=program)
    return FAILED(program=program, error=str(refusal(errno, {})[0]))
