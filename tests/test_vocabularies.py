"""Each vocabulary is one table: what the code says is in it, and what is in it is said."""

from __future__ import annotations

from typing import get_args

import pytest

from nswire import facets, kinds
from nswire.model import relations, unresolved
from nswire.model.values import State


def test_every_relation_that_a_kind_or_a_facet_makes_has_a_row() -> None:
    """A new relation is a row in `model/relations.py`, from which the picture, the text and the page take its words."""
    made = {"port", *(kind.relation for kind in kinds.TABLE if kind.relation is not None)}
    made |= {relation for facet in facets.TABLE for relation in facet.wires}
    assert made <= {row.name for row in relations.TABLE}


def test_every_state_of_an_end_has_a_row() -> None:
    """And no row is of a state that there is not."""
    assert sorted(row.name for row in unresolved.TABLE) == sorted(get_args(State))


@pytest.mark.parametrize("row", relations.TABLE, ids=lambda row: row.name)
def test_a_relation_names_both_its_ends(row: relations.Relation) -> None:
    """The sentence is about `a` and `b`, in the order in which a wire has them."""
    assert "one" in row.sentence.format(a="one", b="two")
    assert "two" in row.sentence.format(a="one", b="two")


def test_a_relation_that_nobody_knows_is_said_as_it_is() -> None:
    """A newer recording may have one; a brace in it is no place for a value."""
    assert relations.of("a{b}").sentence.format(a="x", b="y") == "x is joined to y (a{b})"
