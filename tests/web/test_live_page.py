"""The served page in a real browser: what somebody does with it in an outage, what changes meanwhile, and hostile names."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from careful import careful, row
from drawings import HOSTILE
from test_serve import BLOG

import nswire
from nswire.escape import visible
from nswire.lab.big import big

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Served
    from playwright.sync_api import Browser, Locator, Page

    from nswire.lab.lab import Lab

INNER = "ns-39d60faa-aa"


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open the page by the URL that was printed. It may ask nothing of anybody else, and nothing may go wrong in it."""
    with careful(browser) as make:

        def opened(served: Served, fragment: str = "", **media: Any) -> Page:
            base = served.url.partition("?")[0]
            page = make(base, "blob:", **media)
            page.goto(served.url)
            page.locator("#state", has_text="as of").wait_for()
            if fragment:
                page.goto(base + fragment)
                page.reload()
            return page

        yield opened


@pytest.fixture
def web(lab: Lab) -> Lab:
    """A host with a bridge and a namespace on it."""
    inside = lab.namespace("named", "web")
    lab.rtnl(lab.home).bridge("br0", up=True)
    lab.undo_link(lab.rtnl(lab.home).index("br0"))
    pair = lab.pair(lab.home, "vethweb", inside, "eth0")
    lab.rtnl(lab.home).set("vethweb", master="br0")
    lab.rtnl(inside).address(pair[1][1], "192.0.2.17/24")
    return lab


def heard(page: Page, text: str) -> Locator:
    """A line of what changed."""
    line = page.locator("#log > div", has_text=text)
    line.first.wait_for()
    return line.first


# -- coming in ---------------------------------------------------------------------------------------------------


def test_the_url_lets_one_browser_in(
    browser: Browser, serve: Callable[..., Served], visit: Callable[..., Page]
) -> None:
    served = serve("--from", BLOG)
    page = visit(served)
    assert "token" not in page.url
    assert page.locator("svg .card").count() == 6
    assert page.evaluate("document.cookie") == ""
    other = browser.new_context()
    late = other.new_page()
    late.goto(served.url)
    assert (late.locator("body").text_content() or "").startswith(
        "nswire: this token: it is not right, or was used before"
    )
    late.goto(served.url.partition("?")[0])
    assert "this browser has no session" in (late.locator("body").text_content() or "")
    late.goto(served.next_url())
    late.locator("svg.nswire").wait_for()
    other.close()


def test_it_comes_from_a_page_of_somebody_else(browser: Browser, serve: Callable[..., Served]) -> None:
    """A terminal in a browser: the cookie is set all the same, though the way there began elsewhere."""
    served = serve("--from", BLOG)
    page = browser.new_page()
    page.goto("data:text/html,<a>in</a>")
    page.evaluate("(url) => { document.querySelector('a').href = url; }", served.url)
    page.locator("a").click()
    page.locator("svg.nswire").wait_for()
    page.close()


def test_a_script_that_got_in_would_not_run(serve: Callable[..., Served], browser: Browser) -> None:
    page = browser.new_page()
    page.goto(serve("--from", BLOG).url)
    page.locator("#state", has_text="as of").wait_for()
    refused = page.evaluate(
        "new Promise((tell) => {"
        "document.addEventListener('securitypolicyviolation', (event) => tell([event.violatedDirective, window.got]));"
        "const script = document.createElement('script'); script.textContent = 'window.got = 1';"
        "document.body.append(script); })"
    )
    assert refused == ["script-src-elem", None]
    page.close()


# -- asking ------------------------------------------------------------------------------------------------------


def test_a_click_tells_everything_that_is_known(
    web: Lab, serve: Callable[..., Served], visit: Callable[..., Page]
) -> None:
    page = visit(serve())
    row(page, "vethweb").click()
    known = page.locator("#known")
    known.locator("h3", has_text="Way up to the NIC").wait_for()
    text = known.text_content() or ""
    for told in ("RTM_GETNSID", "port self/br0", "ends: ", "BROADCAST", f"inode{web.home.inode}", "Held by"):
        assert told in text, told
    page.locator("#panel").get_by_role("button", name="web/eth0").first.click()
    known.locator("li", has_text="/run/netns/web").wait_for()
    assert page.locator("#panel h2").text_content() == "web/eth0"


def test_a_card_tells_what_holds_it(
    web: Lab, serve: Callable[..., Served], visit: Callable[..., Page]
) -> None:
    del web
    page = visit(serve())
    page.locator(".card", has=page.locator("text.title", has_text=re.compile("^web$"))).click()
    page.locator("#known li", has_text="/run/netns/web").wait_for()


