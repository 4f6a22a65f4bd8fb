"""The grammar of nft(8), second half: what rules do. An effect is put behind matches that take the packet; most change its fate."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from rulesets_changes import ct_mark, elsewhere, helped, mark, metered, rewritten, untracked, zone
from rulesets_nft import FIELDS, Field, match, others, shown
from rulesets_packets import TCP

if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesets_courses import Aim
    from rulesets_script import Chain, Made, Script


# -- verdicts ----------------------------------------------------------------------------------------------------


def drop(_: Script, __: Aim, ___: Chain) -> Made:
    return "drop", ("drop",)


def reject(script: Script, aim: Aim, chain: Chain) -> Made | None:
    if (
        aim.spot.layer == "netdev"
        or aim.spot.hook == "postrouting"
        or (aim.spot.layer == "bridge" and aim.spot.hook not in ("prerouting", "input"))
    ):
        return None
    words = ["reject", "reject with icmpx type admin-prohibited", "reject with icmpx type no-route"]
    if chain.family != "inet" or script.rng.random() < 0.5:
        words += (
            ["reject with icmpv6 type no-route", "reject with icmpv6 admin-prohibited"]
            if aim.six
            else ["reject with icmp type host-unreachable", "reject with icmp prot-unreachable"]
        )
    if aim.proto == TCP:
        words.append("reject with tcp reset")
    word = script.rng.choice(words)
    return word, (f"reject {word.removeprefix('reject with ').split()[0]}" if " " in word else "reject",)


def accepted(script: Script, _: Aim, chain: Chain) -> Made:
    """In front of a rule that drops all."""
    script.later.append((chain, (script.rng.choice(("drop", "counter drop")),), ()))
    return "accept", ("accept",)


def returned(script: Script, aim: Aim, chain: Chain) -> Made:
    return script.rng.choice((_jumped_back, _returned_base))(script, aim, chain)


def _returned_base(script: Script, _: Aim, chain: Chain) -> Made:
    script.later.append((chain, ("drop",), ()))
    return "return", ("return",)


def _jumped_back(script: Script, aim: Aim, chain: Chain) -> Made:
    """`goto` a chain that ends: what is behind the goto is never met."""
    other = script.chain(aim.spot.node, chain.family, chain.table)
    script.rule(aim.spot.node, other, "counter")
    script.later.append((chain, ("drop",), ()))
    return f"goto {other.name}", ("goto",)


def jump(script: Script, aim: Aim, chain: Chain) -> Made:
    word = script.rng.choice(("jump", "goto"))
    other = script.chain(aim.spot.node, chain.family, chain.table)
    if script.rng.random() < 0.3:
        inner = script.chain(aim.spot.node, chain.family, chain.table)
        script.rule(aim.spot.node, inner, script.rng.choice(("return", "drop")))
        script.rule(aim.spot.node, other, f"jump {inner.name}")
    found = _any(script, aim)
    script.rule(aim.spot.node, other, *(found[0] if script.rng.random() < 0.5 else ()), "drop")
    return f"{word} {other.name}", (word,)


def implicit(script: Script, _: Aim, __: Chain) -> Made:
    return script.rng.choice(("jump", "goto")) + " { counter; drop; }", ("implicit chain",)


def continued(script: Script, _: Aim, chain: Chain) -> Made:
    script.later.append((chain, ("drop",), ()))
    return 'accept comment "x"', ("comment", "accept")


def verdict_map(script: Script, aim: Aim, chain: Chain) -> Made | None:
    """A verdict map, anonymous or named, of one field or several."""
    fields = [
        one
        for one in FIELDS
        if one.value(aim) not in (None, "-")
        and one.sort in ("address", "port", "word", "name", "mark", "number")
        and not one.name.startswith(("@", "fib", "numgen", "exthdr"))
    ]
    if not fields:
        return None
    count = script.rng.choice((1, 1, 2, 2, 3))
    chosen = script.rng.sample(fields, min(count, len(fields)))
    key = " . ".join(_bare(one) for one in chosen)
    value = " . ".join(shown(one, one.value(aim)) for one in chosen)
    other = " . ".join(others(one, aim, script.rng) for one in chosen)
    forms = tuple(f"match {one.name}" for one in chosen) + (("concatenation",) if len(chosen) > 1 else ())
    verdict = script.rng.choice(("drop", "drop", "jump", "goto"))
    if verdict != "drop":
        target = script.chain(aim.spot.node, chain.family, chain.table)
        script.rule(aim.spot.node, target, "drop")
        verdict = f"{verdict} {target.name}"
    rows = [f"{value} : {verdict}", f"{other} : accept"]
    if script.rng.random() < 0.25:
        if script.rng.random() < 0.5:
            rows = [f"{other} : accept", f"* : {verdict}"]
        else:
            rows.append("* : continue")
        forms += ("catch-all",)
    if script.rng.random() < 0.5:
        return f"{key} vmap {{ {', '.join(rows)} }}", (*forms, "verdict map")
    name = script.name("m")
    script.add(
        aim.spot.node, "nft", f"add map {chain.family} {chain.table} {name} {{ typeof {key} : verdict; }}"
    )
    for row in rows:
        script.add(aim.spot.node, "nft", f"add element {chain.family} {chain.table} {name} {{ {row} }}")
    return f"{key} vmap @{name}", (*forms, "named verdict map")


def _bare(field: Field) -> str:
    return (
        field.name.removeprefix("meta ")
        if field.name in ("meta iifname", "meta oifname", "meta mark")
        else field.name
    )


# -- sets --------------------------------------------------------------------------------------------------------


def in_set(script: Script, aim: Aim, chain: Chain) -> Made | None:
    """A lookup in a named set, then drop."""
    fields = [
        one
        for one in FIELDS
        if one.value(aim) not in (None, "-")
        and one.sort in ("address", "port", "name", "mark")
        and not one.name.startswith(("@", "fib", "socket", "rt", "ct o", "ct r"))
    ]
    if not fields:
        return None
    chosen = script.rng.sample(fields, min(script.rng.choice((1, 1, 1, 2, 3)), len(fields)))
    key = " . ".join(_bare(one) for one in chosen)
    value = [shown(one, one.value(aim)) for one in chosen]
    other = [others(one, aim, script.rng) for one in chosen]
    flags = script.rng.choice(
        (
            "",
            "",
            "flags interval;",
            "flags timeout;",
            "flags constant;",
            "flags dynamic; size 128;",
            "flags interval; auto-merge;",
            "flags interval, timeout;",
        )
    )
    if "interval" in flags:
        value = [_interval(one, str(one.value(aim)), script) for one in chosen]
    name = script.name("s")
    elements = [" . ".join(value), " . ".join(other)]
    if "timeout" in flags:
        elements[0] += script.rng.choice((" timeout 1h", " timeout 1h expires 50m", ""))
    if script.rng.random() < 0.3:
        elements[0] += ' comment "mine"'
    body = f"typeof {key}; {flags} elements = {{ {', '.join(elements)} }}"
    script.add(aim.spot.node, "nft", f"add set {chain.family} {chain.table} {name} {{ {body}; }}")
    forms = (
        tuple(f"match {one.name}" for one in chosen)
        + (f"set {flags}".strip().rstrip(";"),)
        + (("concatenation",) if len(chosen) > 1 else ())
    )
    negated = script.rng.random() < 0.2
    if negated:
        script.lines[-1] = script.lines[-1]._replace(
            clauses=(script.lines[-1].clauses[0].replace(f"{elements[0]}, ", ""),)
        )
    return f"{key} {'!= ' if negated else ''}@{name} drop", (*forms, "drop")


def _interval(field: Field, value: str, script: Script) -> str:
    if field.sort == "address":
        six = ":" in value
        return (
            f"{value}/{script.rng.choice((128, 127) if six else (32, 31, 24))}"
            if script.rng.random() < 0.3
            else _network(value, script)
        )
    if field.sort in ("port", "mark"):
        number = int(value, 0)
        return f"{max(0, number - 2)}-{number + 3}"
    return f'"{value}"'


def _network(value: str, script: Script) -> str:
    length = script.rng.choice((48, 64, 120)) if ":" in value else script.rng.choice((8, 16, 24, 30))
    return str(ipaddress.ip_network(f"{value}/{length}", strict=False))


def filled(script: Script, aim: Aim, chain: Chain) -> Made | None:
    """A set that the packet itself fills, and a rule that looks there."""
    if aim.spot.layer not in ("ip", "bridge", "netdev"):
        return None
    key = script.rng.choice(("ip6 saddr", "ip6 daddr") if aim.six else ("ip saddr", "ip daddr"))
    if aim.ported and script.rng.random() < 0.3:
        key += " . th dport"
    name = script.name("s")
    size = script.rng.choice(("size 128;", "size 65535;", "size 1;"))
    script.add(
        aim.spot.node,
        "nft",
        f"add set {chain.family} {chain.table} {name} {{ typeof {key}; {size} flags dynamic{script.rng.choice(('', ',timeout; timeout 1m'))}; }}",
    )
    script.later.append((chain, (f"{key} @{name}", "drop"), ()))
    verb = script.rng.choice(("add", "update"))
    return f"{verb} @{name} {{ {key} }}", (f"{verb} @set", "dynamic set")


def filled_then(script: Script, aim: Aim, chain: Chain) -> Made | None:
    """The same statement with a verdict behind it, or a meter in it."""
    key = script.rng.choice(("ip6 saddr", "ip6 daddr") if aim.six else ("ip saddr", "ip daddr"))
    name = script.name("s")
    script.add(
        aim.spot.node,
        "nft",
        f"add set {chain.family} {chain.table} {name} {{ typeof {key}; size 128; flags dynamic; }}",
    )
    inner = script.rng.choice(
        (
            "",
            " limit rate over 1/hour burst 1 packets",
            " limit rate 10/second",
            " quota over 1 bytes",
            " counter",
            " ct count over 0",
        )
    )
    return f"{script.rng.choice(('add', 'update'))} @{name} {{ {key}{inner} }} drop", (
        "dynamic set",
        f"element {inner.split()[0] if inner else 'alone'}",
    )


def deleted(script: Script, aim: Aim, chain: Chain) -> Made | None:
    """An element that the packet deletes."""
    key = "ip6 saddr" if aim.six else "ip saddr"
    name = script.name("s")
    script.add(
        aim.spot.node,
        "nft",
        f"add set {chain.family} {chain.table} {name} {{ typeof {key}; size 128; flags dynamic; elements = {{ {aim.src} }}; }}",
    )
    script.later.append((chain, (f"{key} @{name}", "drop"), ()))
    return f"delete @{name} {{ {key} }}", ("delete @set",)


EFFECTS: tuple[tuple[Callable[[Script, Aim, Chain], Made | None], int], ...] = (
    (drop, 14),
    (reject, 5),
    (accepted, 6),
    (returned, 3),
    (jump, 5),
    (implicit, 1),
    (continued, 2),
    (verdict_map, 7),
    (in_set, 7),
    (filled, 3),
    (filled_then, 2),
    (deleted, 1),
    (mark, 7),
    (ct_mark, 4),
    (rewritten, 8),
    (untracked, 3),
    (zone, 2),
    (helped, 2),
    (metered, 5),
    (elsewhere, 2),
)


def _any(script: Script, aim: Aim) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """One or more matches that take the packet, with their forms."""
    for field in script.rng.sample(FIELDS, 12):
        made = match(field, aim, script.rng)
        if made is not None:
            return (made[0],), made[1]
    return (), ()
