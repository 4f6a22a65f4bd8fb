"""What must be true of every picture: all of it is there, once, and nothing lies upon anything else."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import pytest
from drawings import DOWN, HOME, NO_CARRIER, UP, Told, build_everything, build_many, fact, made, space
from hypothesis import given
from hypothesis import strategies as st

from nswire.draw import Size, Wishes, picture
from nswire.draw.geometry import shorten_kind
from nswire.draw.layout import lay_out
from nswire.draw.selection import choose
from nswire.draw.svg import PIXELS, svg
from nswire.draw.text import LAYOUTS, lines, text
from nswire.model.values import End, Evidence, Far, Loose, Wire

if TYPE_CHECKING:
    from nswire.draw.geometry import Box, Geometry, Metrics
    from nswire.draw.scene import Scene
    from nswire.model.topology import Topology

FOLD = Size(cards=0, rows=0, few=2)
NAMES = st.sampled_from(
    ["eth0", "veth1", "tap-7", "日本", "שלום", "a" * 15, "x\x1b[31m", "</svg>", "e\u0301"]
)
KINDS = ("veth", "bridge", "vlan", "macvlan", "tun", "", "dummy")
METRICS = (PIXELS, *(LAYOUTS[at] for at in (0, 8, 9, 15)))


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    """Namespaces with links of all kinds, joined in ways that no kernel would come up with."""
    count = draw(st.integers(1, 7))
    spaces = [space(HOME + at, "host" if not at else f"ns{at}", home=not at) for at in range(count)]
    ends = [End(HOME + ns, 2 + at) for ns in range(count) for at in range(draw(st.integers(0, 6)))]
    facts: dict[int, list[Any]] = {ns.key: [] for ns in spaces}
    for end in ends:
        beside = [other.ifindex for other in ends if other.ns == end.ns and other != end]
        master = draw(st.one_of(st.none(), st.sampled_from(beside))) if beside else None
        state = draw(st.sampled_from([UP, UP, DOWN, NO_CARRIER]))
        mtu = draw(st.sampled_from([1500, 1500, 1450]))
        facts[end.ns].append(
            fact(end.ifindex, draw(NAMES), draw(st.sampled_from(KINDS)), master=master, mtu=mtu, **state)
        )
    pairs = st.tuples(st.sampled_from(ends), st.sampled_from(ends)) if len(ends) > 1 else st.nothing()
    single: set[End] = set()
    wires, late, loose = [], [], []
    evidence: st.SearchStrategy[Evidence] = st.sampled_from(["proved", "mutual", "inferred"])
    for a, b in draw(st.lists(pairs, max_size=12)) if len(ends) > 1 else ():
        relation = draw(st.sampled_from(["peer", "peer", "lower", "redirect", "patch", "open"]))
        if a == b or (relation == "peer" and {a, b} & single):
            continue
        if relation == "peer":
            single |= {a, b}
            wires.append(Wire("peer", a, b, draw(evidence)))
        elif relation == "lower":
            wires.append(Wire("lower", a, b, draw(evidence)))
        elif relation == "open":
            loose.append(Loose(a, "peer", "ambiguous", b.ifindex, None, candidates=(b,)))
        else:
            late.append(Wire(relation, a, b, "proved"))
    served = draw(st.lists(st.sampled_from(ends), max_size=3)) if ends else []
    late += [Wire("tap", end, None, "proved", to=Far("process", "qemu", HOME, end.ifindex)) for end in served]
    return made(spaces, facts, wires, Told(wires=dict.fromkeys(late)), loose=loose)


def check_everything_is_there(topology: Topology, scene: Scene) -> None:
    drawn = choose(topology, Wishes())
    ends = Counter(end for card in scene.cards for row in card.rows for end in row.ends)
    assert ends == Counter(link.end for links in drawn.links.values() for link in links)
    wires = Counter(strand.wire for strand in drawn.strands if strand.wire is not None)
    assert Counter(wire for cord in scene.cords for wire in cord.wires) == wires
    assert sum(len(cord.loose) for cord in scene.cords) == sum(one.loose is not None for one in drawn.strands)
    spaces = Counter(ns for card in scene.cards for ns in card.spaces)
    assert spaces == Counter(list(topology.namespaces))
    told = {wire for wire in topology.all_wires() if topology.get(wire.a) is not None}
    assert {strand.wire for strand in drawn.strands if strand.wire is not None} == told


def overlap(a: Box, b: Box) -> bool:
    return a.x < b.right and b.x < a.right and a.y < b.bottom and b.y < a.bottom


def check_nothing_overlaps(geometry: Geometry) -> None:
    scene = geometry.scene
    assert not [pair for pair in combinations(geometry.cards.values(), 2) if overlap(*pair)]
    for card in scene.cards:
        outer, below = geometry.cards[card.key], geometry.cards[card.key].y
        for row in card.rows:
            box = geometry.rows[row.key]
            assert outer.x < box.x
            assert box.right <= outer.right
            assert below <= box.y
            below = box.bottom
        assert below <= outer.bottom


Segment = tuple[bool, int, int, int, str]


def segments(geometry: Geometry) -> list[Segment]:
    """(vertical?, where, from, to, cord) of the parts of the cords that are not in trees."""
    found = []
    for cord in geometry.scene.cords:
        if cord.tree:
            continue
        for (x1, y1), (x2, y2) in pairwise(geometry.cords[cord.key]):
            assert x1 == x2 or y1 == y2
            if (x1, y1) != (x2, y2):
                vertical = x1 == x2
                a, b = sorted((y1, y2) if vertical else (x1, x2))
                found.append((vertical, x1 if vertical else y1, a, b, cord.key))
    return found


def check_cords(geometry: Geometry) -> None:
    parts = segments(geometry)
    for one, other in combinations(parts, 2):
        if one[4] != other[4] and one[:2] == other[:2]:
            assert one[3] <= other[2] or other[3] <= one[2], (one, other)
    for vertical, where, start, stop, key in parts:
        for card, box in geometry.cards.items():
            low, high = (box.x, box.right) if vertical else (box.y, box.bottom)
            first, last = (box.y, box.bottom) if vertical else (box.x, box.right)
            inside = low < where < high and start < last and first < stop
            assert not inside, f"{key} runs through {card}"
    for cord in geometry.scene.cords:
        path = geometry.cords[cord.key]
        for port, (x, y) in ((cord.a, path[0]), (cord.b, path[-1])) if not cord.tree else ():
            outer = geometry.cards[port.card]
            box = geometry.rows[port.row] if port.row else outer
            assert x in (outer.x, outer.right)
            assert box.y <= y < box.bottom


def check(topology: Topology, scene: Scene, metrics: Metrics) -> None:
    check_everything_is_there(topology, scene)
    geometry = lay_out(scene, metrics)
    check_nothing_overlaps(geometry)
    check_cords(geometry)
    assert lay_out(scene, metrics) == geometry


@given(topologies(), st.sampled_from(METRICS), st.booleans())
def test_any_topology_is_drawn_whole(topology: Topology, metrics: Metrics, fold: bool) -> None:  # noqa: FBT001
    scene = picture(topology, group="bridge" if fold else "none", size=FOLD if fold else Size())
    check(topology, scene, metrics)


@pytest.mark.parametrize("metrics", METRICS, ids=lambda one: f"{one.columns}-{one.widest}")
@pytest.mark.parametrize("group", ["none", "bridge", "owner"])
def test_everything_is_drawn_whole(metrics: Metrics, group: Any) -> None:
    topology = build_everything()
    check(topology, picture(topology, group=group, size=FOLD), metrics)


@given(topologies(), st.sampled_from([60, 80, 120]))
def test_lines_of_text_are_as_wide_as_they_say(topology: Topology, columns: int) -> None:
    from nswire.draw.geometry import cells

    made_lines = lines(lambda size: picture(topology, size=size), columns)
    for line in made_lines:
        if not line or line[0][0].startswith("not drawn"):
            continue
        assert cells("".join(piece for piece, _ in line)) <= columns
    assert all(line.isprintable() for line in text(lambda size: picture(topology, size=size)).splitlines())


def test_a_tower_of_masters_stays_in_its_card() -> None:
    """A recording may claim any depth, and masters in a circle."""
    tower = [fact(at, f"l{at}", "bridge", master=at + 1) for at in range(2, 300)]
    circle = [fact(400, "a", "bridge", master=401), fact(401, "b", "bridge", master=400)]
    topology = made([space(HOME, "host", home=True)], {HOME: [*tower, *circle]}, [], Told())
    for metrics in METRICS:
        check(topology, picture(topology, group="none"), metrics)


# -- a small change moves little ---------------------------------------------------------------------------------


def test_one_namespace_more_moves_only_what_is_below() -> None:
    before = lay_out(picture(build_many(20), group="none"), PIXELS)
    after = lay_out(picture(build_many(21), group="none"), PIXELS)
    titles = {card.title: after.cards[card.key] for card in after.scene.cards}
    for card in before.scene.cards:
        if card.type != "home":
            assert before.cards[card.key] == titles[card.title]


def test_most_cords_of_a_host_are_straight() -> None:
    geometry = lay_out(picture(build_many(30), group="none"), PIXELS)
    assert all(len(geometry.cords[cord.key]) == 2 for cord in geometry.scene.cords if not cord.tree)


# -- big hosts ---------------------------------------------------------------------------------------------------


def test_a_thousand_namespaces_are_few_cards_and_who_is_down_is_seen() -> None:
    scene = picture(build_many(1000, down=2))
    assert [card.title for card in scene.cards] == ["host", "998 namespaces", "ns00998", "ns00999"]
    states = {row.state for card in scene.cards for row in card.rows}
    assert states == {"", "DOWN", "NO-CARRIER"}


def test_a_thousand_namespaces_unfolded_are_less_than_three_megabytes() -> None:
    from nswire.draw.html import html

    topology = build_many(1000)
    assert len(svg(picture(topology, group="none")).encode()) < 3_000_000
    assert len(html(picture(topology)).encode()) < 3_000_000


@pytest.mark.parametrize(
    ("kind", "most", "told"),
    [
        ("vxlan id 123 local 10.99.0.1", 40, "vxlan id 123 local 10.99.0.1"),
        ("vxlan id 123 local 10.99.0.1", 20, "vxlan id 123"),
        ("vxlan id 123 local 10.99.0.1", 10, "vxlan 123"),
        ("vxlan id 123 local 10.99.0.1", 8, "vxlan…"),
        ("vxlan id 123 local 10.99.0.1", 4, "vx…n"),
        ("tun tap", 6, "tun…"),
        ("vlan id 7", 8, "vlan 7"),
        ("NIC", 3, "NIC"),
    ],
)
def test_a_kind_loses_whole_words(kind: str, most: int, told: str) -> None:
    """Two vxlans used to be `vxlan….1` both, and a tap `tun …p`."""
    assert shorten_kind(kind, most) == told
