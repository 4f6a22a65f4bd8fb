"""What is chosen, what is folded, and what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from drawings import DB, DOWN, HIDDEN, HOME, NO_CARRIER, WEB, Told, build_many, fact, made, peer, space

from nswire.draw import TABLE, Followed, Size, Wishes, picture
from nswire.draw.build import DIES, TARGET, Grouping
from nswire.draw.scene import Chip
from nswire.draw.svg import svg
from nswire.draw.tooltips import of_cord
from nswire.model.values import End, Far, LinkFact, Owner, Wire

if TYPE_CHECKING:
    from nswire.draw.scene import Card, Scene
    from nswire.model.topology import Topology


def card(scene: Scene, title: str) -> Card:
    return next(card for card in scene.cards if card.title == title)


def test_the_host_reads_from_its_bridge_to_its_nics(everything: Topology) -> None:
    host = card(picture(everything), "host")
    assert [(row.depth, row.name) for row in host.rows][:6] == [
        (0, "br0"), (1, "bond0.100"), (2, "bond0"), (3, "eno1"), (3, "eno2"), (1, "vethweb"),
    ]  # fmt: skip
    assert [row.name for row in host.rows if row.nic] == ["eno1", "eno2"]
    assert {row.state for row in host.rows} == {"", "NO-CARRIER", "LOWERLAYERDOWN", "DOWN"}


def test_what_nobody_uses_is_left_out_and_told(everything: Topology) -> None:
    scene = picture(everything)
    names = {row.name for one in scene.cards for row in one.rows}
    assert not names & {"lo", "gre0"}
    assert scene.left_out == ("1 unused tunnel that the kernel made (gre0, tunl0 ...)",)


def test_a_virtual_switch_forwards_although_its_own_link_is_down() -> None:
    """Neutron leaves br-int down: nothing is broken by that, while what is plugged into it may be."""
    links = [
        fact(2, "br-int", "openvswitch", **DOWN),
        fact(3, "br-tun", "openvswitch", **DOWN),
        fact(4, "qvo1"),
        fact(5, "qvo2", **DOWN),
        fact(6, "br0", "bridge", **DOWN),
        fact(7, "veth0", master=6),
    ]
    tunnel = Far("tunnel", "vx0")
    late = Told(
        wires=[
            Wire("port", End(HOME, 4), End(HOME, 2), "proved"),
            Wire("port", End(HOME, 5), End(HOME, 2), "proved"),
            Wire("patch", End(HOME, 2), End(HOME, 3), "proved"),
            Wire("underlay", End(HOME, 3), None, "proved", to=tunnel),
        ]
    )
    scene = picture(made([space(HOME, "host", home=True)], {HOME: links}, [], late))
    broken = {scene.row(cord.a.row).name: cord.broken for cord in scene.cords}
    assert broken == {"qvo1": False, "qvo2": True, "br-int": False, "br-tun": False, "veth0": True}
    states = {row.name: (row.mark, row.state) for one in scene.cards for row in one.rows}
    assert states["br-int"] == states["br-tun"] == ("up", "")
    assert states["br0"] == states["qvo2"] == ("down", "DOWN")


def test_a_process_is_one_card_whatever_it_serves() -> None:
    links = {HOME: [fact(2, "br0", "tun")], HOME + 1: [fact(2, "in0", "tun")]}
    late = Told(
        wires=[
            Wire("tap", end, None, "proved", to=Far("process", "ovs-vswitchd", HOME, 48))
            for end in (End(HOME, 2), End(HOME + 1, 2))
        ]
    )
    scene = picture(made([space(HOME, "host", home=True), space(HOME + 1, "svc")], links, [], late))
    assert [one.title for one in scene.cards] == ["host", "svc", "pid 48 (ovs-vswitchd)"]


def test_owners_are_titles(everything: Topology) -> None:
    web = card(picture(everything), "container:web")
    assert web.subtitle == "net:[4026531841]"
    assert card(picture(everything), "VM build-7").subtitle == "pid 4242 (qemu-system-x86)"


def test_what_is_not_known_is_drawn_as_such(everything: Topology) -> None:
    scene = picture(everything)
    unknown = [cord for cord in scene.cords if cord.certainty == "unknown"]
    told = {of_cord(scene, cord) for cord in unknown}
    assert len(told) == 5
    assert card(scene, "nsid:5@host").type == "hidden"
    assert card(scene, "closed").note == "its links cannot be read"
    assert scene.unseen[0] == "1 namespace: its links: Operation not permitted"


def test_mtus_that_differ_are_told_at_both_ends(everything: Topology) -> None:
    scene = picture(everything)
    notes = {row.name: row.notes for one in scene.cards for row in one.rows}
    assert notes["vethdb"] == (Chip("MTU 1450", "warn"),)
    assert any(cord.notes == ("MTU 1450 and 1500",) for cord in scene.cords)


def test_only_what_is_up(everything: Topology) -> None:
    scene = picture(everything, Wishes(only_up=True))
    assert all(row.mark == "up" for one in scene.cards for row in one.rows)
    assert "3 links through which nothing passes" in scene.left_out


@pytest.mark.parametrize(
    ("states", "note"),
    [
        ((DOWN,), "1 link, down"),
        ((DOWN, NO_CARRIER), "2 links, nothing passes"),
        ((), "no links but loopback"),
    ],
)
def test_a_namespace_whose_links_are_left_out(states: tuple[dict[str, Any], ...], note: str) -> None:
    """It has links; that they are not wanted is no reason to say that it has none."""
    inside = [
        fact(1, "lo", "", flags=0x9),
        *(fact(at, f"eth{at}", **one) for at, one in enumerate(states, 2)),
    ]
    spaces = [space(HOME, "host", home=True), space(DB, "db2")]
    topology = made(spaces, {HOME: [fact(2, "eth0", "")], DB: inside}, (), Told())
    assert card(picture(topology, Wishes(only_up=True)), "db2").note == note


def test_within_reach(everything: Topology) -> None:
    """The way up is drawn to its end, other clients of the bridge are not; what leads out of the picture is counted."""
    scene = picture(everything, Wishes(links=(End(WEB, 2),), hops=1))
    assert [one.title for one in scene.cards] == ["host", "container:web"]
    rows = {row.name: row for row in scene.cards[0].rows}
    assert list(rows) == ["br0", "bond0.100", "bond0", "eno1", "eno2", "vethweb", "vethold"]
    assert scene.cards[0].note == "14 more links"
    assert rows["br0"].notes == (Chip("+3 wires"),)


def test_a_namespace_without_wires_can_be_asked_for(everything: Topology) -> None:
    lone = next(ns.key for ns in everything.namespaces.values() if ns.label.startswith("</svg>"))
    scene = picture(everything, Wishes(spaces=(lone,)))
    assert [one.title for one in scene.cards] == ["</svg><script>alert('x')</script>"]


def test_a_trail_is_a_part_of_the_picture(everything: Topology) -> None:
    """A way of a packet: its caption, its rows and cords in order."""
    wires = list(everything.all_wires())
    web = next(
        wire for wire in wires if wire.relation == "peer" and WEB in (wire.a.ns, wire.b.ns if wire.b else 0)
    )
    port = next(wire for wire in wires if wire.relation == "port" and wire.a == End(HOME, 7))
    follow = Followed("web to br0: delivered", (End(WEB, 2), End(HOME, 7), End(HOME, 6)), (web, port))
    scene = picture(everything, follow=follow)
    assert scene.trail is not None
    assert scene.trail.caption == "web to br0: delivered"
    assert [scene.row(key).name for key in scene.trail.rows] == ["eth0", "vethweb", "br0"]
    assert [scene.cord(key).relation for key in scene.trail.cords] == ["peer", "port"]


def test_where_it_dies_and_where_it_was_to_go_are_told(everything: Topology) -> None:
    """In every format, by a note of the row; the verdict by its own style."""
    follow = Followed("it: dropped", (End(HOME, 7),), (), "dropped", End(HOME, 7), (End(WEB, 2),))
    scene = picture(everything, follow=follow)
    assert scene.trail is not None
    assert scene.trail.fate == "dropped"
    noted = {note: row.name for card in scene.cards for row in card.rows for note in row.notes[:1]}
    assert (noted[DIES], noted[TARGET]) == ("vethweb", "eth0")
    for one in TABLE:
        drawn = one.draw(lambda size: picture(everything, size=size, follow=follow))
        assert one.name in ("dot", "mermaid") or (DIES.text in drawn and TARGET.text in drawn), one.name
    assert 'class="caption dropped"' in svg(scene)


# -- folding -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("group", "cards"), [("none", 61), ("bridge", 5)])
def test_those_that_are_alike_are_drawn_once(group: Grouping, cards: int) -> None:
    scene = picture(build_many(60, down=3), group=group)
    assert len(scene.cards) == cards


def test_small_pictures_are_not_folded() -> None:
    assert len(picture(build_many(30)).cards) == 31


def test_what_was_asked_for_is_not_folded() -> None:
    scene = picture(build_many(60), Wishes(links=(End(HOME + 5, 2),), hops=9))
    assert {one.title for one in scene.cards} == {"host", "ns00004", "59 namespaces"}


def owned(count: int) -> Topology:
    """Containers of two compose projects on one bridge."""
    spaces, wires, owners = [space(HOME, "host", home=True)], [], {}
    links: dict[int, list[LinkFact]] = {HOME: [fact(3, "br0", "bridge")]}
    for number in range(count):
        ns = HOME + 1 + number
        spaces.append(space(ns, f"net:[{ns}]"))
        links[ns] = [fact(2, "eth0")]
        links[HOME].append(fact(100 + number, f"veth{number}", master=3))
        wires.append(peer(End(ns, 2), End(HOME, 100 + number)))
        project = "shop" if number % 2 else "blog"
        owners[ns] = (Owner("container", f"{project}-{number}", "", "docker", data=(("project", project),)),)
    return made(spaces, links, wires, Told(owners=owners))


def test_by_owner_or_by_bridge() -> None:
    topology = owned(60)
    assert [one.title for one in picture(topology).cards] == ["host", "60 containers"]
    by_owner = picture(topology, group="owner").cards
    assert [(one.title, one.subtitle) for one in by_owner] == [
        ("host", "node-7"),
        ("30 containers", "blog-0 … blog-58"),
        ("30 containers", "shop-1 … shop-59"),
    ]


def test_bridges_with_many_ports_stay_apart() -> None:
    """Eight networks of a cloud: each bridge is a row of its own, and so are the namespaces on it."""
    spaces, wires = [space(HOME, "host", home=True)], []
    links: dict[int, list[LinkFact]] = {HOME: []}
    for network in range(8):
        links[HOME].append(fact(10 + network, f"br{network}", "bridge"))
        for number in range(20):
            ns, outer = HOME + 1 + network * 20 + number, 1000 + network * 20 + number
            spaces.append(space(ns, f"vm-{network:02d}-{number}"))
            links[ns] = [fact(2, "eth0")]
            links[HOME].append(fact(outer, f"tap{network}-{number}", master=10 + network))
            wires.append(peer(End(ns, 2), End(HOME, outer)))
    scene = picture(made(spaces, links, wires, Told()))
    assert len(scene.cards) == 9
    assert {one.many for one in scene.cards} == {1, 20}
    assert len({cord.network for cord in scene.cords}) == 8


def test_hybrid_bridges_of_many_vms_are_folded_with_what_hangs_on_them() -> None:
    """Neutron's qbr: a small bridge for each VM, alike down to its ports."""
    links = {HOME: [fact(3, "br-int", "bridge")]}
    wires = []
    for number in range(50):
        qbr, qvb, qvo, tap = (100 + number * 4 + at for at in range(4))
        links[HOME] += [
            fact(qbr, f"qbr{number:x}", "bridge"),
            fact(qvb, f"qvb{number:x}", master=qbr),
            fact(qvo, f"qvo{number:x}", master=3),
            fact(tap, f"tap{number:x}", "tun", master=qbr),
        ]
        wires.append(peer(End(HOME, qvb), End(HOME, qvo)))
    scene = picture(made([space(HOME, "host", home=True)], links, wires, Told()))
    assert [(row.depth, row.name, row.many) for row in scene.cards[0].rows] == [
        (0, "br-int", 1), (1, "qvo…", 50), (0, "qbr…", 50), (1, "qvb…", 50), (1, "tap…", 50),
    ]  # fmt: skip


def test_a_hidden_namespace_has_its_place_in_the_order(everything: Topology) -> None:
    """Home first, then by label, hidden ones last, then what is no namespace."""
    order = [one.spaces[0] if one.spaces else None for one in picture(everything).cards]
    assert order[0] == HOME
    assert order[order.index(HIDDEN) + 1] is None
    assert order.index(DB) < order.index(WEB)


def test_sizes_say_when_it_is_much() -> None:
    many = build_many(10)
    assert len(picture(many, size=Size(cards=5, rows=5, few=2)).cards) == 2
    assert len(picture(many, size=Size(cards=5, rows=5, few=20)).cards) == 11
