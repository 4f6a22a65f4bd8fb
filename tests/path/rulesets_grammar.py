"""Random rulesets of nft and of iptables and its kin, each aimed at a packet that will be sent through it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, NamedTuple

import rulesets_effects as effects
import rulesets_kin as kin
import rulesets_nat as nat
import rulesets_xtables as xt
from rulesets_changes import HARMLESS
from rulesets_courses import COURSES, PROTOCOLS, WEIGHTS, Aim, Course, Spot, spots
from rulesets_lab import LISTENED
from rulesets_nft import FIELDS, LACKING, Field, match
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


class Drawn(NamedTuple):
    """A packet, its course, all hooks there and back, and the one that the subject is for; `onward`: those of its direction."""

    course: Course
    probe: Probe
    there: list[Spot]
    back: list[Spot]
    spot: Spot
    called: bool

    @property
    def aim(self) -> Aim:
        """The packet there."""
        return Aim(self.spot, self.probe)

    @property
    def onward(self) -> list[Spot]:
        """The hooks of its direction."""
        return self.back if self.spot.back else self.there


def make(rng: random.Random, number: int) -> Ruleset:
    """A ruleset, and packets. `number` keeps their source ports apart, and goes through all matches in turn."""
    kind = rng.choices(KINDS, [one.weight for one in KINDS])[0]
    wish = kind.wishes[number % len(kind.wishes)] if kind.wishes else None
    for _ in range(200):
        drawn = _drawn(rng, number)
        if kind.fits(drawn, wish, rng):
            break
    script = Script(rng, drawn.course, number)
    if drawn.called:
        for family in ("ip", "ip6"):
            script.add("s", "sysctl", f"net/bridge/bridge-nf-call-{family}tables 1", forms=("br_netfilter",))
    hooks = drawn.there + drawn.back
    for _ in range(rng.choice((0, 0, 1, 1, 2, 3))):
        noise(script, rng.choice(hooks), drawn.probe)
    kind.make(script, drawn, wish)
    for _ in range(rng.choice((0, 0, 1, 2))):
        noise(script, rng.choice(hooks), drawn.probe)
    probes, courses = [drawn.probe], [drawn.course]
    if rng.random() < 0.5:
        courses.append(drawn.course if rng.random() < 0.7 else rng.choices(COURSES, WEIGHTS)[0])
        probes.append(_probe(rng, courses[-1], number * 2 + 1))
    return Ruleset(tuple(script.lines), tuple(probes), tuple(one.name for one in courses), number)


def _drawn(rng: random.Random, number: int) -> Drawn:
    course = rng.choices(COURSES, WEIGHTS)[0]
    called = len(course.there) > 1 and course.there[1].node == "s" and rng.random() < 0.5
    there, back = (spots(course, back=way, called=called) for way in (False, True))
    spot = rng.choice(there if rng.random() < 0.75 or not back else back)
    return Drawn(course, _probe(rng, course, number * 2), there, back, spot, called)


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


def matches(
    script: Script, aim: Aim, family: str, wish: Field | None = None, most: int = 3
) -> tuple[list[str], tuple[str, ...]]:
    """Matches that take the packet, and what is in them; the wish among them."""
    rng = script.rng
    clauses: list[str] = []
    forms: tuple[str, ...] = ()
    wanted = rng.choice((1, 1, 1, 2, min(3, most)))
    for field in (*([wish] if wish is not None else []), *rng.sample(FIELDS, len(FIELDS))):
        if len(clauses) == wanted:
            break
        if not _stands(field.name, aim.spot, family):
            continue
        made = match(field, aim, rng)
        if made is not None and not any(f"match {field.name}" == form for form in forms):
            clauses.append(made[0])
            forms += made[1]
    return clauses, forms


def _stands(name: str, spot: Spot, family: str = "") -> bool:
    """Whether it is worth a try there."""
    word = name.split(maxsplit=1)[0]
    if word == "ct":
        return family in ("ip", "ip6", "inet", "") and spot.layer == "ip"
    if name.startswith(("meta ibr", "meta obr")):
        return spot.layer == "bridge"
    if word in ("fib", "rt", "socket", "osf"):
        return spot.layer == "ip"
    if word == "ether":
        return bool(spot.smac)
    return True


def subject(script: Script, drawn: Drawn, wish: Field | None) -> None:
    """A rule that most probably takes the packet, or its answer, and changes what becomes of it."""
    rng, aim, spot = script.rng, drawn.aim, drawn.spot
    script.after = drawn.onward[drawn.onward.index(spot) + 1 :]
    script.backs = [] if spot.back else drawn.back
    chain, where = _base(script, aim)
    clauses, forms = matches(script, aim, chain.family, wish)
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
        f"statement {' '.join(one.split()[:2])}" if one.startswith("meta") else f"statement {one.split()[0]}"
        for one in harmless
    )
    _decoys(script, aim, chain)
    done = tuple(f"effect {one}" for one in made[1])
    script.rule(
        spot.node, chain, *clauses, *harmless, made[0], forms=(*where, *forms, *marks, *done), subject=True
    )
    for at, rest, more in script.later:
        script.rule(spot.node, at, *rest, forms=more)
    script.later.clear()


def _base(script: Script, aim: Aim) -> tuple[Chain, tuple[str, ...]]:
    spot = aim.spot
    kind = "filter"
    if spot.layer == "ip" and script.rng.random() < 0.12:
        kind = script.rng.choice(TYPES[spot.hook].split())
    priority = "" if spot.layer == "ip" else script.rng.choice(("0", "-5", "filter", "10"))
    return script.base(spot, six=aim.six, kind=kind, priority=priority)


def _decoys(script: Script, aim: Aim, chain: Chain) -> None:
    """Rules in front that do not take the packet, but would change its fate if they did."""
    for _ in range(script.rng.choice((0, 0, 1, 1, 2))):
        text = script.rng.choice(LACKING)
        verdict = script.rng.choice(("drop", "accept", "drop"))
        form = f"lacking {' '.join(text.split()[:2])}"
        script.rule(aim.spot.node, chain, text, verdict, forms=(form,))


ESTABLISHED = (
    ("ct state established,related", "accept"),
    ("ct state { established, related }", "accept"),
    ("ct direction reply", "accept"),
    ("ct state vmap { established : accept, related : accept, invalid : drop }",),
)


def accepted_alone(script: Script, drawn: Drawn, wish: Field | None) -> None:
    """A chain that drops all but what one rule accepts."""
    rng, aim, spot = script.rng, drawn.aim, drawn.spot
    chain, where = script.base(spot, six=aim.six, policy="drop")
    if spot.layer == "ip" and rng.random() < 0.6:
        script.rule(spot.node, chain, *rng.choice(ESTABLISHED), forms=("match ct state",))
    clauses, forms = matches(script, aim, chain.family, wish)
    _decoys(script, aim, chain)
    forms = (*where, *forms, "effect accept")
    script.rule(spot.node, chain, *clauses, "accept", forms=forms, subject=True)


def translated(script: Script, drawn: Drawn, wish: Field | None) -> None:
    """A translation, and sometimes a rule further on that looks at what came of it."""
    rng, there = script.rng, drawn.there
    places = nat.hooks(script.course, there)
    spot, destination = rng.choice(places)
    aim = Aim(spot, drawn.probe)
    word = rng.choice(("dstnat", "-100", "0", "-90") if destination else ("srcnat", "100", "0", "90"))
    if spot.hook not in ("prerouting", "postrouting"):
        word = rng.choice(("0", "-100", "100", "10"))
    policy = "drop" if rng.random() < 0.1 else "accept"
    chain, where = script.base(spot, six=aim.six, kind="nat", priority=word, policy=policy)
    made = (nat.to_destination if destination else nat.to_source)(script, aim, chain)
    clauses, forms = matches(script, aim, chain.family, wish, 2) if rng.random() < 0.5 else ([], ())
    done = tuple(f"nat {one}" for one in made[1])
    script.rule(spot.node, chain, *clauses, made[0], forms=(*where, *forms, *done), subject=True)
    onward = [one for one in there[there.index(spot) + 1 :] if one.layer == "ip"]
    if onward and rng.random() < 0.5:
        later = rng.choice(onward)
        other, _ = script.base(later, six=aim.six)
        script.rule(later.node, other, _after_translation(aim, rng), "drop")


def _after_translation(aim: Aim, rng: random.Random) -> str:
    word = "ip6" if aim.six else "ip"
    tests = [
        f"{word} daddr {aim.dst}",
        f"{word} saddr {aim.src}",
        f"ct original {word} daddr {aim.dst}",
        "ct status dnat",
        "ct status snat",
    ]
    if aim.ported:
        tests += [f"th dport {rng.choice(PORTS)}", f"th sport {aim.sport}"]
    return rng.choice(tests)


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


def _xtables(script: Script, drawn: Drawn, wish: xt.Match) -> None:
    if script.rng.random() < 0.3 and kin.translated(script, drawn.probe, drawn.there, wish):
        return
    kin.xtables(script, drawn.aim, wish)


def _ebtables(script: Script, drawn: Drawn, _: None) -> None:
    kin.ebtables(script, drawn.aim)


def _arp(script: Script, drawn: Drawn, _: None) -> None:
    kin.arp(script, drawn.probe)


def _field_fits(drawn: Drawn, wish: Field, _: random.Random) -> bool:
    return wish.value(drawn.aim) != "-" and _stands(wish.name, drawn.spot)


def _nat_fits(drawn: Drawn, _: Field, __: random.Random) -> bool:
    return bool(nat.hooks(drawn.course, drawn.there))


def _match_fits(drawn: Drawn, wish: xt.Match, rng: random.Random) -> bool:
    return drawn.spot.layer == "ip" and wish.stands(drawn.spot.hook) and wish.make(drawn.aim, rng) is not None


class Kind(NamedTuple):
    """A kind of ruleset: what its subject is, and what goes round among its matches; `fits`: whether a packet is of use."""

    weight: int
    make: Callable[[Script, Drawn, Any], None]
    fits: Callable[[Drawn, Any, random.Random], bool]
    wishes: tuple[Any, ...] = ()


KINDS = (
    Kind(10, subject, _field_fits, FIELDS),
    Kind(3, accepted_alone, _field_fits, FIELDS),
    Kind(5, translated, _nat_fits, FIELDS),
    Kind(10, _xtables, _match_fits, xt.MATCHES),
    Kind(3, _ebtables, lambda drawn, _, __: drawn.spot.layer == "bridge"),
    Kind(1, _arp, lambda drawn, _, __: kin.asks(drawn.probe, drawn.course)),
)
