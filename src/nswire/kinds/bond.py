"""Bonds and teams: several links that act as one. batadv: a mesh's; hsr: a ring's two."""

from nswire.kinds.fields import S32, U8, U16, U32, Field, indexes, mac, nested, switch, words
from nswire.kinds.kind import Kind
from nswire.model.values import LinkFact

MODES = "balance-rr active-backup balance-xor broadcast 802.3ad balance-tlb balance-alb".split()
HASHES = "layer2 layer3+4 layer2+3 encap2+3 encap3+4 vlan+srcmac".split()
LACP = {
    1: Field("aggregator", U16),
    2: Field("num_ports", U16),
    3: Field("actor_key", U16),
    4: Field("partner_key", U16),
    5: Field("partner_mac", mac),
}  # IFLA_BOND_AD_INFO: of mode 802.3ad, once an aggregator is chosen; only root is told
BOND = {
    1: Field("mode", words(U8, dict(enumerate(MODES)))),
    2: Field("active_slave", U32, link=True),
    3: Field("miimon", U32),
    11: Field("primary", U32, link=True),
    14: Field("xmit_hash_policy", words(U8, dict(enumerate(HASHES)))),
    21: Field("ad_lacp_rate", words(U8, {0: "slow", 1: "fast"})),
    23: Field("ad_info", nested(LACP)),
    32: Field("coupled_control", switch, usual=True),
    33: Field("broadcast_neighbor", switch, usual=False),
    34: Field("lacp_strict", switch, usual=False),
}
CHURN = words(U8, {0: "monitoring", 1: "churned", 2: "none"})
PORT = {
    1: Field("state", words(U8, {0: "ACTIVE", 1: "BACKUP"})),
    2: Field("mii_status", words(U8, {0: "UP", 1: "GOING_DOWN", 2: "DOWN", 3: "GOING_BACK"})),
    3: Field("link_failure_count", U32),
    4: Field("perm_hwaddr", mac),
    6: Field("ad_aggregator_id", U16),
    7: Field("ad_actor_oper_port_state", U8),
    8: Field("ad_partner_oper_port_state", U16),
    9: Field("prio", S32, usual=0),
    10: Field("actor_port_prio", U16, usual=255),
    11: Field("ad_churn_actor_state", CHURN, usual="none"),
    12: Field("ad_churn_partner_state", CHURN, usual="none"),
}
HSR_SLAVES = 1, 2, 8  # the last is the interlink of a RedBox (Linux 6.10)
HSR = {
    1: Field("slave1", U32, link=True),
    2: Field("slave2", U32, link=True),
    6: Field("version", U8),
    7: Field("proto", U8),
    8: Field("interlink", U32, link=True),
}


def _slaves(fact: LinkFact) -> tuple[int, ...]:
    """Its slaves: older kernels do not make them ports of the ring."""
    return indexes(fact.data, *HSR_SLAVES)


KINDS = (
    Kind(
        "bond",
        fields=BOND,
        brief={"mode": None},
        port_fields=PORT,
        passing_state="ACTIVE",
        switch=True,
        aggregate=True,
    ),
    Kind("team", switch=True, aggregate=True),
    Kind("batadv", switch=True, aggregate=True),
    Kind("hsr", "lower", _slaves, fields=HSR, aggregate=True),
)
