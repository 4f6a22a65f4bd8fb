"""Random rulesets of nft and of iptables and its kin, each aimed at a packet that will be sent through it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import rulesets_effects as effects
import rulesets_kin as kin
import rulesets_nat as nat
from rulesets_changes import HARMLESS
from rulesets_courses import COURSES, PROTOCOLS, WEIGHTS, Aim, Course, Spot, spots
from rulesets_lab import LISTENED
from rulesets_nft import FIELDS, LACKING, match
from rulesets_packets import Probe
from rulesets_script import Ruleset, Script

if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesets_script import Chain

PORTS = LISTENED
TYPES = {
    "prerouting": "filter nat",
    "input": "filter nat",
    "output": "filter nat route",
    "postrouting": "filter nat",
    "forward": "filter",
}


def make(rng: random.Random, number: int) -> Ruleset:
    """A ruleset, and packets. `number` keeps their source ports apart."""
    course = rng.choices(COURSES, WEIGHTS)[0]
    probes = [_probe(rng, course, number * 2)]
    script = Script(rng, course, number)
    called = False
    if course.there[1:2] and course.there[1].node == "s" and rng.random() < 0.5:
        called = True
        for family in ("ip", "ip6"):
            script.add("s", "sysctl", f"net/bridge/bridge-nf-call-{family}tables 1", forms=("br_netfilter",))
    there = spots(course, back=False, called=called)
    back = spots(course, back=True, called=called)
    for _ in range(rng.choice((0, 0, 1, 1, 2, 3))):
        noise(script, rng.choice(there + back), probes[0])
    bridged = any(one.layer == "bridge" for one in there)
    weights = [weight * (6 if bridged and one is kin.ebtables else 1) for one, weight in SUBJECTS]
    maker = rng.choices([one for one, _ in SUBJECTS], weights)[0]
    maker(script, probes[0], there, back)
    for _ in range(rng.choice((0, 0, 1, 2))):
        noise(script, rng.choice(there + back), probes[0])
    if rng.random() < 0.5:
        other = course if rng.random() < 0.7 else rng.choices(COURSES, WEIGHTS)[0]
        probes.append(_probe(rng, other, number * 2 + 1))
    return Ruleset(tuple(script.lines), tuple(probes), (course.name,) * len(probes))


def _probe(rng: random.Random, course: Course, number: int) -> Probe:
    six = rng.random() < 0.35
    proto = rng.choices(PROTOCOLS[six], (2, 3, 3))[0]
    ported = proto in (6, 17)
    mark = rng.choice((1, 0x1F0)) if rng.random() < 0.08 else 0
    size = rng.choice((200, 1000, 1400)) if rng.random() < 0.08 and proto != 6 else 0
    return Probe(
        course.node,
        course.src[six],
        course.dst[six],
        proto,
        20000 + number % 12000,
        rng.choice(PORTS) if ported else 0,
        mark,
        size,
    )


# -- nft ---------------------------------------------------------------------------------------------------------


def matches(script: Script, aim: Aim, family: str, most: int = 3) -> tuple[list[str], tuple[str, ...]]:
    """Matches that take the packet, and what is in them."""
    rng = script.rng
    clauses: list[str] = []
    forms: tuple[str, ...] = ()
    wanted = rng.choice((1, 1, 1, 2, min(3, most)))
    for field in rng.sample(FIELDS, len(FIELDS)):
        if len(clauses) == wanted:
            break
        if not _stands(field.name, aim.spot, family):
            continue
        made = match(field, aim, rng)
        if made is not None:
            clauses.append(made[0])
            forms += made[1]
    return clauses, forms


def _stands(name: str, spot: Spot, family: str) -> bool:
    """Whether it is worth a try there."""
    word = name.split(maxsplit=1)[0]
    if word == "ct":
        return family in ("ip", "ip6", "inet") and spot.layer == "ip"
    if name.startswith(("meta ibr", "meta obr")):
        return family == "bridge"
    if word in ("fib", "rt", "socket", "osf"):
        return spot.layer == "ip"
    if word == "ether":
        return bool(spot.smac)
    return True


def subject(script: Script, probe: Probe, there: list[Spot], back: list[Spot]) -> None:
    """A rule that most probably takes the packet, or its answer, and changes what becomes of it."""
    rng = script.rng
    onward = there if rng.random() < 0.75 or not back else back
    spot = rng.choice(onward)
    aim = Aim(spot, probe)
    script.after = onward[onward.index(spot) + 1 :]
    script.backs = back if onward is there else []
    chain, where = _base(script, aim)
    clauses, forms = matches(script, aim, chain.family)
    for _ in range(5):
        effect = rng.choices([one for one, _ in effects.EFFECTS], [weight for _, weight in effects.EFFECTS])[
            0
        ]
        made = effect(script, aim, chain)
        if made is not None:
            break
    else:
        made = effects.drop(script, aim, chain)
    harmless = [rng.choice(HARMLESS) for _ in range(rng.choice((0, 0, 0, 1, 2)))]
    marks = tuple(
        f"statement {one.split()[0]} {one.split()[1]}"
        if one.startswith("meta")
        else f"statement {one.split()[0]}"
        for one in harmless
    )
    _decoys(script, aim, chain)
    script.rule(
        spot.node,
        chain,
        *clauses,
        *harmless,
        made[0],
        forms=(*where, *forms, *marks, *(f"effect {one}" for one in made[1])),
        subject=True,
    )
    for at, rest, more in script.later:
        script.rule(spot.node, at, *rest, forms=more)
    script.later.clear()


def _base(script: Script, aim: Aim) -> tuple[Chain, tuple[str, ...]]:
    spot = aim.spot
    kind = "filter"
    if spot.layer == "ip" and script.rng.random() < 0.12:
        kind = script.rng.choice(TYPES[spot.hook].split())
    return script.base(
        spot,
        six=aim.six,
        kind=kind,
        priority="" if spot.layer == "ip" else script.rng.choice(("0", "-5", "filter", "10")),
    )


def _decoys(script: Script, aim: Aim, chain: Chain) -> None:
    """Rules in front that do not take the packet, but would change its fate if they did."""
    for _ in range(script.rng.choice((0, 0, 1, 1, 2))):
        text = script.rng.choice(LACKING)
        script.rule(
            aim.spot.node,
            chain,
            text,
            script.rng.choice(("drop", "accept", "drop")),
            forms=(f"lacking {text.split(' ')[0]} {text.split(' ')[1]}",),
        )


def accepted_alone(script: Script, probe: Probe, there: list[Spot], back: list[Spot]) -> None:
    """A chain that drops all but what one rule accepts."""
    rng = script.rng
    onward = there if rng.random() < 0.75 or not back else back
    spot = rng.choice(onward)
    aim = Aim(spot, probe)
    chain, where = script.base(spot, six=aim.six, policy="drop")
    if spot.layer == "ip" and rng.random() < 0.6:
        script.rule(
            spot.node,
            chain,
            rng.choice(
                (
                    "ct state established,related",
                    "ct state { established, related }",
                    "ct direction reply",
                    "ct state vmap { established : accept, related : accept, invalid : drop }",
                )
            ),
            "accept",
            forms=("match ct state",),
        )
        if "vmap" in script.lines[-1].text:
            script.lines[-1] = script.lines[-1]._replace(clauses=script.lines[-1].clauses[:-1])
    clauses, forms = matches(script, aim, chain.family)
    _decoys(script, aim, chain)
    script.rule(spot.node, chain, *clauses, "accept", forms=(*where, *forms, "effect accept"), subject=True)


def translated(script: Script, probe: Probe, there: list[Spot], back: list[Spot]) -> None:
    """A translation, and sometimes a rule further on that looks at what came of it."""
    rng = script.rng
    places = nat.hooks(script.course, there)
    if not places:
        return subject(script, probe, there, back)
    spot, destination = rng.choice(places)
    aim = Aim(spot, probe)
    word = rng.choice(("dstnat", "-100", "0", "-90") if destination else ("srcnat", "100", "0", "90"))
    chain, where = script.base(
        spot, six=aim.six, kind="nat", priority=word, policy="drop" if rng.random() < 0.1 else "accept"
    )
    made = (nat.to_destination if destination else nat.to_source)(script, aim, chain)
    clauses, forms = matches(script, aim, chain.family, 2) if rng.random() < 0.7 else ([], ())
    script.rule(
        spot.node,
        chain,
        *clauses,
        made[0],
        forms=(*where, *forms, *(f"nat {one}" for one in made[1])),
        subject=True,
    )
    if rng.random() < 0.5:
        onward = [one for one in there if there.index(one) > there.index(spot) and one.layer == "ip"]
        if onward:
            later = rng.choice(onward)
            other, _ = script.base(later, six=aim.six)
            field = rng.choice(
                ("ip6 daddr", "ip6 saddr")
                if aim.six
                else ("ip daddr", "ip saddr", "ct original ip daddr", "ct status dnat", "ct status snat")
            )
            if "status" in field:
                test = field
            elif "daddr" in field and "ct" not in field and rng.random() < 0.5 and aim.ported:
                test = f"th dport {rng.choice(PORTS)}"
            else:
                test = f"{field} {aim.dst if 'daddr' in field else aim.src}"
            script.rule(later.node, other, test, "drop")
    return None


def noise(script: Script, spot: Spot, probe: Probe) -> None:
    """A rule that may, or may not, take the packet."""
    rng = script.rng
    aim = Aim(spot, probe)
    chain, _ = _base(script, aim)
    for _ in range(rng.choice((1, 1, 2, 3))):
        clauses, forms = matches(script, aim, chain.family)
        if rng.random() < 0.5:
            clauses.insert(rng.randint(0, len(clauses)), rng.choice(LACKING))
            verdict = rng.choice(("drop", "accept", "continue", "reject"))
        else:
            verdict = rng.choice(
                (
                    "accept",
                    "continue",
                    "counter",
                    'log prefix "n"',
                    "return",
                    "meta mark set 0x100",
                    "ct mark set 0x9",
                    "accept",
                )
            )
        script.rule(spot.node, chain, *clauses, verdict, forms=forms)


Maker = "Callable[[Script, Probe, list[Spot], list[Spot]], None]"
SUBJECTS: list[tuple[Callable[[Script, Probe, list[Spot], list[Spot]], None], int]] = [
    (subject, 10),
    (accepted_alone, 3),
    (translated, 4),
    (kin.xtables, 9),
    (kin.ebtables, 1),
    (kin.arp, 1),
]
