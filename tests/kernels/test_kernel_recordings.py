"""Recordings of all kernels, replayed on any machine: the same comparisons as on the kernels themselves.

`make recordings` makes them, and docs/kernels.md of them, anew.
"""

from __future__ import annotations

from itertools import combinations
from operator import attrgetter
from typing import TYPE_CHECKING

import pytest

import nswire
from kinds_checks import Checks, newer
from kinds_golden import FOLDER, PAGE, golden_of, series
from kinds_page import page
from kinds_truth import Golden, series_of
from nswire import kinds
from nswire.kinds import TABLE as KINDS
from nswire.kinds.bond import LACP
from nswire.model.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SERIES = series()
OLDEST_AND_NEWEST = {"5.10", "6.1", "6.12"}


def golden(name: str) -> Golden:
    """What is true of a recording."""
    found = golden_of(name)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def recordings() -> dict[str, Checks]:
    """Each recording, looked at once (its file stays open meanwhile), beside the truth about it."""
    return {
        name: Checks(nswire.load(FOLDER / f"{name}.nsw"), known.truth, known.shown, frozenset(known.facets))
        for name in SERIES
        for known in (golden(name),)
    }


EACH = [(name, case) for name in SERIES for case in golden(name).truth.cases()]


@pytest.mark.parametrize(("name", "case"), EACH)
def test_each_kind(recordings: dict[str, Checks], name: str, case: str) -> None:
    """Wires, details and way up, of all links of a case."""
    recordings[name].all_of(case)


@pytest.mark.parametrize("name", SERIES)
def test_a_recording(recordings: dict[str, Checks], name: str) -> None:
    """It is of the kernel that it is called after, all that was made is in it, and nothing else."""
    assert recordings[name].topology.taken.kernel == golden(name).kernel
    assert series_of(golden(name).kernel) == name
    recordings[name].nothing_else()


def test_each_word_is_confirmed(recordings: dict[str, Checks]) -> None:
    """What nswire can say of kinds that the newest kernel makes, iproute2 said, too, of at least one link."""
    checks = recordings[SERIES[-1]]
    for made in checks.truth.links:
        if made.ns not in checks.truth.hidden:
            checks.details(made)
    made_kinds = {made.kind for made in checks.truth.links}
    unconfirmed = set()
    for kind in (kind for kind in KINDS if kind.name in made_kinds):
        # kinds of one driver share a table, and not every word in it is one of each of them
        for prefix, fields, alike in (
            ("", kind.fields, [other for other in KINDS if other.fields is kind.fields]),
            ("port of ", kind.port_fields, [kind]),
        ):
            said = {name for of, name in checks.said if of in {f"{prefix}{other.name}" for other in alike}}
            words = {field.name for field in fields.values()} - newer(kind.name)
            unconfirmed |= {(f"{prefix}{kind.name}", word) for word in words} - {
                (f"{prefix}{kind.name}", name) for name in said
            }
    assert unconfirmed == set(UNCONFIRMED)


UNCONFIRMED = {("sit", "external"): "the table is that of ipip, which has it; sit has no such mode"}
"""Words that no link of the laboratory says, and why."""


Told = dict[str, Value]


@pytest.fixture(scope="module")
def told(recordings: dict[str, Checks]) -> dict[str, list[Told]]:
    """What each link of a kind says of itself, and each port of a master's kind, on all kernels."""
    found: dict[str, list[Told]] = {}
    for checks in recordings.values():
        for made in checks.truth.links:
            fact = checks.link(made).fact
            found.setdefault(fact.kind, []).append(flat(kinds.details(fact)))
            found.setdefault(f"port of {fact.slave_kind}", []).append(flat(kinds.port_details(fact)))
    return found


def flat(said: Mapping[str, Value]) -> Told:
    """With what is nested in a word beside it."""
    inner = [value for value in said.values() if isinstance(value, dict)]
    return {name: value for one in (said, *inner) for name, value in one.items()}


def tables() -> Iterator[tuple[str, list[str], list[str]]]:
    """Each table of words: what to call it, the kinds that share it, the words."""
    for prefix, fields_of in (("", attrgetter("fields")), ("port of ", attrgetter("port_fields"))):
        for fields in {id(fields_of(kind)): fields_of(kind) for kind in KINDS}.values():
            names = [prefix + kind.name for kind in KINDS if fields_of(kind) is fields]
            if fields:
                words = dict.fromkeys(field.name for field in fields.values())
                yield names[0], names, [word for word in words if word not in newer(names[0])]
    yield "bond", ["bond"], [field.name for field in LACP.values()]


TABLES = list(tables())


@pytest.mark.parametrize(("name", "names", "words"), TABLES, ids=[name for name, _, _ in TABLES])
def test_no_word_is_always_the_same(
    told: dict[str, list[Told]], name: str, names: list[str], words: list[str]
) -> None:
    """What is read from the wrong attribute may well agree with iproute2 where both are 0: two values can not.

    Nor may two words always agree with each other, so that one could be read for the other.
    """
    seen = [one for each in names for one in told.get(each, [])]
    if not seen:
        assert name in NEVER_MADE
        return
    assert name not in NEVER_MADE
    constant = {word for word in words if len({str(one.get(word)) for one in seen}) < 2}
    assert constant == CONSTANT.get(name, {}).keys()
    alike = {
        pair for pair in combinations(words, 2) if all(one.get(pair[0]) == one.get(pair[1]) for one in seen)
    }
    assert alike == ALIKE.get(name, {}).keys()


NEVER_MADE = {
    "bareudp": "none of Debian's kernels has it",
    "amt": "none of Debian's kernels has it",
}
"""Kinds with words of which no kernel here makes a link: what is read of them is by the header file alone."""
CONSTANT: dict[str, dict[str, str]] = {
    "sit": {"external": "the table is that of ipip, which has it; sit has no such mode"},
    "port of bridge": dict.fromkeys(
        ("proxy_arp", "mcast_flood", "bcast_flood"), "not among the laboratory's switches of ports yet"
    ),
    "gtp": {"hsize": "always as it is asked for, which is not the kernel's own choice"},
}
"""Words that have one value in the laboratory, and why."""
ALIKE: dict[str, dict[tuple[str, str], str]] = {
    "port of bridge": {("mcast_flood", "bcast_flood"): "not among the laboratory's switches of ports yet"},
    "macsec": {("encrypt", "replay_protect"): "both are on where one is; tests/kinds tells them apart"},
}
"""Words that are always the same in the laboratory, and why."""


def test_there_are_recordings_of_the_kernels_that_are_promised() -> None:
    """Debian's from 5.10 on, and a newer one than all of them."""
    assert set(SERIES) >= OLDEST_AND_NEWEST
    assert SERIES[-1] not in OLDEST_AND_NEWEST


def test_the_page_is_made_of_the_recordings() -> None:
    assert PAGE.read_text() == page(), "make it anew: tests/kernels/page"
