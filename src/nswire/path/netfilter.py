"""Netfilter: what the chains of a hook do with the first packet of a connection, in their order, NAT included.

include/uapi/linux/netfilter_ipv4.h (priorities), net/netfilter/nf_nat_core.c (nf_nat_inet_fn), nf_conntrack_core.c.
What cannot be decided is walked both ways; see `choices`.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from nswire.model.firewall import Assign, Nat, Opaque, Test, Untracked, Verdict
from nswire.model.reasons import Reason
from nswire.path import source
from nswire.path.sight import ABSENT, Absent, Sight
from nswire.path.values import ICMP, ICMPV6, Connection, Flow, Mend, Packet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nswire.model.firewall import Cell, Chain, FirewallRule, Key
    from nswire.model.reasons import Cause
    from nswire.model.values import NsKey
    from nswire.path.sight import Known
    from nswire.path.walk import Walk

PASSES = Reason("netfilter.passes", "nothing stops it")
UNREAD = Reason("netfilter.unread", "a part of its firewall could not be read: {what}")
VERDICTS = {
    "drop": Reason("netfilter.drop", "{rule} drops it", "NETFILTER_DROP"),
    "reject": Reason("netfilter.reject", "{rule} rejects it", "NETFILTER_DROP"),
    "queue": Reason("netfilter.elsewhere", "{rule}: what becomes of it there is decided elsewhere"),
}

BRNF = 0  # NF_BR_PRI_BRNF
CONNTRACK = -200  # NF_IP_PRI_CONNTRACK
NAT_PRIORITY = {"prerouting": -100, "output": -100, "postrouting": 100, "input": 100}
TO_DESTINATION = ("prerouting", "output")
MANY = 8  # addresses of a range that are worth walking for each
DEEPEST = 16  # jumps (NFT_JUMP_STACK_SIZE)


class Place(NamedTuple):
    """Where in a namespace a packet meets chains: the hook, the links by their names, and for bridges the ports.

    `family` is `ip` (or `ip6`), `bridge` or `netdev`. `gateway` and `out` are where it will go next, for masquerading.
    `interrupted`: br_netfilter takes the packet in the middle of the hook, and gives it back.
    """

    family: str
    hook: str
    iif: str = ""
    oif: str = ""
    physin: str = ""
    physout: str = ""
    gateway: str = ""
    sight: Sight | None = None
    interrupted: bool = False


class Outcome(NamedTuple):
    """What the chains made of a packet: `accept`, `drop`, `reject` or `queue` (somebody else decides), and which rule.

    `notes`: what was translated or marked on the way.
    """

    verdict: str
    packet: Packet
    reason: Cause = PASSES()
    notes: tuple[str, ...] = ()
    mend: Mend | None = None


class _Stop(NamedTuple):
    verdict: str
    chain: Chain
    rule: FirewallRule | None


def traverse(walk: Walk, ns: NsKey, place: Place, packet: Packet) -> Outcome:
    """Run a packet through all chains of a hook."""
    firewall = walk.lookups.firewall(ns)
    chains = [chain for chain in firewall.chains if chain.hook == place.hook and _applies(chain, place)]
    families = {chain.family for chain in chains} | {place.family}
    run = _Run(
        walk,
        ns,
        place,
        packet,
        {(c.family, c.table, c.name): c for c in firewall.chains if c.family in families},
    )
    if place.interrupted and any(chain.priority == BRNF for chain in chains) and _left_out(walk):
        chains = [chain for chain in chains if chain.priority != BRNF]
    for action in _in_order(chains, place):
        stop = run.translate(action) if isinstance(action, list) else run.base(action)
        if stop is not None:
            return Outcome(stop.verdict, run.packet, _cause(stop), tuple(run.notes), _mend(stop, ns))
    if firewall.unread:
        return Outcome("queue", run.packet, UNREAD(what=firewall.unread))
    return Outcome("accept", run.packet, notes=tuple(run.notes))


def _left_out(walk: Walk) -> bool:
    """Whether br_netfilter leaves out chains of its own priority, as kernels before 5.19 do (br_nf_hook_thresh)."""
    if walk.leaves_out is None:
        who = "the chains of family bridge and priority 0"
        walk.leaves_out = bool(
            walk.chooser.choose((f"br_netfilter runs {who}", f"br_netfilter leaves out {who}"))
        )
    return walk.leaves_out


def _applies(chain: Chain, place: Place) -> bool:
    if place.family == "netdev":
        name = place.iif or place.oif
        return chain.family == "netdev" and name in chain.devices
    return chain.family == place.family or (chain.family == "inet" and place.family in ("ip", "ip6"))


def _in_order(chains: list[Chain], place: Place) -> Iterator[Chain | list[Chain]]:
    """Chains by their priorities; all of type nat together, where the kernel runs them, and a mark where it tracks."""
    nat = NAT_PRIORITY.get(place.hook) if place.family in ("ip", "ip6") else None
    translating = sorted((c for c in chains if c.type == "nat"), key=lambda chain: chain.priority)
    waiting = nat is not None
    tracked = place.hook not in TO_DESTINATION or place.family not in ("ip", "ip6")
    for chain in sorted((c for c in chains if c.type != "nat"), key=lambda chain: chain.priority):
        if not tracked and chain.priority > CONNTRACK:
            tracked = True
            yield []
        if waiting and nat is not None and chain.priority > nat:
            waiting = False
            yield translating
        yield chain
    if not tracked:
        yield []
    if waiting:
        yield translating


def _told(stop: _Stop) -> str:
    chain = stop.chain
    what = "the policy" if stop.rule is None else f"the rule `{stop.rule.text}`"
    return f"{what} of {chain.tool} table {chain.family} {chain.table}, chain {chain.name}"


def _cause(stop: _Stop) -> Cause:
    """Why it goes no further there."""
    return VERDICTS[stop.verdict](rule=_told(stop))


def _mend(stop: _Stop, ns: NsKey) -> Mend:
    """How to see the chain, and what to change in it."""
    chain = stop.chain
    words = (
        ("nft", "-a", "list", "chain", chain.family, chain.table, chain.name)
        if chain.tool == "nft"
        else (chain.tool.removesuffix("-save"), "-t", chain.table, "-nvL", chain.name, "--line-numbers")
    )
    effect = (
        "lists the chain: a rule at its end"
        if stop.rule is None
        else "lists the chain: a rule before that one"
    )
    return Mend(f"{effect} that accepts such packets would let this one pass there", ns, words)


class _Run:
    """One packet on its way through one hook."""

    def __init__(
        self, walk: Walk, ns: NsKey, place: Place, packet: Packet, chains: dict[tuple[str, str, str], Chain]
    ) -> None:
        self._walk = walk
        self._ns = ns
        self._place = place
        self._chains = chains
        self._nat: tuple[Nat, FirewallRule, Chain] | None = None
        self.packet = packet
        self.untracked = False
        self.notes: list[str] = []

    def base(self, chain: Chain) -> _Stop | None:
        """One base chain; None: it lets the packet pass."""
        stop = self._chain(chain, 0)
        if stop is None and chain.policy == "drop":
            return _Stop("drop", chain, None)
        return None if stop is None or stop.verdict == "accept" else stop

    def translate(self, chains: list[Chain]) -> _Stop | None:
        """Track the connection, and translate as was decided with its first packet, which this may be."""
        if self.untracked or self.packet.icmp:
            return None
        packet = self.packet
        if packet.conn is None:
            packet = self.packet = replace(packet, conn=self._walk.track(self._ns, packet))
        conn = packet.conn
        if conn is None or (not chains and self._place.hook not in NAT_PRIORITY):
            return None
        first = not packet.answer
        to_destination = self._place.hook in TO_DESTINATION
        if first and not (conn.destinations if to_destination else conn.sources):
            for chain in chains:
                stop = self._chain(chain, 0)
                if self._nat is not None:
                    break
                if stop is not None and stop.verdict != "accept":
                    return stop
                if stop is None and chain.policy == "drop":
                    return _Stop("drop", chain, None)
            if chains:
                if to_destination:
                    conn.destinations = True
                else:
                    conn.sources = True
            return self._set_up(conn)
        self._as_before(conn, to_destination=to_destination)
        return None

    def _as_before(self, conn: Connection, *, to_destination: bool) -> None:
        """Translate a packet of a connection whose translation was decided before."""
        flow = self.packet.flow
        target = conn.original.reverse if self.packet.answer else conn.expected.reverse
        new = (
            replace(
                flow, dst=target.dst, dport=target.dport if flow.proto not in (ICMP, ICMPV6) else flow.dport
            )
            if to_destination
            else replace(
                flow, src=target.src, sport=target.sport if flow.proto not in (ICMP, ICMPV6) else flow.sport
            )
        )
        if new != flow:
            self.packet = replace(self.packet, flow=new)
            self.notes.append(f"conntrack: {flow.text} becomes {new.text}")

    def _set_up(self, conn: Connection) -> _Stop | None:
        """Translate as the rule says that was found, and remember it for the answers."""
        if self._nat is None:
            return None
        nat, rule, chain = self._nat
        self._nat = None
        flow = self._translated(nat)
        if flow is None:
            return _Stop("queue", chain, rule)
        if flow != self.packet.flow:
            self.notes.append(f"{_told(_Stop('', chain, rule))}: {self.packet.flow.text} becomes {flow.text}")
            self.packet = replace(self.packet, flow=flow)
            conn.expected = flow.reverse
        return None

    def _translated(self, nat: Nat) -> Flow | None:
        """The flow after translation; None if it cannot be told."""
        flow = self.packet.flow
        addresses, ports = nat.addresses, nat.ports
        if any("/" in address for address in addresses):
            return None
        if nat.kind == "masquerade":
            link = self._walk.named(self._ns, self._place.oif)
            chosen = link and source.select(self._walk, link.end, self._place.gateway, flow.dst)
            return replace(flow, src=chosen, sport=_port(ports, flow.sport)) if chosen else None
        if nat.kind == "redirect":
            address = self._own_address(flow)
            return replace(flow, dst=address, dport=_port(ports, flow.dport)) if address else None
        if nat.targets:
            target = self._mapped(nat)
            if target is None:
                return flow
            addresses, ports = (target[0],), (target[1],) if target[1] else ports
        picked = self._one_of(addresses) if addresses else ""
        if picked is None:
            return None
        if nat.kind == "dnat":
            return replace(flow, dst=picked or flow.dst, dport=_port(ports, flow.dport))
        return replace(flow, src=picked or flow.src, sport=_port(ports, flow.sport))

    def _own_address(self, flow: Flow) -> str:
        """Where `redirect` sends to: the link's own first address, or the loopback for what is sent from here."""
        if self._place.hook == "output":
            return "::1" if flow.family == 6 else "127.0.0.1"
        link = self._walk.named(self._ns, self._place.iif)
        family = 10 if flow.family == 6 else 2
        found = [one for one in link.addresses if one.family == family] if link is not None else []
        return found[0].ip if found else ""

    def _one_of(self, addresses: Sequence[str]) -> str | None:
        if len(addresses) == 1:
            return addresses[0]
        first, last = (int(ipaddress.ip_address(one)) for one in addresses)
        if last - first >= MANY:
            return None
        kind = type(ipaddress.ip_address(addresses[0]))
        found = [str(kind(number)) for number in range(first, last + 1)]
        return found[self._walk.chooser.choose([f"NAT picks {one}" for one in found])]

    def _mapped(self, nat: Nat) -> tuple[str, int] | None:
        fits = [self._row(nat.chosen_by, row) for row in nat.rows]
        if True in fits:
            return nat.targets[fits.index(True)]
        maybe = [target for target, fit in zip(nat.targets, fits, strict=True) if fit is None]
        if not maybe:
            return None
        return maybe[self._walk.chooser.choose([f"NAT picks {address}" for address, _ in maybe])]

    # -- rules ---------------------------------------------------------------------------------------------------

    def _chain(self, chain: Chain, depth: int) -> _Stop | None:
        """The verdict of a chain; None if it has none, so that the one that jumped here goes on."""
        for rule in chain.rules:
            stop = self._rule(chain, rule, depth)
            if stop is None:
                continue
            return None if stop.verdict == "return" else stop
        return None

    def _rule(self, chain: Chain, rule: FirewallRule, depth: int) -> _Stop | None:
        for at, statement in enumerate(rule.statements):
            if isinstance(statement, Verdict):
                return self._verdict(statement, chain, rule, depth)
            if isinstance(statement, Test):
                verdict = self._tested(statement, rule, at)
                if isinstance(verdict, Verdict):
                    return self._verdict(verdict, chain, rule, depth)
                if not verdict:
                    return None
            elif isinstance(statement, Opaque):
                if not _matters(rule, at) or not self._undecided(rule):
                    return None
            elif isinstance(statement, Nat):
                if self._lacks_target(statement):
                    return None
                self._nat = (statement, rule, chain)
                return _Stop("accept", chain, rule)
            elif isinstance(statement, Untracked):
                self.untracked = True
                self.notes.append(f"{_told(_Stop('', chain, rule))}: it is not tracked")
            elif not self._assign(statement):
                return _Stop("queue", chain, rule)
        return None

    def _lacks_target(self, nat: Nat) -> bool:
        return bool(nat.rows) and all(self._row(nat.chosen_by, row) is False for row in nat.rows)

    def _verdict(self, verdict: Verdict, chain: Chain, rule: FirewallRule, depth: int) -> _Stop | None:
        if verdict.kind == "continue":
            return None
        if verdict.kind not in ("jump", "goto"):
            return _Stop(verdict.kind, chain, rule)
        target = self._chains.get((chain.family, chain.table, verdict.target))
        if target is None or depth >= DEEPEST:
            return _Stop("queue", chain, rule)
        stop = self._chain(target, depth + 1)
        if verdict.kind == "goto" and stop is None:
            return _Stop("return", chain, rule)
        return stop

    def _undecided(self, rule: FirewallRule) -> bool:
        text = f"the rule `{rule.text}`"
        return bool(self._walk.chooser.choose((f"{text} does not take it", f"{text} takes it")))

    def _tested(self, test: Test, rule: FirewallRule, at: int) -> bool | Verdict:
        fits: list[bool | None] = []
        for row in test.rows:
            fit = self._row(test.keys, row, bits=test.bits)
            if fit is True and not test.verdicts:
                return not test.negate
            fits.append(fit)
        if any(self._known(key) is ABSENT for key in test.keys):
            return False
        if test.verdicts:
            if True in fits:
                return test.verdicts[fits.index(True)]
            maybe = [verdict for verdict, fit in zip(test.verdicts, fits, strict=True) if fit is None]
            if not maybe:
                return False
            text = f"the rule `{rule.text}`"
            choices = (
                f"{text} does not take it",
                *(f"{text} does {one.kind} {one.target}".strip() for one in maybe),
            )
            taken = self._walk.chooser.choose(choices)
            return maybe[taken - 1] if taken else False
        if None in fits:
            return _matters(rule, at) and self._undecided(rule)
        return test.negate

    def _row(self, keys: Iterable[Key], row: Iterable[Cell], *, bits: bool = False) -> bool | None:
        fits = [
            _fits(self._known(key), key.mask, cell, bits=bits) for key, cell in zip(keys, row, strict=True)
        ]
        return False if False in fits else None if None in fits else True

    def _known(self, key: Key) -> Known:
        sight = self._place.sight or Sight(self._walk, self._ns)
        return sight.value(key.name, self._place, self.packet, untracked=self.untracked)

    def _assign(self, statement: Assign) -> bool:
        """Set a mark. False if what to is not known, and with it all that depends on the mark."""
        key = statement.key
        if key not in ("mark", "ct mark"):
            return True
        conn = self.packet.conn
        marks = {"mark": self.packet.mark, "ct mark": conn.mark if conn is not None else 0}
        value = statement.value
        if value is None:
            if statement.source not in marks:
                return False
            value = marks[statement.source] & statement.source_mask
        new = ((marks[key] & ~statement.mask) ^ value) & 0xFFFFFFFF
        if new == marks[key]:
            return True
        if key == "mark":
            self.packet = replace(self.packet, mark=new)
        elif conn is not None:
            conn.mark = new
        self.notes.append(f"{key} is set to {new:#x}")
        return True


def _matters(rule: FirewallRule, at: int) -> bool:
    """Whether anything that a rule would do, were it to match, changes the packet's fate."""
    return any(not isinstance(one, Test | Opaque) for one in rule.statements[at:]) or any(
        isinstance(one, Test) and one.verdicts for one in rule.statements[at:]
    )


def _port(ports: Sequence[int], otherwise: int) -> int:
    return ports[0] if len(ports) == 1 else 0 if ports else otherwise


def _fits(known: Known, mask: int, cell: Cell, *, bits: bool) -> bool | None:
    """Whether what is known of a key is what a cell says; None if that cannot be told."""
    if known is None:
        return None
    if isinstance(known, Absent):
        return False
    if isinstance(known, str) or isinstance(cell, str):
        if not isinstance(known, str) or not isinstance(cell, str):
            return None
        return known.startswith(cell[:-1]) if cell.endswith("*") else known == cell
    low, high = cell
    if isinstance(known, tuple):
        if mask != -1 or bits:
            return None
        if low <= known[0] and known[1] <= high:
            return True
        return False if known[1] < low or high < known[0] else None
    number = known if mask == -1 else known & mask
    return bool(number & low) if bits else low <= number <= high
