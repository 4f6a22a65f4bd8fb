"""What netfilter calls besides chains: by the names that a kernel with everything loaded has (7.3), which of them are strange."""

from __future__ import annotations

import pytest

from nswire.model.tables import Hook
from nswire.path.netfilter.foreign_hooks import own

OWN = (
    """
ip_sabotage_in br_netfilter|ipv4_conntrack_defrag nf_defrag_ipv4|ipt_do_table ip_tables|ipv4_conntrack_in nf_conntrack
iptable_mangle_hook iptable_mangle|ipv4_synproxy_hook nf_synproxy_core|nf_confirm nf_conntrack|ipv4_conntrack_local nf_conntrack
apparmor_ip_postroute|selinux_ip_forward|ipv6_defrag nf_defrag_ipv6|ip6t_do_table ip6_tables|ip6table_mangle_hook ip6table_mangle
nf_ct_bridge_pre nf_conntrack_bridge|br_nf_pre_routing br_netfilter|br_nf_forward br_netfilter|nf_nat_ipv4_out nf_nat|ebt_do_table
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


@pytest.mark.parametrize("name", OWN)
def test_netfilter_s_own(name: str) -> None:
    """They say nothing new, so that a path is not unknown for them."""
    function, _, module = name.partition(" ")
    assert own(Hook("input", 0, function, module))


@pytest.mark.parametrize(
    "hook",
    [
        Hook("input", -99, "ip_vs_in_hook", "ip_vs"),
        Hook("prerouting", 0, "somebody_s", "rootkit"),
        Hook("prerouting", 0, program=7),
        Hook("prerouting", 0, "nf_bpf_link", program=-1),
    ],
)
def test_others(hook: Hook) -> None:
    assert not own(hook)
