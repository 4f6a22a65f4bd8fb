"""The targets of iptables and ip6tables: iptables-extensions(8), net/netfilter/xt_*.c.

Each does what it does to the packet, is in `undecided.HARMLESS`, or is `Unfollowed`: what comes after it is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec.xtables import made
from nswire.codec.xtables.ipsets import change
from nswire.codec.xtables.rows import Extension, spec
from nswire.codec.xtables.undecided import HARMLESS, HARMLESS_ARITY
from nswire.model.firewall import (
    Assign,
    Key,
    Nat,
    Operation,
    Target,
    Tproxy,
    Unfollowed,
    Untracked,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.codec.xtables.rows import Reader, Where
    from nswire.codec.xtables.words import Part
    from nswire.model.firewall import Expression, Statement

RANDOM = {"--random", "--random-fully"}
VERDICTS = {
    "ACCEPT": Verdict("accept"),
    "DROP": Verdict("drop"),
    "RETURN": Verdict("return"),
    "CONTINUE": Verdict("continue"),
}


def given(part: Part) -> dict[str, str]:
    """Its options and their words. ValueError if one is negated, as none of a target can be."""
    if any(one.negate for one in part.options):
        raise ValueError(part.text)
    return {one.name: " ".join(one.values) for one in part.options}


def _verdict(verdict: Verdict) -> Reader:
    return lambda _, __: [verdict]


def _nothing(_: Part, __: Where) -> Iterable[Statement]:
    return ()


def _offers(_: Part, __: Where) -> Iterable[Statement]:
    """Options and flags of TCP, which no route looks at, but other rules may."""
    yield Assign("tcp option", None)


def mixed(key: str, value: Expression, mask: int) -> Assign:
    """(old & ~mask) ^ value, as the kernel sets marks."""
    kept = ~mask & made.U32
    if not kept:
        return Assign(key, value)
    old: Expression = Key(key) if mask == 0 else Operation("&", Key(key), kept)
    return Assign(key, Operation("^", old, value))


# -- marks -------------------------------------------------------------------------------------------------------------

_SETTING: dict[
    str, tuple[bool, bool]
] = {  # whether bits of the value are cleared, too, and those of the mask
    "--set-xmark": (False, True),
    "--set-mark": (True, True),
}


def set_mark(key: str, options: dict[str, str]) -> Assign | None:
    """`--set-xmark 1/0xff` and its like; None if there is none of these."""
    for option, (both, _) in _SETTING.items():
        if option in options:
            value, mask = made.masked(options[option], full=made.U32)
            return mixed(key, value, mask | value if both else mask)
    if "--or-mark" in options:
        return mixed(key, bits := made.number(options["--or-mark"]), bits)
    if "--and-mark" in options:
        return mixed(key, 0, ~made.number(options["--and-mark"]) & made.U32)
    if "--xor-mark" in options:
        return mixed(key, made.number(options["--xor-mark"]), 0)
    return None


def _mark(part: Part, _: Where) -> Iterable[Statement]:
    found = set_mark("mark", given(part))
    if found is None:
        raise ValueError(part.text)
    yield found


def _connmark(part: Part, _: Where) -> Iterable[Statement]:
    """connmark_tg_shift: what is set is shifted as a whole; what is saved or restored, before it is mixed in."""
    options = given(part)
    shifts = [
        (sign, made.number(options[name]))
        for name, sign in (("--left-shift-mark", "<<"), ("--right-shift-mark", ">>"))
        if name in options
    ]
    found = set_mark("ct mark", options)
    if found is not None:
        value = found.value
        for sign, count in shifts:
            value = Operation(sign, value, count)  # type: ignore[arg-type]
        yield Assign(found.key, value)
        return
    both = options.get("--mask", hex(made.U32))
    masks = {
        "mark": made.number(options.get("--nfmask", both)),
        "ct mark": made.number(options.get("--ctmask", both)),
    }
    for option, target, source in (
        ("--save-mark", "ct mark", "mark"),
        ("--restore-mark", "mark", "ct mark"),
    ):
        if option in options:
            whole = masks[source] == made.U32
            value = Key(source) if whole else Operation("&", Key(source), masks[source])
            for sign, count in shifts:
                value = Operation(sign, value, count)  # type: ignore[arg-type]
            yield mixed(target, value, masks[target])
            return
    raise ValueError(part.text)


def _hash_mark(part: Part, _: Where) -> Iterable[Statement]:
    """xt_HMARK.c: a hash of the packet; with a modulus of 1 it is the offset."""
    options = given(part)
    if made.number(options["--hmark-mod"]) == 1:
        yield Assign("mark", made.number(options.get("--hmark-offset", "0")))
    else:
        yield Assign("mark", None)


# -- the header --------------------------------------------------------------------------------------------------------


def _hops(option: str, key: str) -> Reader:
    def read(part: Part, _: Where) -> Iterable[Statement]:
        options = given(part)
        if f"--{option}-set" in options:
            yield Assign(key, made.number(options[f"--{option}-set"]))
        elif f"--{option}-inc" in options:
            yield Assign(key, Operation("+", Key(key), made.number(options[f"--{option}-inc"])))
        else:
            yield Assign(key, Operation("-", Key(key), made.number(options[f"--{option}-dec"])))

    return read


def _tos(part: Part, where: Where) -> Iterable[Statement]:
    """xt_DSCP.c, tos_tg: (old & ~mask) ^ value, of eight bits."""
    value, mask = made.masked(given(part)["--set-tos"], full=0xFF)
    key = f"{where.ip} tos"
    if mask == 0xFF:
        yield Assign(key, value)
    else:
        yield Assign(key, Operation("^", Operation("&", Key(key), ~mask & 0xFF), value))


def _dscp(part: Part, where: Where) -> Iterable[Statement]:
    yield Assign(f"{where.ip} dscp", made.number(given(part)["--set-dscp"]))


def _class(part: Part, _: Where) -> Iterable[Statement]:
    major, _colon, minor = given(part)["--set-class"].partition(":")
    yield Assign("priority", int(major or "0", 16) << 16 | int(minor or "0", 16))


# -- connections -------------------------------------------------------------------------------------------------------


def _track(part: Part, _: Where) -> Iterable[Statement]:
    """xt_CT.c. Helpers, timeouts and events change nothing about the first packet's way."""
    options = given(part)
    if "--notrack" in options:
        yield Untracked()
    for option, key in (
        ("--zone", "ct zone"),
        ("--zone-orig", "ct original zone"),
        ("--zone-reply", "ct reply zone"),
    ):
        if option in options:
            word = options[option]
            yield Assign(key, Key("mark", 0xFFFF) if word == "mark" else made.number(word))


