"""Names from outside do nothing to any format, and the programs that read a format do read it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from drawings import HOME, HOSTILE, Told, build_many, fact, hostile, made, peer, space
from hypothesis import given
from hypothesis import strategies as st

from nswire.draw import TABLE, Followed, by_suffix, dot, picture
from nswire.draw.html import html, inert
from nswire.draw.mermaid import MOST_EDGES, MOST_TEXT, escaped, mermaid
from nswire.draw.svg import svg
from nswire.draw.text import text
from nswire.model.values import End, LinkFact

if TYPE_CHECKING:
    from nswire.model.topology import Topology


def one_of_each(name: str) -> dict[str, str]:
    topology = hostile(name)
    follow = Followed(name, (End(HOME, 2),))
    return {one.name: one.draw(lambda size: picture(topology, size=size, follow=follow)) for one in TABLE}


class Tags(HTMLParser):
    """The elements of a page and their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


ALLOWED = set(
    "html head meta title style body header h1 form input ul div label select option button main svg rect text g path "
    "aside script circle".split()
)


def check_page(page: str) -> None:
    tags = Tags()
    tags.feed(page)
    assert {tag for tag, _ in tags.seen} <= ALLOWED
    assert sum(tag == "script" for tag, _ in tags.seen) == 2
    for _, attributes in tags.seen:
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "href", "src")]


def check_svg(drawn: str) -> None:
    root = ET.fromstring(drawn)
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert names <= {"svg", "style", "rect", "text", "g", "path", "title", "circle"}
    assert all(not name.startswith("on") for element in root.iter() for name in element.attrib)


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_names(name: str) -> None:
    drawn = one_of_each(name)
    check_page(drawn["html"])
    check_svg(drawn["svg"])
    for one in drawn.values():
        assert all(character.isprintable() or character == "\n" for character in one)
        one.encode("utf-8")


@given(st.text(max_size=40))
def test_any_name(name: str) -> None:
    drawn = one_of_each(name)
    check_page(drawn["html"])
    check_svg(drawn["svg"])


def test_json_in_a_page_ends_nothing() -> None:
    value = {"a": "</script><!--\u2028&", "b": ["]]>"]}
    made_inert = inert(value)
    assert not set("<>&\u2028\u2029") & set(made_inert)
    assert json.loads(made_inert) == value


def test_the_policy_of_the_page_allows_its_own_script_alone(everything: Topology) -> None:
    page = html(picture(everything))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/=]+'; script-src 'sha256-[\w+/=]+'; base-uri 'none'; form-action 'none'",
        policy[1],
    )
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")


def test_the_script_of_the_page_is_small() -> None:
    from nswire.draw.html import SCRIPTS
    from nswire.draw.svg import asset

    script = "".join(map(asset, SCRIPTS))
    assert len(script.encode()) < 27_000
    assert not re.findall(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function|srcdoc", script
    )


# -- Graphviz ----------------------------------------------------------------------------------------------------


@pytest.mark.needs("dot")
@pytest.mark.parametrize("name", ["plain", *HOSTILE], ids=ascii)
def test_graphviz_reads_it_and_shows_the_very_names(name: str) -> None:
    from nswire.escape import visible

    drawn = one_of_each(name)["dot"]
    done = subprocess.run(["dot", "-Tsvg"], input=drawn.encode(), capture_output=True, check=True)
    assert done.stderr == b""
    shown = "".join(ET.fromstring(done.stdout).itertext()).replace("\xa0", " ")
    assert visible(name) in shown


@pytest.mark.needs("dot")
def test_graphviz_reads_everything(everything: Topology) -> None:
    drawn = dot.dot(picture(everything))
    done = subprocess.run(["dot", "-Tplain"], input=drawn.encode(), capture_output=True, check=True)
    assert done.stderr == b""
    scene = picture(everything)
    lines = done.stdout.decode().splitlines()
    rows = [row for card in scene.cards for row in card.rows]
    assert sum(line.startswith("edge ") for line in lines) == len(scene.cords)
    assert sum(line.startswith("node c") for line in lines) == len(rows) + len(scene.cards)


# -- Mermaid -----------------------------------------------------------------------------------------------------


@given(st.text(max_size=40))
def test_mermaid_gets_nothing_that_means_something(name: str) -> None:
    made_safe = escaped(name)
    assert not set(made_safe) & set("\"`<>{}[]|\\*~=$!'&^?")
    assert re.sub(r"#\d+;", "", made_safe).count("#") == 0
    assert re.sub(r"#(\d+);", lambda found: chr(int(found[1])), made_safe) == name


def test_mermaid_stays_within_what_github_draws() -> None:
    """Five thousand namespaces that are all a little different, so that little can be folded."""
    spaces, wires = [space(HOME, "host", home=True)], []
    links: dict[int, list[LinkFact]] = {HOME: []}
    for number in range(1500):
        ns = HOME + 1 + number
        spaces.append(space(ns, f"{number:04d}-namespace"))
        links[ns] = [fact(2, f"{number:03x}eth", mtu=1500 + number)]
        links[HOME].append(fact(100 + number, f"{number:03x}veth"))
        wires.append(peer(End(ns, 2), End(HOME, 100 + number)))
    topology = made(spaces, links, wires, Told())
    drawn = mermaid(lambda size: picture(topology, size=size))
    assert len(drawn) <= MOST_TEXT
    assert drawn.count("---") + drawn.count("-.-") <= MOST_EDGES
    assert "nswire map" in drawn


def test_mermaid_says_when_it_is_folded() -> None:
    many = build_many(1000)
    drawn = mermaid(lambda size: picture(many, size=size))
    assert "folded, to be within what GitHub draws" in drawn
    assert len(drawn) < 2000


# -- text, table -------------------------------------------------------------------------------------------------


def test_text_says_what_was_not_seen(everything: Topology) -> None:
    drawn = text(lambda size: picture(everything, size=size), 100)
    assert "not seen: 1 namespace: its links: Operation not permitted\n" in drawn


def test_formats_by_suffix() -> None:
    assert [by_suffix(f"a.b{one.suffixes[0].upper()}") for one in TABLE] == [one.name for one in TABLE]
    assert by_suffix("picture") is None
    assert by_suffix(f"svg{os.sep}x.png") is None


def test_a_trail_is_seen_in_every_format(everything: Topology) -> None:
    wire = next(wire for wire in everything.all_wires() if wire.relation == "peer")
    follow = Followed("to the NIC: delivered", (wire.a,), (wire,))
    drawn = {one.name: one.draw(lambda size: picture(everything, size=size, follow=follow)) for one in TABLE}
    plain = {one.name: one.draw(lambda size: picture(everything, size=size)) for one in TABLE}
    for name, one in drawn.items():
        assert one != plain[name], name
    for name in ("text", "svg", "html"):
        assert "to the NIC: delivered" in drawn[name]


def test_svg_is_one_file_without_anything_from_elsewhere(everything: Topology) -> None:
    drawn = svg(picture(everything))
    check_svg(drawn)
    assert "url(" not in drawn
    assert "<script" not in drawn
