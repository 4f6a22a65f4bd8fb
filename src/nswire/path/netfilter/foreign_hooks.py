"""What netfilter calls besides the chains of a ruleset: BPF programs (Linux 6.4), IPVS, modules of others. What they do is not followed.

net/netfilter/nf_bpf_link.c, nfnetlink_hook.c. Netfilter's own parts, and those that the ruleset or legacy tables have, are known by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.model.reasons import Reason

if TYPE_CHECKING:
    from nswire.model.reasons import Cause
    from nswire.model.tables import Hook
    from nswire.model.values import NsKey
    from nswire.path.context import PathContext

PROGRAM = Reason(
    "netfilter.bpf", "a BPF program decides here ({hook}, priority {priority}: id {program})", unknown=True
)
PROGRAM_SOMEWHERE = Reason(
    "netfilter.bpf_somewhere",
    "a BPF program may decide here ({hook}, priority {priority}: id {program}): in which namespace it is the kernel does not tell",
    unknown=True,
)
FOREIGN = Reason(
    "netfilter.foreign_hook",
    "{function} decides here ({hook}, priority {priority}), which no ruleset explains",
    unknown=True,
)

OWN = (
    # connection tracking, defragmentation, NAT, br_netfilter, SYN proxies: path.netfilter knows what they do
    "nf_", "ipv4_conntrack", "ipv6_conntrack", "ipv4_confirm", "ipv6_confirm", "ipv6_defrag", "ipv4_synproxy", "ipv6_synproxy",
    "br_nf_", "ip_sabotage_in", "nft_", "inet_nf", "ct_bridge", "nfqnl_", "synproxy",
    # tables of iptables, ip6tables, arptables and ebtables
    "ipt", "ip6t", "arpt", "ebt", "iptable_", "ip6table_",
    # security modules, which label and do not filter unless that was set up
    "selinux_", "smack_", "apparmor_",
)  # fmt: skip
MODULES = ("nf_", "nft_", "ipt", "ip6t", "arpt", "ebt", "xt_", "br_netfilter", "nfnetlink")


def decides(walk: PathContext, ns: NsKey, family: str, hook: str) -> Cause | None:
    """Why it is not known what becomes of a packet at a hook; None: nothing strange is called there."""
    for one in walk.lookups.hooks(ns, family):
        if one.hook != hook or own(one):
            continue
        told: dict[str, str | int] = {"hook": hook, "priority": one.priority}
        if not one.program:
            return FOREIGN(function=one.function, **told)
        number = str(one.program) if one.program > 0 else "?"
        return (PROGRAM_SOMEWHERE if one.somewhere else PROGRAM)(program=number, **told)
    return None


def own(hook: Hook) -> bool:
    """Whether it is one of netfilter's own; a function without a name is nobody's."""
    if hook.program:
        return False
    return not hook.function or hook.function.startswith(OWN) or hook.module.strip("[]").startswith(MODULES)
