"""A laboratory of every kind of link that the running kernel makes, three times each: at home, moved, and moved to a trap.

    first    where links are born, beside their lower links
    away     where they are moved to; links that have the ifindexes of their lower links are there already
    crowd    where they are moved to, and get the ifindex of their lower link
    other    for those of which a namespace takes but one, and for pairs that could be mistaken for others
    third    where lower links go from under their uppers (`kinds_bad.py`)

A kind's three links have one name, and those at home and away one ifindex: nothing but the kernel's word tells them apart.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from itertools import count
from typing import TYPE_CHECKING

import kinds_bad
import kinds_masters
import kinds_mixed
import kinds_nics
from kinds_cases import CASES, PAIRS
from kinds_makers import MAKERS, PAIR_MAKERS, PAIR_MAY, PAIR_SAYS
from kinds_ovs import Datapath
from kinds_site import Site
from kinds_truth import AT_HOME, CROWDED, HOME, MOVED, NEIGHBOURS, Tie

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kinds_cases import Case
    from nswire.lab.lab import Lab

OWN, PAIR, LOWER, PEER_OF_LOWER, PEER_OF_TRAP = 1000, 2000, 3000, 4000, 4500
"""Where ifindexes begin: of the links themselves, of pairs, of lower links, of the veths at these ones' other ends."""
TRANSIT = 999
"""The ifindex of a link on its way to where it is taken, so that the kernel chooses the next one there."""
PORT = 20000
NOT_BY_THEMSELVES = ("ovpn", "ppp_generic")
"""Modules that the kernel does not load when such a link is asked for."""
SPACES = ("first", "away", "crowd", "other", "third")


def build(lab: Lab) -> Site:
    """Build it all. Raises RuntimeError or OSError if something fails that the kernel should be able to do."""
    site = Site(lab)
    _probe(site)
    kinds_nics.find(site)
    site.space(*SPACES)
    _made_by_words(site)
    _made_by_makers(site)
    _pairs(site)
    kinds_masters.build(site)
    kinds_bad.build(site)
    kinds_mixed.build(site)
    kinds_nics.build(site)
    kinds_masters.settle(site)
    kinds_nics.settle(site)
    lab.release()
    return site


# -- what this kernel makes -----------------------------------------------------------------------------------------


def _probe(site: Site) -> None:
    """Try each kind once, each on lower links of its own.

    It also loads the modules, some of which put a link of their own into each namespace: from then on the kernel
    numbers links alike in all new ones.
    """
    site.space("probe")
    lines = []
    tries: dict[str, str] = {}
    for number, case in enumerate(case for case in CASES if case.words):
        lowers = [f"p{number}", f"q{number}"][: case.lowers]
        lines += [f"link add name {lower} type veth peer name {lower}x" for lower in lowers]
        words = case.words.format(p=f"p{number}", q=f"q{number}", n=number + 1, port=PORT + number)
        line = f"link add name {case.ifname} {words}"
        tries[line] = case.name
        lines += [line, f"link del dev {case.ifname}"] if case.alone else [line]
    if shutil.which("modprobe"):
        subprocess.run(["modprobe", "-a", "-q", *NOT_BY_THEMSELVES], check=False)
    for line, why in site.attempt("probe", lines).items():
        site.truth.refused[tries[line]] = why
    probe = site.spaces["probe"]
    with contextlib.ExitStack() as kept:
        for at, (name, make) in enumerate(MAKERS.items(), OWN):
            with _refusal(site, name):
                make(probe, f"m{at}", at, kept.callback)
        for number, (name, pair) in enumerate(PAIR_MAKERS.items()):
            at = PAIR + 2 * number
            with _refusal(site, name):
                pair(probe, f"a{at}", at, f"b{at}", at + 1, probe)
        with _refusal(site, kinds_masters.OVS):
            kept.enter_context(Datapath(probe, "datapath"))
    site.forget("probe")


