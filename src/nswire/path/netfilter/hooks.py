"""Netfilter: what the chains of a hook do with a packet, in the kernel's order, connection tracking and NAT included.

include/uapi/linux/netfilter_ipv4.h (priorities), net/netfilter/core.c (nf_hook_entries_grow), nf_nat_core.c
(nf_nat_inet_fn), nf_conntrack_core.c. What cannot be decided is walked both ways; see `choices`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire.model.firewall import Assign, Change, Nat, Untracked
from nswire.model.reasons import Reason
from nswire.path import conntrack
from nswire.path.netfilter.hook_point import Place
from nswire.path.netfilter.rules import Run
from nswire.path.values import Mend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nswire.model.firewall import Chain, Firewall
    from nswire.model.reasons import Cause
    from nswire.model.values import NsKey
    from nswire.path.context import PathContext
    from nswire.path.netfilter.rules import Stop
    from nswire.path.values import Packet

PASSES = Reason("netfilter.passes", "nothing stops it")
UNREAD = Reason("netfilter.unread", "a part of its firewall could not be read: {what}", unknown=True)
VERDICTS = {
    "drop": Reason("netfilter.drop", "{rule} drops it", "NETFILTER_DROP"),
    "reject": Reason("netfilter.reject", "{rule} rejects it", "NETFILTER_DROP"),
    "queue": Reason(
        "netfilter.elsewhere", "{rule}: what becomes of it there is decided elsewhere", unknown=True
    ),
    "unfollowed": Reason(
        "netfilter.unfollowed", "{rule}: what it does to the packet is not known", unknown=True
    ),
    "unmapped": Reason("netfilter.nat_target", "{rule}: where NAT sends it cannot be told", unknown=True),
    "depth": Reason(
        "netfilter.jump", "{rule}: the chain that it jumps to is not there, or too deep", unknown=True
    ),
}

BRNF = 0  # NF_BR_PRI_BRNF
CONNTRACK = -200  # NF_IP_PRI_CONNTRACK
NAT_PRIORITY = {"prerouting": -100, "output": -100, "postrouting": 100, "input": 100}
TO_DESTINATION = ("prerouting", "output")
IP = ("ip", "ip6")
DEVICE_HOOKS = ("ingress", "egress")


class Outcome(NamedTuple):
    """What the chains made of a packet: `accept`, `drop`, `reject` or `queue` (what becomes of it is not known), and why.

    `notes`: what was done to it on the way, as kind (`nat`, `netfilter`) and text. `rerouted`: the packet as it was when its way was looked up again,
    because a chain of type route or NAT changed what that looks at.
    """

    verdict: str
    packet: Packet
    reason: Cause = PASSES()
    notes: tuple[tuple[str, str], ...] = ()
    mend: Mend | None = None
    rerouted: Packet | None = None


class _Track(NamedTuple):
    """Where the kernel looks for the packet's connection."""


class _Translate(NamedTuple):
    """Where it runs the chains of type nat, all together."""

    chains: tuple[Chain, ...]


def traverse(walk: PathContext, ns: NsKey, place: Place, packet: Packet) -> Outcome:
    """Run a packet through all chains of a hook."""
    firewall = walk.lookups.firewall(ns)
    chains = [chain for chain in firewall.chains if chain.hook == place.hook and _applies(walk, chain, place)]
    run = Run(walk, ns, place, packet, firewall)
    if place.interrupted and any(chain.priority == BRNF for chain in chains) and _left_out(walk):
        chains = [chain for chain in chains if chain.priority != BRNF]
    rerouted = None
    for action in _in_order(walk, firewall, chains, place):
        before = run.packet
        if isinstance(action, _Track):
            run.packet = walk.conntrack.track(ns, run.packet)
            continue
        if isinstance(action, _Translate):
            stop = run.translate(action.chains, to_destination=place.hook in TO_DESTINATION)
        else:
            stop = run.base(action)
        if stop is not None:
            return Outcome(_fate(stop), run.packet, cause(stop), tuple(run.notes), _mend(stop, ns))
        if _routes_again(action, place, before, run.packet):
            rerouted = run.packet
    if place.hook in ("postrouting", "input") and place.family in IP and run.packet.conn is not None:
        # nf_conntrack_confirm: from now on nf_nat_setup_info leaves it alone
        run.packet.conn.sources = run.packet.conn.destinations = run.packet.conn.confirmed = True
    unread = next((one for one in firewall.unread if _concerns(place, one.families, one.hooks)), None)
    if unread is not None:
        return Outcome("queue", run.packet, UNREAD(what=unread.what))
    return Outcome("accept", run.packet, notes=tuple(run.notes), rerouted=rerouted)


def _routes_again(action: Chain | _Translate, place: Place, before: Packet, after: Packet) -> bool:
    """Whether the way is looked up again (nf_route_table_hook4 and 6, nf_nat_ipv4_local_fn)."""
    if place.hook != "output" or place.family not in IP:
        return False
    if isinstance(action, _Translate):
        return before.flow.dst != after.flow.dst
    if action.type != "route":
        return False
    hops = before.hops != after.hops and place.family == "ip6"
    looked_at = [(one.mark, one.tos, one.flow.src, one.flow.dst) for one in (before, after)]
    return hops or looked_at[0] != looked_at[1]


def _concerns(place: Place, families: Sequence[str], hooks: Sequence[str]) -> bool:
    family = place.family
    like = families and family not in families and not (family in IP and "inet" in families)
    return not like and (not hooks or place.hook in hooks)


