"""The grammar of nft(8), third part: what rules change (marks, headers, connections), what they count, and where they send packets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesets_lab import LISTENED
from rulesets_nft import FIELDS, others, shown
from rulesets_packets import TCP, UDP

if TYPE_CHECKING:
    from rulesets_courses import Aim
    from rulesets_script import Chain, Made, Script


def _then_drop(
    script: Script, aim: Aim, *tests: str, forms: tuple[str, ...] = (), same: Chain | None = None
) -> None:
    """A rule after the subject, in its chain or at a hook further on, that drops what the subject has changed."""
    later = [one for one in script.after if one.layer == aim.spot.layer]
    if same is not None and (not later or script.rng.random() < 0.5):
        script.later.append((same, (*tests, "drop"), forms))
        return
    spot = script.rng.choice(later) if later else aim.spot
    if spot.node == aim.spot.node or not later:
        chain, more = script.base(
            spot,
            six=aim.six,
            priority=script.rng.choice(("0", "10", "srcnat", "200", "300")) if spot.layer == "ip" else "",
        )
        script.rule(spot.node, chain, *tests, "drop", forms=(*forms, *more))
    elif same is not None:
        script.later.append((same, (*tests, "drop"), forms))


# -- marks and headers -------------------------------------------------------------------------------------------


def _mark_value(script: Script, aim: Aim, chain: Chain) -> tuple[str, str, str] | None:
    """What a mark is set to: in nft's words, the number that comes out, the form."""
    number = script.rng.choice((7, 0x1F0, 5))
    field = next(
        (
            one
            for one in script.rng.sample(FIELDS, len(FIELDS))
            if one.sort in ("address", "port")
            and one.value(aim) not in (None, "-")
            and not one.name.startswith(("@", "rt", "ct"))
        ),
        None,
    )
    choices = [
        (f"{number:#x}", "constant"),
        (f"meta mark or {number:#x}", "or"),
        (f"meta mark and 0xffff0000 xor {number:#x}", "and xor"),
        (f"meta mark & 0xff00 | {number:#x}", "& |"),
        (f"ct mark or {number:#x}", "ct mark"),
    ]
    if field is not None:
        value = shown(field, field.value(aim))
        choices.append(
            (f"{field.name} map {{ {value} : {number:#x}, {others(field, aim, script.rng)} : 0x9 }}", "map")
        )
        name = script.name("m")
        script.add(
            aim.spot.node,
            "nft",
            f"add map {chain.family} {chain.table} {name} {{ typeof {field.name} : meta mark; elements = {{ {value} : {number:#x} }}; }}",
        )
        choices.append((f"{field.name} map @{name}", "named map"))
    text, form = script.rng.choice(choices)
    return text, f"{number:#x}", form


def mark(script: Script, aim: Aim, chain: Chain) -> Made | None:
    made = _mark_value(script, aim, chain)
    if made is None:
        return None
    text, number, form = made
    if not (
        aim.spot.hook in ("prerouting", "output")
        and aim.spot.layer == "ip"
        and number == "0x7"
        and script.rng.random() < 0.6
    ):
        test = script.rng.choice(
            (
                f"meta mark {number}",
                f"mark & 0x1ff == {number}",
                f"mark {{ {number}, 0x99 }}",
                "mark != { 0x0, 0x99 }",
            )
        )
        _then_drop(script, aim, test, forms=("match meta mark",), same=chain)
    return f"meta mark set {text}", ("meta mark set", f"value {form}")


def ct_mark(script: Script, aim: Aim, chain: Chain) -> Made:
    number = script.rng.choice(("0x5", "0x1f0"))
    back = [
        one
        for one in script.backs
        if one.node == aim.spot.node and one.layer == aim.spot.layer and one.layer == "ip"
    ]
    text = script.rng.choice((number, f"ct mark or {number}", f"ct mark and 0xff0000 or {number}"))
    if back and script.rng.random() < 0.5:
        other, more = script.base(script.rng.choice(back), six=aim.six, priority="0")
        script.rule(aim.spot.node, other, f"ct mark {number}", "drop", forms=("match ct mark", *more))
    elif script.rng.random() < 0.4:
        script.later.append((chain, ("meta mark set ct mark",), ()))
        script.later.append((chain, (f"meta mark {number}", "drop"), ()))
    else:
        _then_drop(script, aim, f"ct mark {number}", forms=("match ct mark",), same=chain)
    return f"ct mark set {text}", ("ct mark set",)


