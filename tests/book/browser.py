"""Open a page of the built book in headless Chromium with the network blocked, and record what it does."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LOOKS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "device_scale_factor": 2},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SETTLED = "() => document.fonts.ready.then(() => window.MathJax?.startup?.promise ?? true).then(() => true)"


@dataclass
class Seen:
    """A loaded page, the outside addresses it asked for, and what it said on the console."""

    page: Any
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def find_chromium() -> str | None:
    """Path of a Chromium-like browser, from the variable CHROMIUM or the search path."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next((path for name in names if (path := shutil.which(name))), None)


@contextmanager
def open_browser() -> Iterator[Any]:
    """Start Chromium and close it at the end."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def open_context(browser: Any, look: str) -> Iterator[Any]:
    """Set the browser up for one look; pages in it share what was loaded once, such as the fonts."""
    context = browser.new_context(**LOOKS[look])
    yield context
    context.close()


@contextmanager
def open_page(context: Any, path: Path) -> Iterator[Seen]:
    """Open one page from disk, wait until fonts and formulas stand, and yield what was seen."""
    seen = Seen(context.new_page())

    def route(request_route: Any) -> None:
        url = request_route.request.url
        if url.startswith(("file://", "data:", "blob:")):
            request_route.continue_()
        else:
            seen.outside.append(url)
            request_route.abort()

    seen.page.route("**/*", route)
    seen.page.on("console", lambda message: seen.errors.append(message.text) if message.type == "error" else None)
    seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
    seen.page.goto(path.resolve().as_uri(), wait_until="load")
    seen.page.evaluate(SETTLED)
    yield seen
    seen.page.close()
