"""The page in a real browser: what somebody does with it in an outage, and what hostile names do to it (nothing).

With the distribution's Chromium, cut off from everything: a page that asks for anything else than itself fails its test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest
from careful import careful, row
from drawings import HOSTILE, build_everything, build_many, hostile

from nswire.draw import picture
from nswire.draw.html import html

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from nswire.model.topology import Topology


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open a topology's page from a file. Nothing may be asked of a network, and nothing may go wrong in the script."""
    with careful(browser) as make:

        def opened(topology: Topology, fragment: str = "", **media: Any) -> Page:
            file = tmp_path / "host.html"
            file.write_text(html(picture(topology)), encoding="utf-8")
            page = make("file://", "blob:", **media)
            page.goto(f"file://{file}{fragment}")
            return page

        yield opened


def lit(page: Page) -> list[str]:
    """The names of the rows that are highlighted."""
    return page.locator(".row.lit text.name").all_text_contents()


def test_it_opens_and_shows_everything(show: Callable[..., Page]) -> None:
    page = show(build_everything())
    assert page.title() == "node-7, its network"
    assert page.locator("svg .card").count() == 13
    assert page.locator("#tools").is_visible()
    assert page.locator("#panel").is_hidden()


def test_a_wire_can_be_followed_by_hovering(show: Callable[..., Page]) -> None:
    """From the container's eth0 to the NICs, and nothing of the other clients of the bridge."""
    page = show(build_everything())
    row(page, "vethweb").hover()
    assert set(lit(page)) == {"br0", "bond0.100", "bond0", "eno1", "eno2", "vethweb", "eth0"}
    assert page.locator(".wire.lit").count() == 6
    page.mouse.move(5, 5)
    assert lit(page) == []


def test_and_by_keyboard(show: Callable[..., Page]) -> None:
    page = show(build_everything())
    page.locator("#sheet").focus()
    page.keyboard.press("Tab")
    while not page.evaluate("document.activeElement.matches('.row')"):
        page.keyboard.press("Tab")
    assert "br0" in lit(page)
    page.keyboard.press("Enter")
    assert page.locator("#panel h2").text_content() == "host/br0"
    page.keyboard.press("Escape")
    assert page.locator("#panel").is_hidden()


def test_a_click_tells_everything_and_leads_on(show: Callable[..., Page]) -> None:
    page = show(build_everything())
    row(page, "vethdb").click()
    panel = page.locator("#panel")
    for told in ("02:00:00:00:00:08", "1450", "each end names the other", "MTU"):
        assert told in (panel.text_content() or "")
    panel.get_by_role("button", name="db/eth0").click()
    assert panel.locator("h2").text_content() == "db/eth0"
    assert "2001:db8:0:1:2:3:4:5/64" in (panel.text_content() or "")
    assert page.evaluate("location.hash") == "#link=db/eth0"


def test_a_wire_tells_why_it_is_believed(show: Callable[..., Page]) -> None:
    page = show(build_everything())
    page.locator(".wire.guess .hit").first.click(force=True)
    assert "not certain" in (page.locator("#panel").text_content() or "")


@pytest.mark.parametrize("wanted", ["vethweb", "02:00:00:00:00:07", "host/vethweb"])
def test_search_finds_by_name_and_mac(show: Callable[..., Page], wanted: str) -> None:
    page = show(build_everything())
    page.keyboard.press("/")
    page.keyboard.type(wanted)
    page.keyboard.press("Enter")
    assert page.locator("#panel h2").text_content() == "host/vethweb"
    assert "chosen" in (row(page, "vethweb").get_attribute("class") or "")


def test_search_finds_by_address_and_owner_and_says_when_there_is_nothing(show: Callable[..., Page]) -> None:
    page = show(build_everything())
    search = page.locator("#search")
    for wanted, label in (("192.0.2.17", "container:web/eth0"), ("build-7", "host/tap0")):
        search.fill(wanted)
        assert (page.locator("#found button").first.text_content() or "").startswith(label)
    search.fill("nowhere")
    assert page.locator("#found").text_content() == "nothing is called so"


