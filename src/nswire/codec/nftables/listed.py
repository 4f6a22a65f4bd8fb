"""`nft list ruleset`, the text: what the JSON of some versions leaves out (nft 1.0.6: devices of chains, flags of tables)."""

from __future__ import annotations

import re
from typing import NamedTuple

TABLE = re.compile(r"^table (\S+) (\S+) \{")
CHAIN = re.compile(r"^\tchain (\S+) \{")
DORMANT = re.compile(r"^\tflags .*\bdormant\b")
HOOK = re.compile(r"^\t\ttype \S+ hook (?:ingress|egress) (?:device (\S+) |devices = \{ ([^}]*) \} )")


class Listed(NamedTuple):
    """Tables that are switched off, by family and name; the devices of chains, by family, table and name."""

    dormant: frozenset[tuple[str, str]]
    devices: dict[tuple[str, str, str], tuple[str, ...]]


def decode(answer: bytes) -> Listed:
    """What the text says. Whatever is no such text says nothing."""
    dormant, devices = set(), {}
    table, chain = ("", ""), ""
    for line in answer.decode("utf-8", "replace").split("\n"):
        if found := TABLE.match(line):
            table, chain = (found[1], found[2]), ""
        elif found := CHAIN.match(line):
            chain = found[1]
        elif DORMANT.match(line):
            dormant.add(table)
        elif chain and (found := HOOK.match(line)):
            names = found[1] or found[2]
            devices[*table, chain] = tuple(one.strip().strip('"') for one in names.split(","))
    return Listed(frozenset(dormant), devices)
