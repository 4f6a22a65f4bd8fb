"""Each vocabulary is one table: what the code says is in it, and what is in it is said."""

from __future__ import annotations

from typing import get_args

import pytest

from nswire import facets, kinds
from nswire.model import relations, unresolved
from nswire.model.values import State
from nswire.path import devices


def test_every_relation_that_a_kind_or_a_facet_makes_has_a_row() -> None:
    """A new relation is a row in `model/relations.py`, from which the picture, the text and the page take its words."""
    made = {"port", *(kind.relation for kind in kinds.TABLE if kind.relation is not None)}
    made |= {relation for facet in facets.TABLE for relation in facet.wires}
    assert made <= {row.name for row in relations.TABLE}


def test_every_state_of_an_end_has_a_row() -> None:
    """And no row is of a state that there is not."""
    assert sorted(row.name for row in unresolved.TABLE) == sorted(get_args(State))


def test_every_kind_has_a_packet_model_or_a_reason_why_not() -> None:
    """A kind that is added to `kinds/` says what becomes of a packet there: a row of `devices.TABLE`, or of `NOT_FOLLOWED`."""
    known = {row.name for row in kinds.TABLE}
    assert known - devices.TRANSMIT.keys() - devices.NOT_FOLLOWED.keys() == set()
    assert devices.NOT_FOLLOWED.keys() - known == set()
    assert devices.NOT_FOLLOWED.keys() & devices.TRANSMIT.keys() == set()
    assert set(devices.RX_HANDLERS) <= devices.NOT_FOLLOWED.keys()


def test_no_kind_has_two_packet_models() -> None:
    """The later row would win, without a word."""
    named = [kind for row in devices.TABLE for kind in row.kinds]
    assert {kind for kind in named if named.count(kind) > 1} == set()


@pytest.mark.parametrize("row", relations.TABLE, ids=lambda row: row.name)
def test_a_relation_names_both_its_ends(row: relations.Relation) -> None:
    """The sentence is about `a` and `b`, in the order in which a wire has them."""
    assert "one" in row.sentence.format(a="one", b="two")
    assert "two" in row.sentence.format(a="one", b="two")


def test_a_relation_that_nobody_knows_is_said_as_it_is() -> None:
    """A newer recording may have one; a brace in it is no place for a value."""
    assert relations.of("a{b}").sentence.format(a="x", b="y") == "x is joined to y (a{b})"
