"""What arptables prints, its old variant (`arptables-legacy -nvL`) and its new one (`arptables-nft-save`) -> chains and rules.

net/ipv4/netfilter/arp_tables.c (arp_packet_match), arptable_filter.c. The old one's own `-save` is a script that asks whatever
`arptables` is, which is the new one on most hosts.
"""

from __future__ import annotations

import functools
import itertools
import re
from typing import TYPE_CHECKING

from nswire.codec.xtables import made
from nswire.codec.xtables.matches import address_of, link_of
from nswire.codec.xtables.rows import Extension, Where, nothing, spec
from nswire.codec.xtables.rule import Reading
from nswire.codec.xtables.targets import TARGETS, VERDICTS, given, set_mark
from nswire.codec.xtables.words import Option, Part, Saved, options, words
from nswire.model.firewall import Chain, FirewallRule, Opaque, Unfollowed, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.codec.xtables.rows import OptionReader
    from nswire.model.firewall import Statement

CHAIN = re.compile(r"^Chain (\S+) \((?:policy (\S+)|\d+ references\))")
COUNTERS = re.compile(r",?\s*,? ?pcnt=\S+ -- bcnt=\S+\s*$")
HOOKS = {"INPUT": "input", "OUTPUT": "output", "FORWARD": "forward"}


def _masked(key: str, one: Option, _: Where) -> Iterable[Statement]:
    """`6/3`, decimal or with 0x."""
    value, mask = made.masked(one.value)
    yield made.equal(key, value, negate=one.negate, mask=mask)


def _hardware(one: Option, where: Where) -> Iterable[Statement]:
    if one.value.lower() == "ethernet":
        yield made.equal("arp htype", 1, negate=one.negate)
        return
    yield from _masked("arp htype", one, where)


def _protocol(one: Option, where: Where) -> Iterable[Statement]:
    if one.value.lower() == "ipv4":
        yield made.equal("arp ptype", 0x800, negate=one.negate)
        return
    yield from _masked("arp ptype", one, where)


def _operation(one: Option, where: Where) -> Iterable[Statement]:
    names = {"request": 1, "reply": 2}
    if one.value.lower() in names:
        yield made.equal("arp operation", names[one.value.lower()], negate=one.negate)
        return
    yield from _masked("arp operation", one, where)


def _link(key: str, one: Option, where: Where) -> Iterable[Statement]:
    return () if one.value == "*" else link_of(key)(one, where)


def _mac(key: str, one: Option, _: Where) -> Iterable[Statement]:
    yield made.mac(key, one.value, negate=one.negate)


READERS: dict[str, OptionReader] = {
    "-s": address_of("arp saddr ip"),
    "-d": address_of("arp daddr ip"),
    "-i": functools.partial(_link, "iifname"),
    "-o": functools.partial(_link, "oifname"),
    "--src-mac": functools.partial(_mac, "arp saddr ether"),
    "--source-mac": functools.partial(_mac, "arp saddr ether"),
    "--dst-mac": functools.partial(_mac, "arp daddr ether"),
    "--destination-mac": functools.partial(_mac, "arp daddr ether"),
    "--h-length": functools.partial(_masked, "arp hlen"),
    "--opcode": _operation,
    "--h-type": _hardware,
    "--proto-type": _protocol,
    "-c": nothing,
}
ARITY = {**dict.fromkeys(READERS, 1), "-c": 2}


def _mark(part: Part, _: Where) -> Iterable[Statement]:
    found = set_mark("mark", given(part))
    if found is None:
        raise ValueError(part.text)
    yield found


def _mangle(part: Part, _: Where) -> Iterable[Statement]:
    """It rewrites what the question or the answer says."""
    yield Unfollowed(part.text.replace("-m ", "-j ", 1))


ARP_TARGETS: dict[str, Extension] = {
    **{name: TARGETS[name] for name in (*VERDICTS, "CLASSIFY", "NFQUEUE", "QUEUE")},
    "MARK": Extension(_mark, spec("--set-mark --and-mark --or-mark --set-xmark --xor-mark")),
    "mangle": Extension(
        _mangle, spec("--mangle-ip-s --mangle-ip-d --mangle-mac-s --mangle-mac-d --mangle-target")
    ),
}


def listed(answer: bytes) -> list[Saved]:
    """The chains of the table `filter` that `arptables-legacy -nvL` lists. ValueError if that is no such list."""
    found: list[Saved] = []
    for line in answer.decode("utf-8", "surrogateescape").split("\n"):
        if match := CHAIN.match(line):
            found.append(Saved("filter", match[1], match[2] or "-", []))
        elif line.strip():
            if not found:
                raise ValueError("a rule without a chain")
            found[-1].rules.append(f"-A {found[-1].name} {COUNTERS.sub('', line).strip()}")
    if not found:
        raise ValueError("no chain")
    return found


def decode(answer: bytes, tool: str) -> tuple[Chain, ...]:
    """The chains of a list of `arptables-legacy`. ValueError."""
    return tuple(
        Chain(
            tool=tool,
            family="arp",
            table=one.table,
            name=one.name,
            rules=tuple(FirewallRule(line, reading(line).statements) for line in one.rules),
            hook=HOOKS.get(one.name, "") if one.policy != "-" else "",
            policy="drop" if one.policy == "DROP" else "accept",
        )
        for one in listed(answer)
    )


def reading(line: str) -> Reading:
    """The parts of a line `-A CHAIN -j TARGET ...`: the target stands first, and its options among the others."""
    base: list[Statement] = []
    rest = words(line)[2:]
    name = next((str(after) for word, after in itertools.pairwise(rest) if word == "-j"), "")
    row = ARP_TARGETS.get(name)
    arity = {**ARITY, "-j": 1, **(row.arity if row is not None else {})}
    own: list[Option] = []
    for one in options(rest, arity):
        if one.name == "-j":
            continue
        if row is not None and one.name in row.arity:
            own.append(one)
        else:
            base += _condition(one)
    does: list[Statement] = []
    if name:
        does = [Verdict("jump", name)] if row is None else _does(row, Part(name, tuple(own)))
    return Reading(base, [], name, does, tracks=False)


def _condition(one: Option) -> list[Statement]:
    try:
        return list(READERS[one.name](one, Where("arp")))
    except (ValueError, KeyError, TypeError, IndexError):
        return [Opaque(one.text)]


def _does(row: Extension, part: Part) -> list[Statement]:
    try:
        return list(row.read(part, Where("arp")))
    except (ValueError, KeyError, TypeError, IndexError):
        return [Unfollowed(part.text.replace("-m ", "-j ", 1))]
