"""Recordings of all kernels, replayed on any machine: the same comparisons as on the kernels themselves.

`make recordings` makes them, and docs/kernels.md of them, anew.
"""

from __future__ import annotations

import pytest

import nswire
from kinds_checks import Checks
from kinds_golden import FOLDER, PAGE, golden_of, series
from kinds_page import page
from kinds_truth import Golden, series_of
from nswire.kinds import TABLE as KINDS

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
            unconfirmed |= {(f"{prefix}{kind.name}", field.name) for field in fields.values()} - {
                (f"{prefix}{kind.name}", name) for name in said
            }
    assert unconfirmed == set(UNCONFIRMED)


UNCONFIRMED = {("sit", "external"): "the table is that of ipip, which has it; sit has no such mode"}
"""Words that no link of the laboratory says, and why."""


def test_there_are_recordings_of_the_kernels_that_are_promised() -> None:
    """Debian's from 5.10 on, and a newer one than all of them."""
    assert set(SERIES) >= OLDEST_AND_NEWEST
    assert SERIES[-1] not in OLDEST_AND_NEWEST


def test_the_page_is_made_of_the_recordings() -> None:
    assert PAGE.read_text() == page(), "make it anew: tests/kernels/page"
