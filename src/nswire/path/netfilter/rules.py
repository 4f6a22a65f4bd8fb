"""The rules of chains, run on one packet (nf_tables_core.c: nft_do_chain).

The conditions of a rule are judged first that can be; only if all of them hold is there a choice about the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from nswire.model.firewall import (
    Assign,
    Change,
    Inline,
    Key,
    Mapped,
    Nat,
    Opaque,
    Target,
    Test,
    Tproxy,
    Unfollowed,
    Untracked,
    Verdict,
)
from nswire.path import conntrack
from nswire.path.netfilter import compare, nat
from nswire.path.netfilter.assign import OPERATIONS, SETTERS, U32, Break
from nswire.path.netfilter.compare import ABSENT, Partial, narrowed
from nswire.path.netfilter.fields import Sight
from nswire.path.netfilter.hook_point import AtHook
from nswire.path.values import WITH_PORTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nswire.model.firewall import Chain, Expression, Firewall, FirewallRule, Row, SetName
    from nswire.model.values import NsKey
    from nswire.path.context import PathContext
    from nswire.path.netfilter.compare import Found, Known
    from nswire.path.netfilter.hook_point import Place
    from nswire.path.values import Packet

DEEPEST = 16  # jumps (NFT_JUMP_STACK_SIZE)
PLENTY = 2  # a set of which less than half is used is not full, whatever went out of it by itself


class Stop(NamedTuple):
    """Where a packet stops: the verdict, the chain, the rule (None: the policy)."""

    verdict: str
    chain: Chain
    rule: FirewallRule | None


class Unsure(Exception):
    """What a rule does cannot be told: the verdict says why."""

    def __init__(self, verdict: str) -> None:
        super().__init__(verdict)
        self.verdict = verdict


class Run(AtHook):
    """One packet on its way through one hook."""

    def __init__(
        self, walk: PathContext, ns: NsKey, place: Place, packet: Packet, firewall: Firewall
    ) -> None:
        super().__init__(walk, ns, place, packet)
        self._firewall = firewall
        self._sight = place.sight or Sight(walk, ns)
        self._nat: tuple[Nat, Target, FirewallRule, Chain] | None = None

    # -- chains --------------------------------------------------------------------------------------------------

    def base(self, chain: Chain) -> Stop | None:
        """One base chain; None: it lets the packet pass."""
        stop = self._chain(chain, 0)
        if (stop is None or stop.verdict == "return") and chain.policy == "drop":
            return Stop("drop", chain, None)
        return None if stop is None or stop.verdict in ("accept", "return") else stop

    def translate(self, chains: Sequence[Chain], *, to_destination: bool) -> Stop | None:
        """Translate as was decided with the first packet of the connection, which this may be (nf_nat_inet_fn)."""
        conn = self.packet.conn
        if conn is None:
            return None
        decided = conn.destinations if to_destination else conn.sources
        if not decided and conntrack.state(self.packet) == conntrack.NEW and not self.packet.direction:
            for chain in chains:
                stop = self.base(chain)
                if stop is not None:
                    return stop
                if self._nat is not None:
                    break
            if to_destination:
                conn.destinations = True
            else:
                conn.sources = True
            return self._set_up()
        new = conntrack.translated(self.packet, to_destination=to_destination)
        if new != self.packet.flow:
            self.notes.append(("nat", f"conntrack: {self.packet.flow.text} becomes {new.text}"))
            self.packet = replace(self.packet, flow=new)
        return None

    def _set_up(self) -> Stop | None:
        """Translate as the rule says that was found, and remember it for the answers."""
        if self._nat is None:
            return None
        rule_nat, target, rule, chain = self._nat
        self._nat = None
        flow = self.packet.flow
        self.walk.supposed.forget()
        new = nat.translated(self, rule_nat, target)
        if new is None:
            return Stop("unmapped", chain, rule)
        conn = self.packet.conn
        if new != flow and conn is not None:
            text = _where(chain, rule)
            self.notes.append(("nat", f"{text}: {flow.text} becomes {new.text}"))
            self.packet = replace(self.packet, flow=new)
            conn.expected = new.reverse
        return None

    def _chain(self, chain: Chain, depth: int) -> Stop | None:
        """The verdict of a chain; None if it has none, so that the one that jumped here goes on."""
        return self._rules(chain.rules, chain, depth)

    def _rules(self, rules: Sequence[FirewallRule], chain: Chain, depth: int) -> Stop | None:
        for rule in rules:
            stop = self._rule(chain, rule, depth)
            if stop is None:
                continue
            return None if stop.verdict == "return" and depth else stop
        return None

    def _jump(self, verdict: Verdict, chain: Chain, rule: FirewallRule, depth: int) -> Stop | None:
        if verdict.kind == "continue":
            return None
        if verdict.kind not in ("jump", "goto"):
            return Stop(verdict.kind, chain, rule)
        target = self.walk.chain(
            self.ns, self._firewall, (chain.legacy, chain.family, chain.table, verdict.target)
        )
        if target is None or depth >= DEEPEST:
            return Stop("depth", chain, rule)
        stop = self._chain(target, depth + 1)
        if verdict.kind == "goto" and stop is None:
            return Stop("return", chain, rule)
        return stop

    # -- rules ---------------------------------------------------------------------------------------------------

    def _rule(self, chain: Chain, rule: FirewallRule, depth: int) -> Stop | None:
        unsure: list[Test | Opaque] = []
        try:
            for statement in rule.statements:
                if isinstance(statement, Test) and not statement.map:
                    told = self._tested(statement)
                    if told is False:
                        return None
                    if told is None:
                        unsure.append(statement)
                    continue
                if isinstance(statement, Opaque):
                    if statement.keys and self._values(statement.keys) is None:
                        return None
                    unsure.append(statement)
                    continue
                if not self._supposed(unsure, rule):
                    return None
                unsure = []
                if isinstance(statement, Verdict | Inline | Test):
                    return self._ended(statement, chain, rule, depth)
                stop = self._act(statement, chain, rule)
                if stop is not None:
                    return stop
        except Break:
            return None
        except Unsure as why:
            return Stop(why.verdict, chain, rule)
        return None

    def _ended(
        self, statement: Verdict | Inline | Test, chain: Chain, rule: FirewallRule, depth: int
    ) -> Stop | None:
        """What a rule comes to: a verdict, one that a map has, or a chain of its own."""
        if isinstance(statement, Inline):
            stop = self._rules(statement.rules, chain, depth + 1)
            return Stop("return", chain, rule) if statement.kind == "goto" and stop is None else stop
        verdict = self._chosen(statement, rule) if isinstance(statement, Test) else statement
        return None if verdict is None else self._jump(verdict, chain, rule, depth)

    def _supposed(self, unsure: Sequence[Test | Opaque], rule: FirewallRule) -> bool:
        """Whether conditions that cannot be told hold: as was supposed of the packet already, else both ways are walked."""
        supposed = self.walk.supposed
        others = False
        for one in unsure:
            if isinstance(one, Opaque):
                if not one.lasting:
                    others = True
                    continue
                thing = (one.lasting, self.packet.flow, self.packet.answer)
                told = supposed.taken(thing)
                if told is None:
                    told = self._taken(rule) != one.negate
                    supposed.take(thing, holds=told)
                if told == one.negate:
                    return False
                continue
            known = self.known(one.keys[0])
            about = supposed.thing(one, known, self.packet) if len(one.keys) == 1 else None
            if about is None:
                others = True
                continue
            told = supposed.told(about, one)
            if told is None:
                told = self._taken(rule) != one.negate
                supposed.suppose(about, one, known, holds=told)
            if told == one.negate:
                return False
        return not others or self._taken(rule)

    def _taken(self, rule: FirewallRule) -> bool:
        text = f"the rule `{rule.text}`"
        return bool(self.walk.chooser.choose((f"{text} does not take it", f"{text} takes it")))

    def _act(self, statement: Any, chain: Chain, rule: FirewallRule) -> Stop | None:
        """What is neither condition nor verdict."""
        return ACTIONS[type(statement)](self, statement, chain, rule)

    # -- conditions ----------------------------------------------------------------------------------------------

    def known(self, key: Key) -> Known:
        """The value of a key."""
        try:
            return narrowed(self._sight.value(key.name, self.place, self.packet), key)
        except (ValueError, IndexError, KeyError, OverflowError):  # a key that is written as none of ours is
            return None

    def _values(self, keys: tuple[Key, ...]) -> list[Known] | None:
        """The values of keys; None if the packet has not all of them."""
        values = [self.known(key) for key in keys]
        return None if any(one is ABSENT for one in values) else values

    def _found(
        self, keys: tuple[Key, ...], rows: tuple[Row, ...], name: SetName | None, *, bits: bool = False
    ) -> Found | None:
        """The rows that hold; None: the packet has not all that is asked for."""
        values = self._values(keys)
        if values is None:
            return None
        if name is None:
            return compare.look(values, rows, bits=bits)
        held = self._firewall.sets.get(name)
        if held is None:
            return compare.Found(None, (-1,))
        try:
            found = compare.index(held, keys).look(values)
        except ValueError:
            return compare.Found(None, (-1,))
        return self._changed(name, values, found)

    def _changed(self, name: SetName, values: list[Known], found: Found) -> Found:
        """With what this walk itself has put into the set, or taken out."""
        for op, element in self.walk.changes.get((self.ns, name), ()):
            same = _alike(values, element)
            if same is True:
                found = compare.Found(None) if op == "delete" else compare.Found(-1, (), none=False)
            elif same is None:
                found = compare.Found(None, (-1,))
        return found

    def _tested(self, test: Test) -> bool | None:
        if len(test.rows) == 1 and len(test.keys) == 1 and test.set is None:  # as most are
            known = self.known(test.keys[0])
            if known is ABSENT:
                return test.lax and test.negate
            fit = compare.fits(known, test.rows[0][0], bits=test.bits)
            return fit if fit is None or not test.negate else not fit
        found = self._found(test.keys, test.rows, test.set, bits=test.bits)
        if found is None:
            return test.lax and test.negate
        if found.sure is not None:
            return not test.negate
        if found.maybe:
            return None if found.none else not test.negate
        return test.negate

    def _chosen(self, test: Test, rule: FirewallRule) -> Verdict | None:
        """What a verdict map has for the packet."""
        text = f"the rule `{rule.text}`"
        of = Mapped(test.keys, test.rows, test.verdicts, test.set)
        verdict: Verdict | None = self._picked(
            of, f"{text} does not take it", lambda one: f"{text} does {one.kind} {one.target}".strip()
        )
        return verdict

    def _picked(self, of: Mapped, nothing: str, tell: Callable[[Any], str]) -> Any:
        """What a map has for the packet; None: nothing. Unsure, if that cannot be told."""
        found = self._found(of.keys, of.rows, of.set)
        if found is None:
            return None
        data = of.data
        if of.set is not None:
            held = self._firewall.sets.get(of.set)
            if held is None or -1 in (found.sure, *found.maybe):
                raise Unsure("unfollowed")
            data = held.content(of.keys)[1]
        if found.sure is not None:
            return data[found.sure]
        options: list[Any] = list(dict.fromkeys(data[at] for at in found.maybe))
        if found.none:
            options = [None, *options]
        told = [nothing if one is None else tell(one) for one in options]
        return options[self.walk.chooser.choose(told)]

    # -- actions -------------------------------------------------------------------------------------------------

    def _unfollowed(self, _: Unfollowed, chain: Chain, rule: FirewallRule) -> Stop:
        return Stop("unfollowed", chain, rule)

    def _translating(self, statement: Nat, chain: Chain, rule: FirewallRule) -> Stop | None:
        family = self.place.family
        if statement.family not in ("", family):
            return None
        target = statement.target
        if statement.chosen is not None:
            one = statement.chosen
            chosen = self._picked(
                one,
                "NAT has nothing for it",
                lambda to: f"NAT picks {_place_of(to)}",
            )
            if chosen is None:
                raise Break
            target = Target(chosen.addresses, chosen.ports or target.ports, chosen.prefix)
        if statement.port is not None:
            one = statement.port
            port = self._picked(
                one,
                "NAT has nothing for it",
                lambda to: f"NAT picks port {to}",
            )
            if port is None:
                raise Break
            target = Target(
                target.addresses, port.ports if isinstance(port, Target) else (port,), target.prefix
            )
        self._nat = (statement, target, rule, chain)
        return Stop("accept", chain, rule)

    def _untracked(self, _: Untracked, chain: Chain, rule: FirewallRule) -> None:
        if self.packet.conn is not None or self.packet.untracked:  # nft_notrack_eval: previously seen
            return
        self.packet = replace(self.packet, untracked=True)
        self.notes.append(("netfilter", f"{_where(chain, rule)}: it is not tracked"))

    def _change(self, statement: Change, _: Chain, rule: FirewallRule) -> None:
        values = self._values(statement.keys)
        if values is None:
            raise Break
        name = (self.ns, statement.set)
        if statement.op == "delete":
            self.walk.changes.setdefault(name, []).append(("delete", tuple(values)))
            return
        found = self._found(statement.keys, (), statement.set)
        present = found is not None and found.sure is not None
        if not present and statement.ends and self._full(statement):
            raise Break
        if not present:
            self.walk.changes.setdefault(name, []).append(("add", tuple(values)))
        told: set[bool | None] = {one.fresh for one in statement.conditions}
        if present or found is None or found.maybe:
            told = {None} if statement.conditions else set()
        if False in told or (None in told and not self._taken(rule)):
            raise Break

    def _full(self, statement: Change) -> bool:
        """Whether a set takes no more (nft_rhash_update, nft_set_elem_expr)."""
        held = self._firewall.sets.get(statement.set)
        if held is None:
            raise Unsure("unfollowed")
        if not held.size:
            return False
        mine = self.walk.changes.get((self.ns, statement.set), ())
        count = len(held.content(statement.keys)[0]) + sum(op == "add" for op, _ in mine)
        if count * PLENTY < held.size or (not held.timeout and count < held.size):
            return False
        if not held.timeout:
            return True
        text = f"the set {statement.set[2]}"
        return bool(self.walk.chooser.choose((f"{text} takes one more", f"{text} is full")))

    def _tproxy(self, statement: Tproxy, chain: Chain, rule: FirewallRule) -> Stop | None:
        protocol = WITH_PORTS.get(self.packet.flow.proto)
        port = statement.port or self.packet.flow.dport
        if protocol is not None:
            listeners = self.walk.lookups.listeners(self.ns)
            if listeners is None or any((one.protocol, one.port) == (protocol, port) for one in listeners):
                return Stop("queue", chain, rule)
        if statement.miss == "drop":
            return Stop("drop", chain, rule)
        raise Break

    def _assign(self, statement: Assign, chain: Chain, rule: FirewallRule) -> Stop | None:
        value = None if statement.value is None else self._number(statement.value)
        setter = SETTERS.get(statement.key)
        if setter is None or not setter(self, statement.key, value):
            return Stop("unfollowed", chain, rule)
        return None

    def _number(self, value: Expression) -> int | None:
        """A number that a rule sets something to; None: it cannot be known. Break: the packet has nothing of the kind."""
        if isinstance(value, int):
            return value
        if isinstance(value, Key):
            known = self.known(value)
            if known is ABSENT:
                raise Break
            if isinstance(known, tuple) and not isinstance(known, Partial) and known[0] == known[1]:
                return known[0]
            return known if isinstance(known, int) else None
        if isinstance(value, Mapped):
            picked = self._picked(
                value,
                "the map has nothing for it",
                lambda one: f"the map has {one}",
            )
            if picked is None:
                raise Break
            return int(picked)
        left, right = self._number(value.left), self._number(value.right)
        return None if left is None or right is None else OPERATIONS[value.op](left, right) & U32


def _where(chain: Chain, rule: FirewallRule) -> str:
    return f"the rule `{rule.text}` of {rule.tool or chain.tool} table {chain.family} {chain.table}, chain {chain.name}"


def _place_of(to: Target) -> str:
    return "-".join(to.addresses) or to.prefix or "-".join(map(str, to.ports))


def _alike(values: Sequence[Known], element: Sequence[Known]) -> bool | None:
    """Whether two keys are the same, as far as they are known."""
    told: bool | None = True
    for one, two in zip(values, element, strict=False):
        if isinstance(one, int | str) and isinstance(two, int | str):
            if one != two:
                return False
        elif one != two or one is None or isinstance(one, tuple):
            told = None
    return told


ACTIONS: dict[type, Callable[[Run, Any, Chain, FirewallRule], Stop | None]] = {
    Unfollowed: Run._unfollowed,  # noqa: SLF001
    Nat: Run._translating,  # noqa: SLF001
    Untracked: Run._untracked,  # noqa: SLF001
    Change: Run._change,  # noqa: SLF001
    Tproxy: Run._tproxy,  # noqa: SLF001
    Assign: Run._assign,  # noqa: SLF001
}