def test_a_wire_can_be_followed(web: Lab, serve: Callable[..., Served], visit: Callable[..., Page]) -> None:
    del web
    page = visit(serve())
    row(page, "eth0").hover()
    assert set(page.locator(".row.lit text.name").all_text_contents()) == {"eth0", "vethweb", "br0"}


@pytest.mark.parametrize("form", ["pid:{pid}", "netns:web", "net:[{inode}]"])
def test_search_understands_every_handle(
    web: Lab, serve: Callable[..., Served], visit: Callable[..., Page], form: str
) -> None:
    """What the page itself does not know the API does."""
    inside = web.namespaces[0]
    page = visit(serve())
    held = subprocess.Popen(["nsenter", "--net=/run/netns/web", "cat"], stdin=subprocess.PIPE)
    try:
        # nsenter moves before it becomes cat
        while f"net:[{inside.inode}]" != _namespace_of(held.pid):
            pass
        page.keyboard.press("/")
        page.keyboard.type(form.format(pid=held.pid, inode=inside.inode))
        page.locator("#found button", has_text="1 links").click()
        assert page.locator("#panel h2").text_content() == "web"
        page.locator("#known li", has_text="/run/netns/web").wait_for()
    finally:
        held.communicate()


def _namespace_of(pid: int) -> str:
    return str(Path(f"/proc/{pid}/ns/net").readlink())


def test_search_says_what_is_nearest(serve: Callable[..., Served], visit: Callable[..., Page]) -> None:
    page = visit(serve("--from", BLOG))
    page.locator("#search").fill("ns-39d60fab-aa")
    page.locator("#found li", has_text=f"nearest: {INNER}").wait_for()


@pytest.mark.parametrize("fragment", [f"link={INNER}", "link=10.10.100.2", "link=router/int0", "router/int0"])
def test_a_link_that_somebody_was_sent_leads_there_on_the_first_visit(
    browser: Browser, serve: Callable[..., Served], fragment: str
) -> None:
    """The visit that exchanges the token; afterwards the address has one shape, whatever led there."""
    served = serve("--from", BLOG)
    page = browser.new_page()
    page.goto(f"{served.url}#{fragment}")
    name = "router/int0" if fragment.endswith("int0") else f"/{INNER}"
    page.locator("#panel h2", has_text=name).wait_for()
    assert "token" not in page.url
    assert re.search(r"/#link=[^/]+/(int0|ns-39d60faa-aa)$", page.url), page.url
    page.close()


def test_the_first_visit_may_be_to_the_way_of_a_packet(
    browser: Browser, serve: Callable[..., Served]
) -> None:
    served = serve("--from", BLOG)
    page = browser.new_page()
    page.goto(f"{served.url}&from={INNER}&to=out")
    page.locator("#panel .fate").first.wait_for()
    assert page.url.endswith(f"/?from={INNER}&to=out")
    page.close()


@pytest.mark.parametrize("word", [INNER, f"link={INNER}", "link=10.10.100.2"])
def test_an_address_leads_to_a_link(
    serve: Callable[..., Served], visit: Callable[..., Page], word: str
) -> None:
    page = visit(serve("--from", BLOG), f"#{word}")
    page.locator("#panel h2", has_text=f"/{INNER}").wait_for()


def test_by_keyboard_alone(serve: Callable[..., Served], visit: Callable[..., Page]) -> None:
    page = visit(serve("--from", BLOG))
    page.keyboard.press("/")
    page.keyboard.type(INNER)
    page.keyboard.press("Enter")
    page.locator("#known h3", has_text="Why").wait_for()
    page.locator("#panel button").nth(1).focus()  # the other end
    page.keyboard.press("Enter")
    assert page.locator("#panel h2").text_content() == "self/tap39d60faa-aa"
    page.keyboard.press("Escape")
    assert page.locator("#panel").is_hidden()


# -- what changes ------------------------------------------------------------------------------------------------


