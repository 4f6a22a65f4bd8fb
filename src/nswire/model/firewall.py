"""A firewall as something that can be asked about a packet: chains of rules, whoever wrote them (nft, iptables).

A rule is a row of statements. A `Test` that fails ends it; one that cannot be decided leaves two possibilities.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Cell = tuple[int, int] | str
"""What one key may be: a range of numbers (addresses, MACs and flags are numbers, too), or a name, `eth*` for all so beginning."""


class Key(msgspec.Struct, frozen=True, gc=False):
    """Something a rule looks at, in nft's words: `ip saddr`, `tcp dport`, `iifname`, `mark`, `ct state` ...; some bits of it."""

    name: str
    mask: int = -1


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What becomes of a packet that comes to this statement. `target` is the chain of a jump or goto."""

    kind: Literal["accept", "drop", "reject", "queue", "jump", "goto", "return", "continue"]
    target: str = ""


class Test(msgspec.Struct, frozen=True):
    """True if the keys are one of these rows (`negate`: none of them). `verdicts`, one per row: a verdict map.

    `bits`: a row holds if any of its bits are set, as for `ct state`.
    """

    keys: tuple[Key, ...]
    rows: tuple[tuple[Cell, ...], ...]
    negate: bool = False
    verdicts: tuple[Verdict, ...] = ()
    bits: bool = False


class Opaque(msgspec.Struct, frozen=True, gc=False):
    """Something that decides about the packet, but nobody can say how: a rate, a random choice, an unknown match."""

    text: str


class Assign(msgspec.Struct, frozen=True, gc=False):
    """Sets `key` (`mark`, `ct mark`) to (old & ~mask) ^ value.

    With a `source`, the value is what that other key is & source_mask. None without one: what it is set to is not known.
    """

    key: str
    value: int | None
    mask: int = 0xFFFFFFFF
    source: str = ""
    source_mask: int = 0xFFFFFFFF


class Nat(msgspec.Struct, frozen=True):
    """Sets up address translation for the connection. `addresses` and `ports` are first and last; empty: as they were.

    `chosen_by`: the keys of a map, whose `rows` each have their target in `targets`.
    """

    kind: Literal["snat", "dnat", "masquerade", "redirect"]
    addresses: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    chosen_by: tuple[Key, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    targets: tuple[tuple[str, int], ...] = ()


class Untracked(msgspec.Struct, frozen=True, gc=False):
    """The packet is kept from connection tracking (`notrack`)."""


Statement = Verdict | Test | Opaque | Assign | Nat | Untracked


class FirewallRule(msgspec.Struct, frozen=True):
    """A rule: what it does, and its text as its own tool writes it."""

    text: str
    statements: tuple[Statement, ...]


class Chain(msgspec.Struct, frozen=True):
    """A chain. Those with a `hook` are begun with there, in the order of their priorities; the others are jumped to.

    `family` is nft's (`ip`, `ip6`, `inet`, `bridge`, `netdev`), `type` is `filter`, `nat` or `route`, `tool` whose it is.
    """

    tool: str
    family: str
    table: str
    name: str
    rules: tuple[FirewallRule, ...] = ()
    hook: str = ""
    type: str = "filter"
    priority: int = 0
    policy: str = "accept"
    devices: tuple[str, ...] = ()


class Firewall(msgspec.Struct, frozen=True):
    """All chains of a namespace, and why it may have more than could be read (empty: it has not)."""

    chains: tuple[Chain, ...] = ()
    unread: str = ""
