"""The grammar of nft(8): network address translation in all its forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesets_lab import BY_LINK, LISTENED, NOWHERE, UNROUTED
from rulesets_packets import ICMP, ICMPV6, TCP

if TYPE_CHECKING:
    from rulesets_courses import Aim, Course, Spot
    from rulesets_script import Chain, Made, Script

FLAGS = ("", "", "", " random", " fully-random", " persistent", " random,persistent")
ALIVE = {False: "10.2.0.2", True: "fd00:2::2"}
OTHER = {False: "10.4.0.2", True: "fd00:4::2"}
MINE = {False: "10.2.0.1", True: "fd00:2::1"}


def bracketed(address: str, *, six: bool) -> str:
    """As it stands in front of a port."""
    return f"[{address}]" if six else address


def to_destination(script: Script, aim: Aim, chain: Chain) -> Made:
    """dnat, redirect."""
    rng, six = script.rng, aim.six
    alive = (
        ALIVE[six]
        if script.course.name
        not in ("bridged", "up from a bridge", "to a bridge", "down to a bridge", "from a bridge")
        else {False: "10.6.0.2", True: "fd00:6::2"}[six]
    )
    family = rng.choice((" ip6", " ip6", "") if six else (" ip", " ip", "")) if chain.family == "inet" else ""
    if chain.family == "inet" and not family:
        family = " ip6" if six else " ip"
    port = rng.choice(LISTENED)
    word = "ip6" if six else "ip"
    flags = rng.choice(FLAGS)
    choices = [
        (f"dnat{family} to {alive}{flags}", "dnat to address"),
        (f"dnat{family} to {alive}-{alive}", "dnat to range"),
        (f"dnat{family} to {alive[:-1]}1-{alive}", "dnat to range"),
        (
            f"dnat{family} to {word} daddr map {{ {aim.dst} : {alive}, {NOWHERE[six]} : {alive} }}",
            "dnat to map",
        ),
        (f"dnat{family} to numgen inc mod 2 map {{ 0 : {alive}, 1 : {OTHER[six]} }}", "dnat to numgen map"),
        (f"dnat{family} to jhash {word} saddr mod 2 map {{ 0 : {alive}, 1 : {alive} }}", "dnat to jhash map"),
        (f"dnat {word} prefix to {word} daddr map {{ {_net(aim.dst)} : {_net(alive)} }}", "dnat prefix"),
        ("redirect", "redirect"),
    ]
    if aim.dst in NOWHERE:
        choices *= 2
    if aim.ported:
        tcp = "tcp" if aim.proto == TCP else "udp"
        host = bracketed(alive, six=six)
        l4 = f"meta l4proto {tcp} "
        choices += [
            (f"{tcp} dport {aim.dport} dnat{family} to {host}:{port}{flags}", "dnat to address and port"),
            (f"{l4}dnat{family} to {host}:{rng.choice(('53-80', '79-80', '5000-5001'))}", "dnat to range of ports"),
            (f"{l4}dnat{family} to {word} daddr . {tcp} dport map {{ {aim.dst} . {aim.dport} : {alive} . {port} }}", "dnat to concatenated map"),
            (f"{l4}dnat{family} to {alive}:{tcp} dport map {{ {aim.dport} : {port} }}" if not six else f"{l4}dnat{family} to {host}:{port}", "dnat to port by map"),
            (f"{l4}redirect to :{port}{flags}", "redirect to port"),
            (f"{l4}redirect to :{rng.choice(('53-80', '80-82', '443-444'))}", "redirect to range"),
            (f"{l4}redirect to :{tcp} dport map {{ {aim.dport} : {port}, 9 : 99 }}", "redirect to map"),
        ]  # fmt: skip
        name = script.name("m")
        script.add(
            aim.spot.node,
            "nft",
            f"add map {chain.family} {chain.table} {name} {{ typeof {tcp} dport : {word} daddr; elements = {{ {aim.dport} : {alive} }}; }}",
        )
        choices.append((f"dnat{family} to {tcp} dport map @{name}", "dnat to named map"))
    text, form = rng.choice(choices)
    return text, _with_flags(form, text)


def to_source(script: Script, aim: Aim, chain: Chain) -> Made:
    """snat, masquerade."""
    rng, six = script.rng, aim.six
    word = "ip6" if six else "ip"
    family = f" {word}" if chain.family == "inet" else ""
    mine = _mine(aim)
    flags = rng.choice(FLAGS)
    ports = rng.choice(("500-600", "2000", "1024-65535", "40000-40001"))
    choices = [
        (f"snat{family} to {mine}{flags}", "snat to address"),
        (f"snat{family} to {mine}-{mine}", "snat to range"),
        (f"masquerade{flags}", "masquerade"),
        (f"masquerade{flags}", "masquerade"),
        (f"snat{family} to {word} saddr map {{ {aim.src} : {mine} }}", "snat to map"),
        (f'snat{family} to oifname map {{ "{aim.spot.oif}" : {mine}, "lo" : {mine} }}', "snat to map"),
        (f"snat {word} prefix to {word} saddr map {{ {_net(aim.src)} : {_net(mine)} }}", "snat prefix"),
    ]
    if aim.ported:
        tcp = "tcp" if aim.proto == TCP else "udp"
        l4 = f"meta l4proto {tcp} "
        choices += [
            (f"{l4}snat{family} to {bracketed(mine, six=six)}:{ports}{flags}", "snat to ports"),
            (f"{l4}masquerade to :{ports}{flags}", "masquerade to ports"),
            (f"{l4}snat{family} to {word} saddr . {tcp} dport map {{ {aim.src} . {aim.dport} : {mine} . 4000 }}", "snat to concatenated map"),
        ]  # fmt: skip
    if aim.proto in (ICMP, ICMPV6) and rng.random() < 0.1:
        choices.append(
            (
                f"meta l4proto {'icmp' if aim.proto == ICMP else 'ipv6-icmp'} masquerade to :1000-2000",
                "masquerade to ports",
            )
        )
    text, form = rng.choice(choices)
    return text, _with_flags(form, text)


def _with_flags(form: str, text: str) -> tuple[str, ...]:
    return (
        form,
        *(
            f"nat flag {flag}"
            for flag in ("fully-random", "persistent", "random")
            if text.endswith((f" {flag}", f",{flag}")) or f" {flag}," in text
        ),
    )


def _net(address: str) -> str:
    return f"{address.rsplit(':', 1)[0]}:/112" if ":" in address else f"{address.rsplit('.', 1)[0]}.0/24"


def own_address(spot: Spot, *, six: bool) -> str:
    """An address of a node on the link that the packet passes."""
    leg = BY_LINK.get(spot.oif or spot.iif)
    return "" if leg is None else leg.ipv6 if six else leg.ipv4


def _mine(aim: Aim) -> str:
    return own_address(aim.spot, six=aim.six) or MINE[aim.six]


def hooks(course: Course, spots: list[Spot]) -> list[tuple[Spot, bool]]:
    """Where translation is worth it: the spot, and whether it is that of the destination."""
    found = []
    for spot in spots:
        if spot.layer != "ip":
            continue
        if spot.hook in ("prerouting", "output"):
            found += [(spot, True)] * (3 if course.dst == NOWHERE else 1)
        elif spot.hook in ("postrouting", "input"):
            found += [(spot, False)] * (
                4
                if course.src in UNROUTED.values() and spot.hook == "postrouting" and spot.node != "a"
                else 1
            )
    return found
