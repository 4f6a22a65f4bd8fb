"""The rules, in the order in which those of one severity are told. A new one is a file in this room and a row here."""

from nswire.check.rule import Rule
from nswire.check.rules import (
    bridge_loop,
    dad_failed,
    duplicate_ip,
    duplicate_mac,
    forwarding_off,
    gateway_dead,
    half_up,
    ip_on_port,
    leaked_netns,
    mtu_overlay,
    mtu_segment,
    mtu_wire,
    no_pvid,
    orphan_wire,
    port_not_forwarding,
    pvid1_leak,
    pvid_mismatch,
    rule_gap,
    vlan_not_on_uplink,
)

__all__ = ["TABLE", "Rule", "named"]

TABLE: tuple[Rule, ...] = (
    mtu_wire.RULE,
    mtu_segment.RULE,
    mtu_overlay.RULE,
    bridge_loop.RULE,
    duplicate_mac.RULE,
    duplicate_ip.RULE,
    dad_failed.RULE,
    rule_gap.RULE,
    forwarding_off.RULE,
    gateway_dead.RULE,
    half_up.RULE,
    port_not_forwarding.RULE,
    no_pvid.RULE,
    vlan_not_on_uplink.RULE,
    pvid_mismatch.RULE,
    pvid1_leak.RULE,
    ip_on_port.RULE,
    leaked_netns.RULE,
    orphan_wire.RULE,
)
_BY_ID = {rule.id: rule for rule in TABLE}


def named(name: str) -> Rule | None:
    """The rule of that id; None: there is none."""
    return _BY_ID.get(name)
