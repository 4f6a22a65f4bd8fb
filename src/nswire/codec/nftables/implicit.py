"""An implicit chain (`tcp dport 80 jump { ... }`), which nft's JSON has as text alone: that text, as JSON would have it.

Of nft's language only what such rules mostly are made of is read; a rule with anything else ends in what is not followed.
"""

from __future__ import annotations

import re
from typing import Any

Json = Any
WORD = re.compile(r'"[^"]*"|\{|\}|[^\s{}]+')
HEADERS = ("ip", "ip6", "tcp", "udp", "th", "icmp", "icmpv6", "ether", "sctp", "vlan", "arp")
LINKS = ("iifname", "oifname", "iif", "oif", "iifgroup", "oifgroup")
OPERATORS = ("==", "!=", "<", ">", "<=", ">=")
VERDICTS = ("accept", "drop", "return", "continue")
FLAGS = (("ct", "state"), ("ct", "status"), ("tcp", "flags"))
RANGE = re.compile(r"([0-9][0-9.]*|[0-9a-f]*:[0-9a-f:.]*)-([0-9][0-9.]*|[0-9a-f]*:[0-9a-f:.]*)")
PREFIX = re.compile(r"([0-9a-f:.]+)/([0-9]+)")


def rules(text: str) -> tuple[str, list[list[Json]]]:
    """`jump` or `goto`, and the rules of the block, each as statements of JSON. ValueError: it is no such block."""
    kind, brace, *lines = (
        line.strip() for line in text.replace("{", "{\n", 1).replace(" {", "\n{", 1).split("\n")
    )
    if kind not in ("jump", "goto") or brace != "{" or not lines or lines[-1] != "}":
        raise ValueError("no block of rules")
    body = [line for line in lines[:-1] if line]
    if any("{" in line and "}" not in line for line in body):
        raise ValueError("a block in a block")
    return kind, [_rule(line) for line in body]


def _rule(line: str) -> list[Json]:
    words = WORD.findall(line.partition(" # handle ")[0])
    found: list[Json] = []
    while words:
        try:
            found += _statement(words)
        except (ValueError, IndexError):
            return [*found, " ".join(words) or line]
    return found


def _statement(words: list[str]) -> list[Json]:
    """The next statement, taken off the words."""
    first = words[0]
    if first in VERDICTS:
        return [{words.pop(0): None}]
    if first in ("jump", "goto") and len(words) == 2 and words[1] not in "{}":
        kind, target = words.pop(0), words.pop(0)
        return [{kind: {"target": target}}]
    if first == "reject" or (first == "comment" and len(words) == 2):
        words.clear()
        return [{"reject": None}] if first == "reject" else []
    if first == "counter":
        del words[: 5 if words[1:2] == ["packets"] else 1]
        return []
    return [_match(words)]


def _match(words: list[str]) -> Json:
    at, left = _key(words)
    op = words[at] if words[at] in OPERATORS else ""
    at += bool(op)
    values, at = _values(words, at)
    flags = tuple(words[:2]) in FLAGS
    if len(values) == 1 and not isinstance(values[0], list):
        right = values[0]
        op = op or ("in" if flags else "==")
    elif len(values) == 1:
        right, op = values[0], op or "in"
    else:
        right, op = {"set": values}, op or "=="
    if at < len(words) and words[at] in ("/", "vmap", "map", "."):
        raise ValueError(words[at])
    del words[:at]
    return {"match": {"op": op, "left": left, "right": right}}


def _key(words: list[str]) -> tuple[int, Json]:
    """How many words the key has, and what it is."""
    if words[0] in LINKS:
        return 1, {"meta": {"key": words[0]}}
    if words[0] in ("meta", "ct"):
        return 2, {words[0]: {"key": words[1]}}
    if words[0] == "mark":
        return 1, {"meta": {"key": "mark"}}
    if words[0] in HEADERS:
        return 2, {"payload": {"protocol": words[0], "field": words[1]}}
    raise ValueError(words[0])


def _values(words: list[str], at: int) -> tuple[list[Json], int]:
    if words[at] != "{":
        if words[at].endswith(","):
            raise ValueError(words[at])
        return [_value(words[at])], at + 1
    end = words.index("}", at)
    return [_value(one.removesuffix(",")) for one in words[at + 1 : end]], end + 1


def _value(word: str) -> Json:
    if word.startswith('"'):
        return word.strip('"')
    if found := RANGE.fullmatch(word):
        return {"range": [found[1], found[2]]}
    if found := PREFIX.fullmatch(word):
        return {"prefix": {"addr": found[1], "len": int(found[2])}}
    return word.split(",") if "," in word else word