@contextlib.contextmanager
def _refusal(site: Site, name: str) -> Iterator[None]:
    """Note why the kernel does not make that, if it does not."""
    try:
        yield
    except OSError as error:
        # the laboratory's own errors have the kernel's words, if any, at their end
        _, bracket, words = str(error).rstrip(")").rpartition(" (")
        site.truth.refused[name] = words if bracket else error.strerror or os.strerror(error.errno or 0)


# -- kinds that iproute2 makes --------------------------------------------------------------------------------------


def _made_by_words(site: Site) -> None:
    """Three links of each kind; one of those that cannot be moved."""
    cases = [
        case for case in CASES if case.words and case.name not in kinds_masters.NAMES and site.can(case.name)
    ]
    assert 3 * len(cases) < kinds_bad.NUMBER
    lowers, lines = _lower_links(site, cases)
    free = count(_next_index(site))
    lines_of: dict[str, list[str]] = {"first": lines, "other": [], "third": [], "crowd": [], "away": []}
    for number, case in enumerate(cases):
        index, on = OWN + number, lowers[case.on]
        born, home = case.alone or ("first", "first")
        if not case.fixed:
            there = on[: case.lowers]
            lines_of[born].append(_add(case, index, 3 * number + 1, there))
            lines_of[born].append(f"link set dev {case.ifname} netns away")
            _note(site, case, MOVED, (born, "away"), index, there)
        if not case.fixed and case.lowers:
            at = next(free)
            trap = [(f"c{at}", at)]
            lines += [
                site.veth(NEIGHBOURS, ("first", *trap[0]), ("first", f"c{at}x", PEER_OF_TRAP + at)),
                _add(case, TRANSIT, 3 * number + 2, trap),
                f"link set dev {case.ifname} netns crowd",
            ]
            _note(site, case, CROWDED, ("first", "crowd"), at, trap)
            if (
                case.evidence == "inferred"
            ):  # another on the same: the one in `crowd` has its ifindex, and the MAC of all three
                twin = case._replace(name=f"{case.ifname}-twin")
                lines.append(_add(twin, index + 400, 3 * number, trap))
                place = case.kind, "first", index + 400, twin.ifname
                site.made(
                    case.name,
                    "beside one that looks like its lower link",
                    *place,
                    [Tie(case.relation, "first", at, case.evidence)],
                )
        here = on[len(on) - case.lowers :]
        lines_of[home].append(_add(case, index, 3 * number + 3, here))
        _note(site, case, AT_HOME, (home, home), index, here)
        if case.facet:  # its socket is there while it is up, and a move takes it down
            for ns in (home, "away"):
                lines_of[ns].append(f"link set dev {case.ifname} up")
    for ns, some in lines_of.items():
        site.run(ns, some)


def _add(case: Case, index: int, number: int, on: Sequence[tuple[str, int]]) -> str:
    p, q, *_ = (*(name for name, _ in on), "", "")
    words = case.words.format(p=p, q=q, n=number, port=PORT + number)
    return f"link add name {case.ifname} index {index} {words}"


def _note(
    site: Site,
    case: Case,
    variant: str,
    way: tuple[str, str],
    index: int,
    on: Sequence[tuple[str, int]],
    server: int | None = None,
) -> None:
    born, ns = way
    ties = [Tie(case.relation, born, lower, case.evidence) for _, lower in on]
    if server is not None:
        ties = [Tie(case.relation, HOME, None, "proved", case.facet, server)]
    elif case.facet and not case.alone:
        ties = [Tie(case.relation, born, None, "inferred", case.facet)]
    elif case.relation == "underlay" and not on and not case.facet and born != ns:
        ties = [Tie(case.relation, born)]
    # where one a namespace is all that there can be, the ports of its sockets are the same ones, too: gtp's
    late = (case.facet, "ambiguous") if case.facet and case.alone else None
    site.made(case.name, variant, case.kind, ns, index, case.ifname, ties, late=late)