def test_a_fragment_leads_to_a_link(show: Callable[..., Page]) -> None:
    page = show(build_everything(), "#host/vethweb")
    assert page.locator("#panel h2").text_content() == "host/vethweb"
    page.evaluate(f"location.hash = '#db/{quote('日本語インターフェース')}'")
    page.locator("#panel h2", has_text="日本語").wait_for()


def test_filters_fade_what_is_not_wanted(show: Callable[..., Page]) -> None:
    page = show(build_everything())
    opacity = "element => getComputedStyle(element).opacity"
    page.locator("#up").check()
    assert row(page, "dummy0").evaluate(opacity) == "0.1"
    assert row(page, "vethweb").evaluate(opacity) == "1"
    page.locator("#up").uncheck()
    page.locator("#kind").select_option("bridge")
    assert row(page, "br0").evaluate(opacity) == "1"
    assert row(page, "vethweb").evaluate(opacity) == "0.1"


def test_zoom_and_fit(show: Callable[..., Page]) -> None:
    page = show(build_everything())
    width = "Number(document.querySelector('svg.nswire').getAttribute('width'))"
    before = page.evaluate(width)
    page.keyboard.press("+")
    assert page.evaluate(width) == pytest.approx(before * 1.25, rel=0.01)
    page.keyboard.press("f")
    assert page.evaluate(width) == before
    page.mouse.move(300, 400)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    page.wait_for_function(f"{width} > {before}")


def test_dragging_moves_the_picture_and_chooses_nothing(show: Callable[..., Page]) -> None:
    page = show(build_many(60, down=3))
    page.get_by_role("button", name="Unfold all").click()
    page.mouse.move(400, 700)
    page.mouse.down()
    page.mouse.move(400, 500, steps=4)
    page.mouse.up()
    assert page.evaluate("document.getElementById('sheet').scrollTop") == 200
    assert page.locator("#panel").is_hidden()


def test_light_and_dark(show: Callable[..., Page]) -> None:
    paper = "getComputedStyle(document.querySelector('.paper')).fill"
    page = show(build_everything(), color_scheme="dark")
    assert page.evaluate(paper) == "rgb(16, 21, 29)"
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate(paper) == "rgb(244, 246, 249)"
    page = show(build_everything(), color_scheme="light")
    assert page.evaluate(paper) == "rgb(244, 246, 249)"


def test_saving_gives_the_same_picture_as_a_file(show: Callable[..., Page], tmp_path: Path) -> None:
    page = show(build_everything())
    with page.expect_download() as download:
        page.get_by_role("button", name="Save SVG").click()
    file = tmp_path / "saved.svg"
    download.value.save_as(file)
    root = ET.parse(file).getroot()
    assert sum("card" in (one.get("class") or "").split() for one in root.iter()) == 13
    assert root[0].tag.endswith("style")


def test_without_scripts_the_picture_is_there(browser: Browser, tmp_path: Path) -> None:
    """In the preview of a mail program, say."""
    file = tmp_path / "host.html"
    file.write_text(html(picture(build_everything())), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"file://{file}")
    assert page.locator("svg .card").count() == 13
    assert page.locator("#tools").is_hidden()
    context.close()


def test_printing_leaves_the_tools_away(show: Callable[..., Page]) -> None:
    page = show(build_everything(), media="print")
    assert page.locator("header").is_hidden()
    assert page.locator("svg.nswire").is_visible()


# -- big hosts ---------------------------------------------------------------------------------------------------


