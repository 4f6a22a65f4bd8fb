"""Routing rules that no packet needs to get past, or that lead nowhere.

## Why it is bad

Routes are looked up by rules. Where no rule leads to the table `main`, nobody is reached although `ip route` shows the routes;
without one to `local`, the namespace does not even know its own addresses (`rule-gap.table`). A rule that leads to a table with no
route in it does nothing (`rule-gap.empty`): what was meant by it does not happen.

## When it is not

Where a table that is empty is filled when a link comes up, it is a note. Rules of VRFs (l3mdev) name no table. Rules for IPv6 are
looked at only where there are routes of IPv6.

## Example

    # ip rule
    0:      from all lookup local
    100:    from 10.0.0.0/8 lookup 100
    (no rule leads to main)

## Fix

`ip rule add priority 32766 lookup main`; `ip rule add priority 0 lookup local`. With systemd-networkd, which removes rules that it
did not make: `ManageForeignRoutingPolicyRules=no`.

## Source

net/core/fib_rules.c, fib_rules_lookup; systemd#41350; kubeskoop pkg/assertions/netstack.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.check.rule import Fact, Finding, Rule
from nswire.model.reasons import Reason
from nswire.model.routing import TABLES
from nswire.path.values import Mend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.network import Network
    from nswire.model.routing import Route
    from nswire.model.routing import Rule as RoutingRule
    from nswire.model.values import Namespace

TABLE = Reason(
    "rule-gap.table", "no rule of IPv{family} in {netns} leads to the table {table}, which has {count} routes"
)
EMPTY = Reason(
    "rule-gap.empty",
    "rule {priority} of IPv{family} in {netns} leads to the table {table}, which has no route",
)
NEEDED = ((255, "0"), (254, "32766"))
FAMILIES = {4: 2, 6: 10}  # AF_INET, AF_INET6


def find(network: Network) -> Iterator[Finding]:
    """The rules of each namespace, held against its tables."""
    for ns in network.spaces("rules", "routes"):
        routes = network.lookups.routes(ns.key)
        for family, number in FAMILIES.items():
            of_family = [route for route in routes if route.family == number]
            if of_family:
                yield from _gaps(network, ns, family, network.lookups.rules(ns.key, family), of_family)


def _gaps(
    network: Network, ns: Namespace, family: int, rules: tuple[RoutingRule, ...], routes: list[Route]
) -> Iterator[Finding]:
    filled = {route.table for route in routes}
    led = {rule.table for rule in rules}
    title, flag = network.title(ns.key), f"-{family}"
    for table, priority in NEEDED:
        if table in filled and table not in led:
            count = sum(route.table == table for route in routes)
            command = ("ip", flag, "rule", "add", "priority", priority, "lookup", TABLES[table])
            yield Finding(
                cause=TABLE(family=family, netns=title, table=TABLES[table], count=count),
                subjects=(ns.key,),
                facts=(
                    Fact(ns.key, f"rules of IPv{family}", len(rules)),
                    Fact(ns.key, "table", TABLES[table]),
                ),
                mend=Mend("would lead there", ns.key, command),
                severity="error",
            )
    for rule in rules:
        if rule.table and rule.table not in filled and rule.table not in TABLES and not rule.l3mdev:
            words = ("ip", flag, "rule", "del", "priority", str(rule.priority))
            yield Finding(
                cause=EMPTY(priority=rule.priority, family=family, netns=title, table=rule.table),
                subjects=(ns.key,),
                facts=(Fact(ns.key, "priority", rule.priority), Fact(ns.key, "table", rule.table)),
                mend=Mend("would take the rule away", ns.key, words),
                severity="note",
            )


RULE = Rule("rule-gap", "error", find, needs=("rules", "routes"))
