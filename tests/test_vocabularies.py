"""Each vocabulary is one table: what the code says is in it, and what is in it is said."""

from __future__ import annotations

import ast
import struct
from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import replace

import nswire
from nswire import facets, kinds, owners
from nswire.handles import table
from nswire.kinds.kind import Kind
from nswire.model import owner_types, relations, unresolved
from nswire.model.values import LinkFact, State
from nswire.owners import neutron
from nswire.path import devices

ROOT = Path(nswire.__file__).parent


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


def test_every_type_that_an_owner_source_yields_has_a_row() -> None:
    """A type without a row could not be asked for by a prefix, and would be said in no words of its own."""
    yielded = {one.type for one in (*neutron.NAMESPACES, *neutron.LINKS)}
    for file in Path(owners.__file__).parent.glob("*.py"):
        calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
        made = [call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Owner"]
        yielded |= {str(one.value) for one in made if isinstance(one, ast.Constant)}
    assert len(yielded) > len(neutron.NAMESPACES)
    assert yielded == {row.name for row in owner_types.TABLE}


def test_every_prefix_of_an_owner_is_a_handle() -> None:
    """What completion offers and errors speak of is what `handles/` reads."""
    assert owner_types.WANTED.keys() <= {family.prefix for family in table.OWNERS}


def test_nobody_else_has_a_list_of_owner_types() -> None:
    """Two types in one collection are such a list; owner sources have those that they yield."""
    names, lists = {row.name for row in owner_types.TABLE}, set()
    elsewhere = [file for file in sorted(ROOT.rglob("*.py")) if file.parent.name != "owners"]
    for file in elsewhere:
        for node in ast.walk(ast.parse(file.read_text())):
            items = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", [])
            constants = {one.value for one in items if isinstance(one, ast.Constant)}
            if len(constants & names) > 1:
                lists.add(f"{file.relative_to(ROOT)}: {sorted(map(str, constants & names))}")
    assert not lists


@pytest.mark.parametrize("row", [row for row in kinds.TABLE if row.passing_state], ids=lambda row: row.name)
def test_the_state_in_which_a_port_passes_frames_is_one_that_its_kind_has(row: Kind) -> None:
    """Such a port says nothing of it; one in any other state does."""
    state = next(number for number, field in row.port_fields.items() if field.name == "state")
    port = LinkFact(2, "p0", "", None, None, 1, "", 1500, 6, 0, 1, (), "", "", "", "", b"", row.name, b"")
    ports = [replace(port, slave_data=struct.pack("=HHB3x", 5, state, value)) for value in range(2)]
    ports += [replace(port, slave_data=struct.pack("=HHB3x", 5, state, 3))]
    assert len({kinds.blocked(one) for one in ports}) == len(ports)
    assert "" in {kinds.blocked(one) for one in ports}