def test_a_namespace_appears_changes_and_goes(
    web: Lab, serve: Callable[..., Served], visit: Callable[..., Page]
) -> None:
    page = visit(serve())
    assert page.locator("#news").get_attribute("class") == "empty"
    assert page.locator("#log").get_attribute("role") == "log"
    assert page.locator("#log").get_attribute("aria-live") in (None, "polite")

    new = web.namespace("named", "db")
    web.pair(web.home, "vethdb", new, "eth0")
    heard(page, "new db")
    heard(page, "new self/vethdb")
    card = page.locator(".card.fresh", has=page.locator("text.title", has_text="db"))
    assert card.locator(".flag").text_content() == "new"
    assert (card.get_attribute("aria-label") or "").endswith(", new")
    assert row(page, "vethdb").locator(".flag").text_content() == "new"

    web.rtnl(web.home).set("vethweb", mtu=1400)
    line = heard(page, "self/vethweb MTU: 1500 → 1400")
    assert row(page, "vethweb").locator(".flag").text_content() == "diff"
    line.get_by_role("button").click()
    assert page.locator("#panel h2").text_content() == "self/vethweb"

    web.rtnl(new).delete("eth0")
    assert "gone self/vethdb" in (heard(page, "gone self/vethdb").text_content() or "")
    new.close()
    heard(page, "gone db the namespace")
    assert page.locator(".card").count() == 2

    page.get_by_role("button", name="Seen").click()
    assert page.locator("#log > div").count() == 0
    assert page.locator(".flag").count() == 0


def test_a_change_leaves_everything_where_it_was(
    web: Lab, serve: Callable[..., Served], visit: Callable[..., Page]
) -> None:
    """Zoom, what was chosen, the focus, the word that was searched: somebody is at work there."""
    page = visit(serve())
    page.keyboard.press("+")
    row(page, "vethweb").click()
    page.locator("#known h3", has_text="Why").wait_for()
    row(page, "eth0").focus()
    width = page.evaluate(
        "document.querySelector('svg.nswire').getBoundingClientRect().width / document.querySelector('svg.nswire').viewBox.baseVal.width"
    )
    web.rtnl(web.home).set("br0", mtu=1300)
    heard(page, "changed self/br0")
    assert page.evaluate("document.activeElement.querySelector('text.name').textContent") == "eth0"
    assert page.locator("#panel h2").text_content() == "self/vethweb"
    assert "chosen" in (row(page, "vethweb").get_attribute("class") or "")
    assert page.evaluate(
        "document.querySelector('svg.nswire').getBoundingClientRect().width / document.querySelector('svg.nswire').viewBox.baseVal.width"
    ) == pytest.approx(width, rel=0.01)
    # and what is there now leads on
    page.locator("#panel").get_by_role("button", name="web/eth0").first.click()
    assert page.locator("#panel h2").text_content() == "web/eth0"


def test_what_was_chosen_is_gone(web: Lab, serve: Callable[..., Served], visit: Callable[..., Page]) -> None:
    page = visit(serve())
    row(page, "vethweb").click()
    page.locator("#known h3", has_text="Why").wait_for()
    web.rtnl(web.home).delete("vethweb")
    page.locator("#panel h2", has_text="gone").wait_for()


def test_a_recording_says_that_it_is_one(serve: Callable[..., Served], visit: Callable[..., Page]) -> None:
    page = visit(serve("--from", BLOG))
    assert (page.locator("#state").text_content() or "").startswith("a recording, as of ")


def test_when_the_server_ends_the_page_says_so(
    lab: Lab, serve: Callable[..., Served], browser: Browser
) -> None:
    """In a page of its own, since what it still wanted to load may fail."""
    del lab
    served = serve()
    page = browser.new_page()
    with page.expect_response(lambda got: got.url.endswith("/events")):
        page.goto(served.url)
    served.end()
    heard(page, "nswire serve was ended")
    assert (page.locator("#state").text_content() or "").startswith("not live: as of ")
    page.close()


# -- saving ------------------------------------------------------------------------------------------------------