def _destination(text: str) -> tuple[Target, int | None]:
    """`10.0.0.1-10.0.0.5:80-90/4000`, `[fd00::1]:80`, `:80`: the target, and the port that becomes the first of its range."""
    if text.startswith("["):
        address, _, ports = text[1:].partition("]")
        ports = ports.removeprefix(":")
    elif text.count(":") > 1:
        address, ports = text, ""
    else:
        address, _, ports = text.partition(":")
    first, _, last = address.partition("-")
    addresses = (first, last) if last else (first,) if first else ()
    ports, _, base = ports.partition("/")
    return Target(addresses, _ports(ports)), int(base) if base else None


def _ports(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("-")) if text else ()


def _translate(kind: str, option: str) -> Reader:
    def read(part: Part, where: Where) -> Iterable[Statement]:
        options = given(part)
        target, base = _destination(options[option])
        random = bool(RANDOM & set(options))
        yield Nat(kind, target, family=where.ip, random=random, base=base)  # type: ignore[arg-type]

    return read


def _to_ports(kind: str) -> Reader:
    def read(part: Part, where: Where) -> Iterable[Statement]:
        options = given(part)
        target = Target(ports=_ports(options.get("--to-ports", "")))
        yield Nat(kind, target, family=where.ip, random=bool(RANDOM & set(options)))  # type: ignore[arg-type]

    return read


def _map_network(part: Part, where: Where) -> Iterable[Statement]:
    """xt_NETMAP.c: the destination before routing, the source after it."""
    if not where.nat:
        raise ValueError(part.text)
    target = Target(prefix=given(part)["--to"])
    yield Nat(where.nat, target, family=where.ip)  # type: ignore[arg-type]


