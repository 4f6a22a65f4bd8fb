"""A firewall as something that can be asked about a packet: chains of rules, whoever wrote them (nft, iptables, ebtables).

A rule is read completely or not at all: each part of it is one of the statements below; or it does nothing to a packet's
fate, for a reason that its reader has a row for; or it is `Opaque` (a condition) or `Unfollowed` (anything else).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Union

import msgspec

from nswire.model.reasons import Cause, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Cell = tuple[int, int] | str
"""What one key may be: a range of numbers (addresses, MACs and flags are numbers, too), or a name, `eth*` for all so beginning."""
Row = tuple[Cell, ...]
SetName = tuple[str, str, str]
"""Family, table and name of a set; (`ipset`, ``, name) for one of ipset."""
ANYTHING = (0, (1 << 128) - 1)
"""The cell that is true of every number: as `*`, which counts where no other row does."""


class Key(msgspec.Struct, frozen=True, gc=False):
    """Something a rule looks at, in nft's words: `ip saddr`, `tcp dport`, `iifname`, `mark`, `ct state` ...

    Its value is (value & mask) >> shift. All names that are understood: `path/netfilter/fields.py`.
    """

    name: str
    mask: int = -1
    shift: int = 0


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What becomes of a packet that comes to this statement. `target` is the chain of a jump or goto.

    `queue`: a program in user space decides.
    """

    kind: Literal["accept", "drop", "reject", "queue", "jump", "goto", "return", "continue"]
    target: str = ""


class Test(msgspec.Struct, frozen=True):
    """True if the keys are one of these rows (`negate`: none of them). `verdicts`, one per row: a verdict map.

    `bits`: a row holds if any of its bits are set, as for `ct state`. `set`: the rows (and verdicts) are those of that set.
    """

    keys: tuple[Key, ...]
    rows: tuple[Row, ...] = ()
    negate: bool = False
    verdicts: tuple[Verdict, ...] = ()
    bits: bool = False
    set: SetName | None = None
    map: bool = False
    """It is a verdict map, though its verdicts may be those of `set`."""
    lax: bool = False
    """A packet that has not all of the keys is merely none of these rows, as ipset has it; else it ends the rule, negated or not."""


class Opaque(msgspec.Struct, frozen=True, gc=False):
    """A condition that nobody can decide: a rate, a random choice, an unknown match. Both ways are walked.

    `extension`: it is one of iptables in a rule of nft, of that name (`*`: nft does not tell which). `keys`: what it looks
    at, as far as that is known; a packet that has not all of them ends the rule. `lasting`: what it asks, where the answer is the
    same for a packet wherever it is asked (`negate`: it is not to be so).
    """

    text: str
    extension: str = ""
    keys: tuple[Key, ...] = ()
    lasting: str = ""
    negate: bool = False
    fresh: bool | None = None
    """Of an element of a set: what it is of one that was just added."""


class Unfollowed(msgspec.Struct, frozen=True, gc=False):
    """Something that may decide about the packet or change it, but nobody can say how: what comes after it is unknown."""

    text: str
    extension: str = ""
    """As that of `Opaque`."""


class Operation(msgspec.Struct, frozen=True):
    """A number made of others, 32 bits wide."""

    op: Literal["&", "|", "^", "<<", ">>", "+", "-"]
    left: Expression
    right: Expression


class Mapped(msgspec.Struct, frozen=True):
    """What a map has for the keys; a packet for which it has nothing is not matched by the rule. `data`: one per row."""

    keys: tuple[Key, ...]
    rows: tuple[Row, ...] = ()
    data: tuple[Any, ...] = ()
    set: SetName | None = None


Expression = Union[int, Key, Operation, Mapped]  # noqa: UP007 (the names are defined later)


class Assign(msgspec.Struct, frozen=True):
    """Sets `key` (`mark`, `ct mark`, `ct zone`, `ip ttl`, `ip dscp`, `pkttype` ...) to a value; None: to what is not known."""

    key: str
    value: Expression | None


class Target(msgspec.Struct, frozen=True, gc=False):
    """Where NAT sends to: first and last address, first and last port; empty: as they were.

    `prefix`: the network whose bits the address gets, its other bits stay (NETMAP).
    """

    addresses: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    prefix: str = ""


class Nat(msgspec.Struct, frozen=True):
    """Sets up address translation for the connection. `family` (`ip`, `ip6`): packets of the other are left alone.

    `chosen`: a map of `Target` says where to; `port`: a map of numbers says which port. `random`: the port is any of its
    range (of all, without one). `base`: a shifted range, whose first port this one becomes.
    """

    kind: Literal["snat", "dnat", "masquerade", "redirect"]
    target: Target = Target()
    family: str = ""
    chosen: Mapped | None = None
    port: Mapped | None = None
    random: bool = False
    base: int | None = None