def rewritten(script: Script, aim: Aim, chain: Chain) -> Made | None:
    """A header that is written, and, where that does not decide by itself, a rule that looks at it."""
    rng = script.rng
    six = "ip6" if aim.six else "ip"
    choices = [
        (f"{six} {'hoplimit' if aim.six else 'ttl'} set {rng.choice((1, 7, 64))}", f"{six} {'hoplimit' if aim.six else 'ttl'} {rng.choice((1, 7))}", "hoplimit set" if aim.six else "ttl set"),
        (f"{six} dscp set {(d := rng.choice(('cs1', 'af11', 'ef', 'cs2')))}", f"{six} dscp {d}", "dscp set"),
        (f"{six} ecn set ect0", f"{six} ecn ect0", "ecn set"),
        (f"{six} saddr set {'fd00:7::1' if aim.six else '10.7.0.1'}", f"{six} saddr {'fd00:7::1' if aim.six else '10.7.0.1'}", "saddr set"),
        (f"{six} daddr set {'fd00:7::1' if aim.six else '10.7.0.1'}", f"{six} daddr {'fd00:7::1' if aim.six else '10.7.0.1'}", "daddr set"),
        (f"meta pkttype set {rng.choice(('other', 'host', 'broadcast'))}", "meta pkttype other", "pkttype set"),
        ("meta priority set 1:5", "meta priority 1:5", "priority set"),
    ]  # fmt: skip
    if aim.ported and aim.proto in (TCP, UDP):
        word = "tcp" if aim.proto == TCP else "udp"
        choices += [
            (
                f"{word} dport set {(p := rng.choice((*LISTENED, 81)))}",
                f"{word} dport {p}",
                f"{word} dport set",
            ),
            ("th sport set 99", "th sport 99", "th sport set"),
        ]
    if aim.proto == TCP:
        choices += [
            ("tcp option maxseg size set 1200", "tcp option maxseg size 1200", "maxseg set"),
            ("reset tcp option sack-perm", "tcp option sack-perm missing", "reset tcp option"),
            ("tcp option maxseg size set rt mtu", "tcp option maxseg exists", "maxseg set rt mtu"),
        ]
    if aim.spot.smac:
        choices += [
            ("ether daddr set 02:00:00:00:99:99", "ether daddr 02:00:00:00:99:99", "ether daddr set"),
            ("ether saddr set 02:00:00:00:99:98", "ether saddr 02:00:00:00:99:98", "ether saddr set"),
        ]
    if not aim.six:
        choices += [
            ("@nh,64,8 set 1", "ip ttl 1", "raw set"),
            ("@nh,128,32 set 0x0a070001", "ip daddr 10.7.0.1", "raw set"),
        ]
    text, test, form = rng.choice(choices)
    if rng.random() < 0.7:
        _then_drop(script, aim, test, same=chain)
    return text, (form,)


def untracked(script: Script, aim: Aim, _: Chain) -> Made | None:
    if aim.spot.hook not in ("prerouting", "output") or aim.spot.layer != "ip":
        return None
    test = script.rng.choice(
        ("ct state untracked", "ct state != { new, established }", "ct state & untracked == untracked")
    )
    _then_drop(script, aim, test, forms=("match ct state",))
    return "notrack", ("notrack",)


def zone(script: Script, aim: Aim, _: Chain) -> Made | None:
    if aim.spot.hook not in ("prerouting", "output") or aim.spot.layer != "ip":
        return None
    if script.rng.random() < 0.6:
        _then_drop(script, aim, "ct zone 5", forms=("match ct zone",))
    return script.rng.choice(("ct zone set 5", "ct original zone set 5", "ct zone set 5")), ("ct zone set",)


def helped(script: Script, aim: Aim, chain: Chain) -> Made | None:
    """What belongs to a connection and decides nothing, with a verdict."""
    if aim.spot.layer != "ip":
        return None
    rng = script.rng
    name = script.name("o")
    family = chain.family
    node = aim.spot.node
    l3 = "ip6" if aim.six else "ip"
    word = "tcp" if aim.proto == TCP else "udp"
    kinds = ["label", "event", "event"]
    if aim.ported:
        kinds += ["timeout", "expectation"] + (["helper"] if aim.proto == TCP else [])
    kind = rng.choice(kinds)
    if kind == "helper":
        script.add(
            node,
            "nft",
            f'add ct helper {family} {chain.table} {name} {{ type "ftp" protocol tcp; l3proto {l3}; }}',
        )
    elif kind == "timeout":
        script.add(
            node,
            "nft",
            f"add ct timeout {family} {chain.table} {name} {{ protocol {word}; l3proto {l3}; policy = {{ {'established : 100s' if word == 'tcp' else 'unreplied : 100s'} }}; }}",
        )
    elif kind == "expectation":
        script.add(
            node,
            "nft",
            f"add ct expectation {family} {chain.table} {name} {{ protocol {word}; dport 5432; timeout 1h; size 12; l3proto {l3}; }}",
        )
    text = {"label": "ct label set 1", "event": "ct event set new,destroy"}.get(
        kind, f'ct {kind} set "{name}"'
    )
    if rng.random() < 0.3 and kind == "label":
        _then_drop(script, aim, "ct label 1", same=chain)
        return text, ("ct label set",)
    return f"{text} drop", (f"ct {kind} set", "drop")


