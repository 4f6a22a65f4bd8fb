"""What a link kind is, and what its IFLA_LINK means: one row a kind. Decide by IFLA_INFO_KIND, never by number.

A kind that is not in the table is shown by its name and makes no wire.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from nswire.kinds import bond, bridge, fields, ipvlan, macvlan, stacked, tun, tunnels, veth, vlan, vrf, vxlan
from nswire.kinds.kind import Kind
from nswire.model.values import IFF_LOOPBACK, said

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.model.values import LinkFact, Value

TABLE: tuple[Kind, ...] = (
    *veth.KINDS,
    *vlan.KINDS,
    *macvlan.KINDS,
    *ipvlan.KINDS,
    *stacked.KINDS,
    *vxlan.KINDS,
    *tunnels.KINDS,
    *bridge.KINDS,
    *bond.KINDS,
    *vrf.KINDS,
    *tun.KINDS,
)

_BY_NAME = {kind.name: kind for kind in TABLE}
_UNKNOWN = Kind("")


def of(kind: str) -> Kind:
    """The row of a kind; for one that is not in the table, a row that claims nothing."""
    return _BY_NAME.get(kind, _UNKNOWN)


PAIRS = frozenset(kind.name for kind in TABLE if kind.relation == "peer")
"""The kinds whose links come in pairs: asked of every link of a host, as is the next."""
STANDING = frozenset(kind.name for kind in TABLE if kind.relation not in (None, "peer"))
"""The kinds that stand on another link."""


def is_fallback(fact: LinkFact) -> bool:
    """True for the tunnel that the kernel itself puts into each namespace, as long as nobody uses it."""
    row = of(fact.kind)
    return bool(row.fallback) and fact.ifname == row.fallback and not fact.flags & 1


def is_single(fact: LinkFact) -> bool:
    """True for one of a kind that comes in pairs that was made alone (netkit, Linux 7.0): it has no other end at all."""
    return fact.kind in PAIRS and not fact.link and details(fact).get("pairing") == "single"


def is_shared_tunnel(fact: LinkFact) -> bool:
    """True for a flow-based tunnel (`external`): whoever sends a packet into it says where it goes."""
    return bool(details(fact).get("external"))


def details(fact: LinkFact, name_of: Callable[[int], str] = str) -> dict[str, Value]:
    """What a link says of itself (IFLA_INFO_DATA), by iproute2's names."""
    return fields.read(of(fact.kind).fields, fact.data, name_of)


def port_details(fact: LinkFact, name_of: Callable[[int], str] = str) -> dict[str, Value]:
    """What its master says of it as a port (IFLA_INFO_SLAVE_DATA), by iproute2's names."""
    if name_of is str:
        return dict(_port_details(fact.slave_kind, fact.slave_data))
    return fields.read(of(fact.slave_kind).port_fields, fact.slave_data, name_of)


def blocked(fact: LinkFact) -> str:
    """The state of a port, if it keeps frames from simply passing: `blocking`, `BACKUP`. Escape it like any text from outside."""
    state = str(port_details(fact).get("state", ""))
    return "" if state == of(fact.slave_kind).passing_state else state


@lru_cache(maxsize=4096)  # a path looks at each port of a bridge for each question that is asked there
def _port_details(kind: str, data: bytes) -> dict[str, Value]:
    return fields.read(of(kind).port_fields, data)


def brief(fact: LinkFact) -> str:
    """A kind with what matters most of it: `vlan id 100`, `bond 802.3ad`, `vxlan id 7 remote 192.0.2.9`; `NIC` for none.

    Escape it like any text from outside.
    """
    if not fact.kind and not fact.flags & IFF_LOOPBACK:
        return "NIC"
    known = details(fact)
    words = [fact.kind]
    for name, default in of(fact.kind).brief.items():
        value = known.get(name, default)
        if value is not None and value != default and not isinstance(value, dict):
            words += said([(name, value)])
    return " ".join(word.removeprefix("mode ").removeprefix("type ") for word in words)