def _lower_links(site: Site, cases: list[Case]) -> tuple[dict[str, list[tuple[str, int]]], list[str]]:
    """The lower links of each group of cases, the commands that make them, and the traps for them in `away`."""
    groups = {case.on: case for case in cases if case.on}
    found: dict[str, list[tuple[str, int]]] = {"": []}
    lines, traps = [], []
    for number, (group, case) in enumerate(groups.items()):
        # Newer kernels make the two links of a ring ports of it, too.
        ring = [Tie("port", "first", OWN + cases.index(case), unsaid=True)] if case.kind == "hsr" else []
        for second in range(2 if case.claims else 1):
            name, index = f"{'pq'[second]}{number}", LOWER + 2 * number + second
            peer = PEER_OF_LOWER + 2 * number + second
            found.setdefault(group, []).append((name, index))
            lines.append(site.veth(NEIGHBOURS, ("first", name, index), ("first", f"{name}x", peer), *ring))
            traps.append(
                site.veth(NEIGHBOURS, ("away", f"trap-{name}", index), ("away", f"trap-{name}x", peer))
            )
    site.run("away", traps)
    return found, lines


def _next_index(site: Site) -> int:
    """The ifindex that the kernel chooses next in `crowd`; what arrives with TRANSIT cannot keep that one there."""
    lines = [f"link add name taken index {TRANSIT} type bridge", "link add name auto type bridge"]
    site.run("crowd", lines)
    with site.spaces["crowd"].rtnl() as rtnl:
        chosen = rtnl.index("auto")
    for name, index in (("taken", TRANSIT), ("auto", chosen)):
        site.made(NEIGHBOURS, "a trap", "bridge", "crowd", index, name)
    return chosen + 1


# -- kinds that something else makes --------------------------------------------------------------------------------


def _made_by_makers(site: Site) -> None:
    """At home and away: none of them has a lower link."""
    cases = [case for case in CASES if case.name in MAKERS and site.can(case.name)]
    for number, case in enumerate(cases):
        index, make = OWN + 500 + number, MAKERS[case.name]
        born, home = case.alone or ("first", "first")
        if not case.fixed:
            server = make(site.spaces[born], case.ifname, index, site.lab.undo)
            with site.spaces[born].rtnl() as rtnl:
                rtnl.set(index, netns_fd=site.spaces["away"].fd)
            _note(site, case, MOVED, (born, "away"), index, (), server)
        server = make(site.spaces[home], case.ifname, index, site.lab.undo)
        _note(site, case, AT_HOME, (home, home), index, (), server)


PAIR_VARIANTS = (
    (AT_HOME, ("first", "first"), ("first", "first"), (0, 1)),
    (MOVED, ("first", "first"), ("first", "away"), (2, 3)),
    ("moved, one that looks the same", ("other", "other"), ("other", "crowd"), (2, 3)),
    ("moved, both ends with one ifindex", ("first", "crowd"), ("first", "crowd"), (4, 4)),
    ("both ends moved, to two namespaces", ("first", "first"), ("away", "crowd"), (5, 6)),
    ("both ends moved, to one namespace", ("first", "first"), ("away", "away"), (7, 8)),
)
"""Where the ends of a pair are born, where they go, and their ifindexes, from PAIR up."""


def _pairs(site: Site) -> None:
    for number, case in enumerate(case for case in PAIRS if site.can(case.name)):
        says = PAIR_SAYS.get(case.name, ({}, {}))
        for variant, born, spaces, offsets in PAIR_VARIANTS:
            indexes = [PAIR + 20 * number + offset for offset in offsets]
            names = [f"{case.ifname}-{offset}{side}" for offset, side in zip(offsets, "ab", strict=True)]
            start, end = (site.spaces[ns] for ns in born)
            PAIR_MAKERS[case.name](start, names[0], indexes[0], names[1], indexes[1], end)
            for mine, other in ((0, 1), (1, 0)):
                if born[mine] != spaces[mine]:
                    with site.spaces[born[mine]].rtnl() as rtnl:
                        rtnl.set(indexes[mine], netns_fd=site.spaces[spaces[mine]].fd)
                tie = Tie("peer", spaces[other], indexes[other])
                place = (spaces[mine], indexes[mine], names[mine])
                may = PAIR_MAY.get(case.name, ({}, {}))
                site.made(case.name, variant, case.kind, *place, [tie], says=says[mine], may=may[mine])