# -- what counts -------------------------------------------------------------------------------------------------


def metered(script: Script, aim: Aim, chain: Chain) -> Made:
    """Limits and quotas: on a fresh rule, it is known what they say."""
    rng = script.rng
    name = script.name("o")
    words = [
        ("limit rate 10/second", "limit"),
        ("limit rate 1/hour burst 3 packets", "limit"),
        ("limit rate 1024 kbytes/second", "limit bytes"),
        ("quota over 1 bytes", "quota over"),
        ("quota until 1 mbytes", "quota until"),
        ("limit rate over 1/hour burst 1 packets", "limit over"),
        ("limit rate over 1 bytes/second burst 1 bytes", "limit over bytes"),
    ]
    if aim.spot.layer == "ip":
        words += [("ct count over 0", "ct count over"), ("ct count 20", "ct count")]
    text, form = rng.choice(words)
    if rng.random() < 0.3:
        kind, body = rng.choice(
            (
                ("quota", "over 1 bytes"),
                ("limit", "rate 10/second"),
                ("limit", "rate over 1/hour burst 1 packets"),
                ("counter", ""),
                ("quota", "500 kbytes"),
            )
        )
        script.add(
            aim.spot.node,
            "nft",
            f"add {kind} {chain.family} {chain.table} {name}"
            + (f" {{ {body}; }}" if body and kind == "limit" else f" {{ {body} }}" if body else ""),
        )
        reference = f'{kind} name "{name}"'
        if rng.random() < 0.4 and not aim.six:
            reference = f'{kind} name ip saddr map {{ {aim.src} : "{name}" }}'
            return f"{reference} drop", (f"{kind} object by a map",)
        return f"{reference} drop", (f"{kind} object",)
    return f"{text} drop", (form, "drop")


HARMLESS = ("counter", "counter packets 5 bytes 500", 'log prefix "x: "', "log", "log level debug flags all", "log group 5", "meta nftrace set 1", "meta priority set 1:1", "last", "meta priority set none")  # fmt: skip


# -- elsewhere ---------------------------------------------------------------------------------------------------


def elsewhere(script: Script, aim: Aim, chain: Chain) -> Made | None:
    """Packets that are taken elsewhere, or doubled."""
    spot = aim.spot
    if spot.layer == "netdev" and chain.family == "netdev":
        link = {"r": "r1", "q": "q1", "s": "s1", "b": "b1", "a": "a1"}.get(spot.node)
        if link is None:
            return None
        words = [(f'dup to "{link}" drop', "dup"), (f'dup to "{link}"', "dup")] + (
            [(f'fwd to "{link}"', "fwd")] if spot.hook == "ingress" else []
        )
        text, form = script.rng.choice(words)
        return text, (form,)
    if spot.layer != "ip":
        return None
    words = []
    if spot.hook == "prerouting" and aim.ported:
        six = "ip6" if aim.six else "ip"
        target = (
            f"{six} to :{script.rng.choice((9999, 53))}"
            if chain.family == "inet"
            else f"to :{script.rng.choice((9999, 80))}"
        )
        words.append((f"meta l4proto {'tcp' if aim.proto == TCP else 'udp'} tproxy {target}", "tproxy"))
    if spot.hook in ("input", "forward") and aim.proto == TCP:
        words.append(("tcp flags syn synproxy mss 1460 wscale 7 timestamp sack-perm", "synproxy"))
    address = "fd00:7::9" if aim.six else "10.7.0.9"
    words.append((f"dup to {address} drop" if chain.family != "inet" else "", "dup"))
    words = [one for one in words if one[0]]
    if not words:
        return None
    text, form = script.rng.choice(words)
    return text, (form,)