class Untracked(msgspec.Struct, frozen=True, gc=False):
    """The packet is kept from connection tracking (`notrack`)."""


class Change(msgspec.Struct, frozen=True):
    """Adds what the packet has to a set, or deletes it (`add @s { ip saddr }`). A set that is full ends the rule.

    `conditions`: what else has to hold for the rule to go on (`limit rate` of an element).
    """

    op: Literal["add", "update", "delete"]
    set: SetName
    keys: tuple[Key, ...]
    conditions: tuple[Opaque, ...] = ()
    ends: bool = True
    """Whether a full set ends the rule: nft's does, ipset's does not."""


class Inline(msgspec.Struct, frozen=True):
    """A jump or goto to a chain that has no name and stands in the rule itself."""

    kind: Literal["jump", "goto"]
    rules: tuple[FirewallRule, ...]


class Tproxy(msgspec.Struct, frozen=True, gc=False):
    """Gives the packet to a listener of this namespace. Where there is none: `miss`."""

    port: int = 0
    miss: Literal["break", "drop"] = "break"


Statement = Union[  # noqa: UP007 (a rule may have rules in it)
    Verdict, Test, Opaque, Unfollowed, Assign, Nat, Untracked, Change, Tproxy, Inline
]
CONDITIONS = (Test, Opaque)


class FirewallRule(msgspec.Struct, frozen=True):
    """A rule: what it does, and its text (`str` of it), as its own tool writes it.

    `tracks`: it makes the kernel track connections in its family (nf_ct_netns_get). `foreign`: it has an extension of
    iptables in it, so that its own tool has to say what it does. `tool`: whose it is, if not its chain's. `handle`: nft's
    number of it (0: it has none).
    """

    text: object
    statements: tuple[Statement, ...]
    tracks: bool = False
    foreign: bool = False
    tool: str = ""
    handle: int = 0


class Chain(msgspec.Struct, frozen=True):
    """A chain. Those with a `hook` are begun with there, in the order of their priorities; the others are jumped to.

    `family` is nft's (`ip`, `ip6`, `inet`, `bridge`, `netdev`, `arp`), `type` is `filter`, `nat` or `route`, `tool` whose it is.
    `devices`: of an ingress or egress chain, `eth*` for all so beginning; None: which they are is not told.
    `tracks`: a rule in it makes the kernel track connections. `foreign`: one has an extension of iptables.
    """

    tool: str
    family: str
    table: str
    name: str
    rules: Sequence[FirewallRule] = ()
    hook: str = ""
    type: str = "filter"
    priority: int = 0
    policy: str = "accept"
    devices: tuple[str, ...] | None = ()
    tracks: bool = False
    foreign: bool = False

    @property
    def legacy(self) -> bool:
        """Whether it is one of the old iptables, which has its own hooks beside nf_tables."""
        return "legacy" in self.tool


class Set:
    """A set, or a map, whose `data` are one per row. Readers of large ones decode them when they are first looked at.

    `size`: how many it takes (0: no limit), `timeout`: its elements go by themselves.
    """

    def __init__(
        self,
        name: SetName,
        rows: tuple[Row, ...] = (),
        data: tuple[Any, ...] = (),
        *,
        size: int = 0,
        timeout: bool = False,
    ) -> None:
        self.name = name
        self.size = size
        self.timeout = timeout
        self._rows = rows
        self._data = data

    def content(self, keys: tuple[Key, ...]) -> tuple[tuple[Row, ...], tuple[Any, ...]]:  # noqa: ARG002 (for readers that need it)
        """Its rows, as values of such keys, and their data. ValueError: they cannot be read."""
        return self._rows, self._data


NOWHERE = ("nowhere",)
"""As `families` of an `Unread`."""


NONSENSE = Reason("firewall.malformed", "what {program} prints makes no sense")


class Unread(msgspec.Struct, frozen=True, gc=False):
    """A part of a firewall that could not be read, as far as it is known where it is: empty, it may be anywhere.

    `NOWHERE`: the rules that it is about are there, with `Opaque` and `Unfollowed` in its place.
    """

    what: Cause
    families: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()


class Firewall(msgspec.Struct, frozen=True):
    """All chains of a namespace, the newest first where their tool tells the order; its sets; what could not be read.

    `tracked`: the families in which something makes the kernel track connections, whether or not any chain is run there.
    """

    chains: tuple[Chain, ...] = ()
    sets: Mapping[SetName, Set] = {}
    unread: tuple[Unread, ...] = ()
    tracked: frozenset[str] = frozenset()
