"""Pages in a browser that has to be careful: they may ask for nothing but their own, and nothing may go wrong in them."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Dialog, Locator, Page

SLOW = 30_000  # milliseconds that anything may take on a busy machine


@contextmanager
def careful(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Makes new pages. Each may load what begins with one of the given words; at the end, nothing may have gone wrong."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, accept_downloads=True)
    context.set_default_timeout(SLOW)
    wrong: list[str] = []

    def refuse(dialog: Dialog) -> None:
        wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def opened(*allowed: str, **media: Any) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if _matters(said) else None)
        page.on("dialog", refuse)
        page.on("request", lambda asked: None if asked.url.startswith(allowed) else wrong.append(asked.url))
        if media:
            page.emulate_media(**media)
        return page

    yield opened
    context.close()
    assert not wrong, wrong


def _matters(said: ConsoleMessage) -> bool:
    """Chromium gives up a request when links of the machine that it runs on come or go; the page asks once more.

    A question of the page that is refused it writes down as an error, too; what the page makes of that is for its test.
    """
    refused = (
        "the server responded with a status of 4" in said.text and "/api/v1/path?" in said.location["url"]
    )
    return said.type in ("error", "warning") and "ERR_NETWORK_CHANGED" not in said.text and not refused


def row(page: Page, name: str) -> Locator:
    """The row of a link."""
    exactly = re.compile(f"^{re.escape(name)}$")
    return page.locator(".row", has=page.locator("text.name", has_text=exactly)).first
