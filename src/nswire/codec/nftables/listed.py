"""`nft list ruleset`, the text: what the JSON of some versions leaves out (nft 1.0.6: devices of chains, flags of tables)."""

from __future__ import annotations

import re
from typing import NamedTuple

TABLE = re.compile(r"^table (\S+) (\S+) \{")
CHAIN = re.compile(r"^\tchain (\S+) \{")
DORMANT = re.compile(r"^\tflags .*\bdormant\b")
HOOK = re.compile(r"^\t\ttype \S+ hook (?:ingress|egress) (?:device (\S+) |devices = \{ ([^}]*) \} )")


TRACKING = re.compile(r"\b(?:ct |snat|dnat|masquerade|redirect|synproxy|flow add)")
"""What makes the kernel track connections (callers of nf_ct_netns_get)."""


class Listed(NamedTuple):
    """All tables by family and name, those that are switched off, those in which something makes the kernel track connections.

    The devices of chains are by family, table and name.
    """

    tables: tuple[tuple[str, str], ...]
    dormant: frozenset[tuple[str, str]]
    tracking: frozenset[tuple[str, str]]
    devices: dict[tuple[str, str, str], tuple[str, ...]]


def decode(answer: bytes) -> Listed:
    """What the text says. Whatever is no such text says nothing."""
    tables, dormant, tracking = [], set(), set()
    devices = {}
    table, chain = ("", ""), ""
    for line in answer.decode("utf-8", "replace").split("\n"):
        if found := TABLE.match(line):
            table, chain = (found[1], found[2]), ""
            tables.append(table)
        elif found := CHAIN.match(line):
            chain = found[1]
        elif DORMANT.match(line):
            dormant.add(table)
        elif chain and (found := HOOK.match(line)):
            names = found[1] or found[2]
            devices[*table, chain] = tuple(one.strip().strip('"') for one in names.split(","))
        if TRACKING.search(line):
            tracking.add(table)
    return Listed(tuple(tables), frozenset(dormant), frozenset(tracking), devices)