def test_a_thousand_namespaces(show: Callable[..., Page]) -> None:
    """Folded it is a handful of cards; what is down is seen at once; search unfolds, and leads to the very line."""
    page = show(build_many(1000, down=2))
    assert page.locator("svg .card").count() == 4
    assert page.locator(".stage .row.down").count() == 2
    page.keyboard.press("/")
    page.keyboard.type("ns00517")
    page.keyboard.press("Enter")
    line = row(page, "ns00517/eth0")
    assert line.is_visible()
    assert "chosen" in (line.get_attribute("class") or "")
    assert {"ns00517/eth0", "veth517", "br0", "eno1"} <= set(lit(page))
    assert page.locator(".fanout .row").count() == 2 * 998
    box, view = line.bounding_box(), page.locator("#sheet").bounding_box()
    assert box is not None
    assert view is not None
    assert view["y"] <= box["y"] <= view["y"] + view["height"]


def test_unfolding_moves_what_is_below_and_folding_puts_it_back(show: Callable[..., Page]) -> None:
    page = show(build_many(60, down=3))
    page.get_by_role("button", name="Fit").click()
    places = (
        "[...document.querySelectorAll('.card .body')].map((one) => one.getBoundingClientRect().toJSON())"
    )
    paths = "[...document.querySelectorAll('.wire .cord, .wire .end')].map((one) => one.getAttribute('d'))"
    before = page.evaluate(places), page.evaluate(paths)
    row(page, "veth…").click()
    page.locator("#panel").get_by_role("button", name="Unfold").click()
    boxes = page.evaluate(places)
    for one in range(len(boxes)):
        for other in range(one):
            apart = (
                boxes[one]["right"] <= boxes[other]["left"] or boxes[other]["right"] <= boxes[one]["left"]
                or boxes[one]["bottom"] <= boxes[other]["top"] or boxes[other]["bottom"] <= boxes[one]["top"]
            )  # fmt: skip
            assert apart
    page.locator("#panel").get_by_role("button", name="Fold").click()
    assert (page.evaluate(places), page.evaluate(paths)) == before


def test_every_link_is_there_once_when_all_is_unfolded(show: Callable[..., Page]) -> None:
    page = show(build_many(200, down=20))
    page.get_by_role("button", name="Unfold all").click()
    names = page.locator(".fanout .row text.name").all_text_contents()
    assert len(names) == len(set(names)) == 400
    assert page.locator(".fanout .wire").count() == 200


# -- hostile names -----------------------------------------------------------------------------------------------


def test_hostile_names_are_shown_and_do_nothing(show: Callable[..., Page]) -> None:
    from nswire.escape import visible

    for name in HOSTILE:
        page = show(hostile(name))
        assert page.evaluate("document.scripts.length") == 2
        row(page, visible(name)[:26]).first.click(force=True) if len(name) < 20 else page.locator(
            ".row"
        ).first.click()
        panel = page.locator("#panel")
        assert visible(name) in (panel.text_content() or "")
        assert panel.locator("b, img, script").count() == 0
        page.locator("#search").fill(visible(name))
        assert page.locator("#found").is_visible()
        page.close()


def test_a_script_that_got_in_would_not_run(browser: Browser, tmp_path: Path) -> None:
    """The second lock: even if a name were ever put in as markup, the page's policy forbids to run it."""
    file = tmp_path / "host.html"
    file.write_text(html(picture(build_everything())), encoding="utf-8")
    page = browser.new_page()
    page.goto(f"file://{file}")
    page.evaluate(
        "window.refused = [];"
        "document.addEventListener('securitypolicyviolation', (event) => refused.push(event.violatedDirective));"
        "const script = document.createElement('script');"
        "script.textContent = 'window.got = 1'; document.body.append(script);"
    )
    page.wait_for_function("refused.length")
    assert page.evaluate("[refused, window.got]") == [["script-src-elem"], None]
    page.close()


# -- everybody can use it ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", ["plain", "chosen", "searching"])
def test_axe_finds_nothing(show: Callable[..., Page], scheme: str, state: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = show(build_everything(), color_scheme=scheme)
    if state == "chosen":
        row(page, "vethweb").click()
        page.mouse.move(5, 5)
    if state == "searching":
        page.locator("#search").fill("eth")
    results = axe.Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