def test_it_can_be_saved(serve: Callable[..., Served], visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit(serve("--from", BLOG))
    files = {}
    for role, name in (("button", "Save SVG"), ("button", "Save PNG"), ("link", "Save JSON")):
        with page.expect_download() as download:
            page.get_by_role(role, name=name).click()  # type: ignore[arg-type]
        file = tmp_path / download.value.suggested_filename
        download.value.save_as(file)
        files[file.name] = file.read_bytes()
    assert files["network.svg"].startswith(b"<svg")
    assert files["network.png"].startswith(b"\x89PNG")
    assert len(files["network.png"]) > 10_000
    assert json.loads(files["network.json"])["schema"] == "nswire/map"


# -- hostile names -----------------------------------------------------------------------------------------------


def test_hostile_names_do_nothing(lab: Lab, serve: Callable[..., Served], visit: Callable[..., Page]) -> None:
    """In the picture, in what is known, in what is found, and in what changed."""
    page = visit(serve())
    possible = [name for name in HOSTILE if name and "/" not in name and "\x00" not in name]
    for number, name in enumerate(possible):
        space = lab.namespace("named", name.encode("utf-8", "surrogateescape"))
        lab.pair(lab.home, f"veth{number}", space, "eth0")
        lab.rtnl(lab.home).set(f"veth{number}", alias=name)
        lab.rtnl(lab.home).altname(
            f"veth{number}", name.encode("utf-8", "surrogateescape").replace(b" ", b"_")
        )
    row(page, f"veth{len(possible) - 1}").wait_for()
    for number, name in enumerate(possible):
        row(page, f"veth{number}").click()
        page.locator("#known h3", has_text="Why").wait_for()
        assert visible(name) in (page.locator("#panel").text_content() or "")
        page.locator("#search").fill(visible(name)[:12])
        page.locator("#found li").first.wait_for()
        page.keyboard.press("Escape")
    assert (
        page.locator("#panel b, #panel img, #panel script, #found img, #news img, #news script").count() == 0
    )
    assert page.evaluate("document.scripts.length") == 2
    assert "\u202e" not in (page.locator("body").text_content() or "")


# -- big hosts ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_thousand_namespaces(
    private_host: None, serve: Callable[..., Served], visit: Callable[..., Page], tmp_path: Path
) -> None:
    del private_host
    file = tmp_path / "many.nswire"
    with big(1000, ipv6=False) as lab:
        lab.release()
        nswire.record(file)
    page = visit(serve("--from", str(file)))
    assert page.locator("svg .card").count() < 20
    page.keyboard.press("/")
    page.keyboard.type("ns00517")
    page.keyboard.press("Enter")
    line = row(page, "ns00517/eth0")
    assert line.is_visible()
    assert "chosen" in (line.get_attribute("class") or "")
    page.locator("#known h3", has_text="Way up to the NIC").wait_for()


# -- everybody can use it ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(
    web: Lab, serve: Callable[..., Served], visit: Callable[..., Page], scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = visit(serve(), color_scheme=scheme)
    results = axe.Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    row(page, "vethweb").click()
    page.locator("#known h3", has_text="Why").wait_for()
    web.rtnl(web.home).set("vethweb", mtu=1400)
    heard(page, "MTU")
    page.mouse.move(5, 5)
    results = axe.Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_what_is_folded_says_how_many_of_it_changed(
    private_host: None, serve: Callable[..., Served], visit: Callable[..., Page]
) -> None:
    """And what was unfolded stays unfolded."""
    del private_host
    with big(60, ipv6=False) as lab:
        page = visit(serve())
        for number in range(3, 9):
            lab.rtnl(lab.home).set(f"veth{number}", mtu=1400)
        heard(page, "self/veth8 MTU: 1500 → 1400")
        page.locator(".flag", has_text="6×").first.wait_for()
        page.get_by_role("button", name="Unfold all").click()
        assert row(page, "veth3").locator(".flag").text_content() == "diff"
        lab.rtnl(lab.home).set("veth9", mtu=1300)
        heard(page, "self/veth9 MTU: 1500 → 1300")
        assert page.locator(".fanout").count() > 0
        lab.release()


def test_the_way_of_a_packet(serve: Callable[..., Served], visit: Callable[..., Page], web: Lab) -> None:
    """Asked in the page, told beside the picture and drawn on it; what it dies of is named, with what would mend it."""
    web.rtnl(web.home).address(web.rtnl(web.home).index("br0"), "192.0.2.1/24")
    page = visit(serve())
    page.get_by_label("The way of a packet, from").fill("web/eth0")
    page.get_by_label("To: an address").fill("192.0.2.1")
    page.get_by_role("button", name="Path", exact=True).click()
    story = page.locator("#panel")
    story.locator(".fate.delivered", has_text="192.0.2.1 is an address of").first.wait_for()
    assert "from=web" in page.url
    assert "delivered" in (page.locator("svg.nswire").text_content() or "")
    page.get_by_label("To: an address").fill("198.51.100.1")
    page.keyboard.press("Enter")
    story.locator(".fate.dropped", has_text="there is no route to 198.51.100.1").wait_for()
    assert story.locator("code").text_content() == "ip netns exec web ip route add default via GATEWAY"
    page.get_by_role("button", name="Whole picture").click()
    page.locator("#state", has_text="as of").wait_for()
    assert "from=" not in page.url