def _left_out(walk: PathContext) -> bool:
    """Whether br_netfilter leaves out chains of its own priority, as kernels before 5.19 do (br_nf_hook_thresh)."""
    if walk.leaves_out is None:
        who = "the chains of family bridge and priority 0"
        walk.leaves_out = bool(
            walk.chooser.choose((f"br_netfilter runs {who}", f"br_netfilter leaves out {who}"))
        )
    return walk.leaves_out


def _applies(walk: PathContext, chain: Chain, place: Place) -> bool:
    if chain.hook in DEVICE_HOOKS:
        if chain.family not in (place.family, "inet"):
            return False
        name = place.iif or place.oif
        if chain.devices is not None:
            return any(
                name.startswith(one[:-1]) if one.endswith("*") else name == one for one in chain.devices
            )
        where = f"chain {chain.name} of {chain.tool} table {chain.family} {chain.table}"
        return bool(walk.chooser.choose((f"{where} is not for {name}", f"{where} is for {name}")))
    return chain.family == place.family or (chain.family == "inet" and place.family in IP)


def _in_order(
    walk: PathContext, firewall: Firewall, chains: list[Chain], place: Place
) -> list[Chain | _Track | _Translate]:
    """Chains by their priorities, the newest of each first; those of type nat where the kernel runs them together."""
    actions: list[tuple[int, int, Chain | _Track | _Translate]] = []
    tracked = conntrack.runs(firewall, place.family)
    plain = _by_registration(walk, [chain for chain in chains if chain.type != "nat"])
    actions += [(chain.priority, 1, chain) for chain in plain]
    if tracked and place.hook in (("prerouting",) if place.family == "bridge" else TO_DESTINATION):
        at = 0
        if any(chain.priority == CONNTRACK for chain in plain):
            who = f"chains of priority {CONNTRACK}"
            at = 2 * walk.chooser.choose(
                (f"connections are tracked before {who}", f"connections are tracked after {who}")
            )
        actions.append((CONNTRACK, at, _Track()))
    if tracked and place.family in IP and place.hook in NAT_PRIORITY and _translates(firewall, place.family):
        nat = sorted(
            _by_registration(walk, [chain for chain in chains if chain.type == "nat"]),
            key=lambda one: one.priority,
        )
        actions.append((NAT_PRIORITY[place.hook], 1, _Translate(tuple(nat))))
    return [action for *_, action in sorted(actions, key=lambda one: one[:2])]


def _translates(firewall: Firewall, family: str) -> bool:
    """Whether a family has any chain of type nat, so that the kernel has its own at all four hooks (nf_nat_register_fn)."""
    return any(
        chain.type == "nat" and chain.hook and chain.family in (family, "inet") for chain in firewall.chains
    )


def _by_registration(walk: PathContext, chains: list[Chain]) -> list[Chain]:
    """Chains as they run where priorities are equal: nft lists them as they were made, and here the newest is first.

    Whether a chain of the old iptables is newer than one of nft's nothing tells; it matters only where one of them changes
    something that the other may look at.
    """
    found = list(chains)
    for at, chain in enumerate(chains):
        for other in chains[at + 1 :]:
            if (
                chain.priority == other.priority
                and chain.legacy != other.legacy
                and (_changes(chain) or _changes(other))
            ):
                names = f"chain {chain.name} of {chain.tool}", f"chain {other.name} of {other.tool}"
                if walk.chooser.choose(
                    (f"{names[0]} runs before {names[1]}", f"{names[1]} runs before {names[0]}")
                ):
                    found.sort(key=lambda one: not one.legacy)
                return found
    return found


def _changes(chain: Chain) -> bool:
    """Whether any rule of a chain does more to packets than to stop them; those that it jumps to may."""
    return any(
        isinstance(one, Assign | Change | Nat | Untracked) or getattr(one, "kind", "") in ("jump", "goto")
        for rule in chain.rules
        for one in rule.statements
    )


def _fate(stop: Stop) -> str:
    return stop.verdict if stop.verdict in ("drop", "reject") else "queue"


def told(stop: Stop) -> str:
    """A rule or policy, and where it is."""
    chain = stop.chain
    what = "the policy" if stop.rule is None else f"the rule `{stop.rule.text}`"
    return f"{what} of {_tool(stop)} table {chain.family} {chain.table}, chain {chain.name}"


def _tool(stop: Stop) -> str:
    return (stop.rule.tool if stop.rule is not None else "") or stop.chain.tool


def cause(stop: Stop) -> Cause:
    """Why a packet goes no further there."""
    return VERDICTS[stop.verdict](rule=told(stop))


def _mend(stop: Stop, ns: NsKey) -> Mend:
    """How to see the chain, and what to change in it."""
    chain = stop.chain
    words = (
        ("nft", "-a", "list", "chain", chain.family, chain.table, chain.name)
        if _tool(stop) == "nft"
        else (_tool(stop).removesuffix("-save"), "-t", chain.table, "-nvL", chain.name, "--line-numbers")
    )
    return Mend(
        f"lists the chain: an accept rule {_before(stop)} would let such packets pass there", ns, words
    )


def _before(stop: Stop) -> str:
    """Where a rule would come before the one that decides: by nft's handle, or by the line of iptables' list."""
    rule, chain = stop.rule, stop.chain
    if rule is None:
        return "at its end"
    if _tool(stop) == "nft":
        return f"inserted before handle {rule.handle}" if rule.handle else "inserted before that one"
    at = next((number for number, one in enumerate(chain.rules, 1) if one is rule), 0)
    return f"inserted at line {at}" if at else "inserted before that one"