def _tproxy(part: Part, _: Where) -> Iterable[Statement]:
    """xt_TPROXY.c: without a socket to give it to, the packet is dropped."""
    options = given(part)
    value, mask = made.masked(options.get("--tproxy-mark", "0/0"), full=made.U32)
    if mask:
        yield mixed("mark", value, mask)
    yield Tproxy(made.number(options.get("--on-port", "0")), "drop")


def _queue(part: Part, _: Where) -> Iterable[Statement]:
    yield Verdict("queue", part.text.removeprefix("-m "))


def _elsewhere(part: Part, _: Where) -> Iterable[Statement]:
    yield Unfollowed(part.text.replace("-m ", "-j ", 1))


TARGETS: dict[str, Extension] = {
    **{name: Extension(_verdict(verdict), {}) for name, verdict in VERDICTS.items()},
    **{name: Extension(_nothing, HARMLESS_ARITY.get(name, {})) for name in HARMLESS},
    **{name: Extension(_offers, {}) for name in ("ECN", "TCPMSS", "TCPOPTSTRIP")},
    "REJECT": Extension(_verdict(Verdict("reject")), spec("--reject-with")),
    "QUEUE": Extension(_queue, {}),
    "NFQUEUE": Extension(_queue, spec("--queue-num --queue-balance --queue-bypass:0 --queue-cpu-fanout:0")),
    "DNAT": Extension(
        _translate("dnat", "--to-destination"),
        spec("--to-destination --random:0 --persistent:0"),
        tracks=True,
    ),
    "SNAT": Extension(
        _translate("snat", "--to-source"),
        spec("--to-source --random:0 --random-fully:0 --persistent:0"),
        tracks=True,
    ),
    "MASQUERADE": Extension(
        _to_ports("masquerade"), spec("--to-ports --random:0 --random-fully:0"), tracks=True
    ),
    "REDIRECT": Extension(_to_ports("redirect"), spec("--to-ports --random:0"), tracks=True),
    "NETMAP": Extension(_map_network, spec("--to"), tracks=True),
    "MARK": Extension(_mark, spec("--set-xmark --set-mark --or-mark --and-mark --xor-mark")),
    "CONNMARK": Extension(
        _connmark,
        spec(
            "--set-xmark --set-mark --or-mark --and-mark --xor-mark --save-mark:0 --restore-mark:0 --nfmask --ctmask "
            "--mask --left-shift-mark --right-shift-mark"
        ),
        tracks=True,
    ),
    "HMARK": Extension(
        _hash_mark,
        spec(
            "--hmark-tuple --hmark-mod --hmark-offset --hmark-src-prefix --hmark-dst-prefix --hmark-sport-mask "
            "--hmark-dport-mask --hmark-spi-mask --hmark-proto-mask --hmark-rnd --hmark-sport --hmark-dport --hmark-spi"
        ),
    ),
    "CLASSIFY": Extension(_class, spec("--set-class")),
    "CT": Extension(
        _track,
        spec("--notrack:0 --zone --zone-orig --zone-reply --helper --timeout --ctevents --expevents"),
        tracks=True,  # but with --notrack
    ),
    "NOTRACK": Extension(lambda _, __: [Untracked()], {}),
    "TTL": Extension(_hops("ttl", "ip ttl"), spec("--ttl-set --ttl-inc --ttl-dec")),
    "HL": Extension(_hops("hl", "ip6 hoplimit"), spec("--hl-set --hl-inc --hl-dec")),
    "TOS": Extension(_tos, spec("--set-tos")),
    "DSCP": Extension(_dscp, spec("--set-dscp")),
    "SET": Extension(
        change,
        spec(
            "--add-set:2 --del-set:2 --exist:0 --timeout --map-set:2 --map-mark:0 --map-prio:0 --map-queue:0"
        ),
    ),
    "TPROXY": Extension(_tproxy, spec("--on-port --on-ip --tproxy-mark")),
    "SYNPROXY": Extension(_elsewhere, {}, tracks=True),
    "CLUSTERIP": Extension(_elsewhere, {}, tracks=True),
    # a copy may arrive where the packet itself does not, by other ways that are not walked
    "TEE": Extension(_elsewhere, spec("--gateway --oif")),
    "DNPT": Extension(_elsewhere, spec("--src-pfx --dst-pfx")),
    "SNPT": Extension(_elsewhere, spec("--src-pfx --dst-pfx")),
}