def test_a_way_that_makes_no_sense(serve: Callable[..., Served], visit: Callable[..., Page]) -> None:
    """The picture stays, and the reason is told; a hostile word is text."""
    page = visit(serve("--from", BLOG))
    page.get_by_label("The way of a packet, from").fill("<img src=x onerror=alert(1)>")
    page.keyboard.press("Enter")
    page.locator("#panel", has_text="there is no such thing").wait_for()
    assert page.locator("#panel img").count() == 0
    assert page.locator("svg.nswire").count() == 1


def colour(page: Page) -> str:
    """Of the verdict in the picture, by the name that the style gives it."""
    return str(
        page.evaluate(
            """() => { const all = getComputedStyle(document.querySelector("svg.nswire"));
            const found = getComputedStyle(document.querySelector(".caption")).fill;
            const made = document.createElement("p"); document.body.append(made);
            const name = ["good", "bad", "warn"].find((one) => {
                made.style.color = all.getPropertyValue(`--${one}`); return getComputedStyle(made).color === found; });
            made.remove(); return name; }"""
        )
    )


@pytest.mark.needs("nft")
def test_what_is_dropped_looks_like_it_and_says_where(
    web: Lab, serve: Callable[..., Served], visit: Callable[..., Page]
) -> None:
    """The verdict has its colour, the link where it dies a sign, and what it was for is there, though nothing got there."""
    far = web.namespace("named", "far")
    pair = web.pair(web.home, "vethfar", far, "eth0")
    web.rtnl(web.home).address(web.rtnl(web.home).index("br0"), "192.0.2.1/24")
    web.rtnl(web.home).address(pair[0][1], "198.51.100.1/24")
    web.rtnl(far).address(pair[1][1], "198.51.100.9/24")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    for ns, gateway in (("web", "192.0.2.1"), ("far", "198.51.100.1")):
        subprocess.run(["ip", "-n", ns, "route", "add", "default", "via", gateway], check=True)
    rules = "table ip t { chain f { type filter hook forward priority 0; tcp dport 25 drop; }; }\n"
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
    try:
        page = visit(serve())
        page.get_by_label("The way of a packet, from").fill("web/eth0")
        page.get_by_label("To: an address").fill("198.51.100.9:25")
        page.keyboard.press("Enter")
        page.locator("#panel .fate.dropped", has_text="tcp dport 25").wait_for()
        assert colour(page) == "bad"
        assert page.locator(".row .chip.bad text", has_text="dropped here").count() == 1
        goal = page.locator(".card", has=page.locator("text.title", has_text=re.compile("^far$")))
        assert goal.count() == 1
        assert page.locator(".row .chip text", has_text="the target").count() == 1
        page.get_by_label("To: an address").fill("198.51.100.9")
        page.get_by_label("protocol", exact=True).fill("tcp")
        page.get_by_label("port", exact=True).fill("26")
        page.get_by_role("button", name="Path", exact=True).click()
        page.locator("#panel .fate.refused").first.wait_for()  # nothing listens there
        assert colour(page) == "bad"
        assert "dport=26" in page.url
        assert page.locator(".chip text", has_text="dropped here").count() == 0
        page.locator("summary", has_text="more").click()
        page.get_by_label("bytes").fill("9000")
        page.get_by_role("button", name="Path", exact=True).click()
        page.locator("#panel .fate.dropped", has_text="MTU").wait_for()
        assert page.get_by_label("port", exact=True).input_value() == "26"
    finally:
        subprocess.run(["nft", "delete", "table", "ip", "t"], check=True)


def test_a_way_is_asked_again_and_what_changes_elsewhere_is_counted(
    web: Lab, serve: Callable[..., Served], visit: Callable[..., Page]
) -> None:
    web.rtnl(web.home).address(web.rtnl(web.home).index("br0"), "192.0.2.1/24")
    other = web.namespace("named", "other")
    web.pair(web.home, "vetho", other, "eth0")
    page = visit(serve())
    with page.expect_response(lambda got: "/api/v1/map" in got.url):
        page.get_by_label("The way of a packet, from").fill("web/eth0")
        page.get_by_label("To: an address").fill("192.0.2.1")
        page.keyboard.press("Enter")
    page.locator("#panel .fate.delivered").first.wait_for()
    web.rtnl(web.home).set("vetho", mtu=1400)
    heard(page, "change elsewhere")
    web.rtnl(web.home).set("vethweb", up=False)
    page.locator("#panel .fate.dropped").first.wait_for()
    page.locator("#log button", has_text="elsewhere").first.click()
    page.locator(".card", has=page.locator("text.title", has_text="other")).wait_for()
