"""The built book in a real browser without a network: quiet, narrow enough for a phone, legible in the dark."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import LOOKS, find_chromium, open_browser, open_context, open_page

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
if find_chromium() is None:
    pytest.skip("no Chromium on this machine", allow_module_level=True)

ALLOWED_ERRORS = ("THEBE_JS_URL",)  # declared twice by Jupyter Book 1.x, harmless
UNTYPESET = """() => [...document.querySelectorAll('.bd-content .math')]
    .filter(e => !e.querySelector('mjx-container') && !e.closest('mjx-container'))
    .map(e => e.textContent.slice(0, 60))"""
MATH_ERRORS = "() => [...document.querySelectorAll('mjx-merror')].map(e => e.textContent)"
BROKEN_PICTURES = """() => Promise.all([...document.querySelectorAll('.bd-content img')].map(e => {
    e.loading = 'eager'; return e.decode().then(() => null, () => e.src) })).then(found => found.filter(Boolean))"""
EMPTY_PLOTS = """() => [...document.querySelectorAll('.plotly-graph-div')]
    .filter(e => !e.querySelector('.main-svg')).map(e => e.id)"""
TOO_WIDE = """() => { const root = document.documentElement, edge = root.clientWidth;
    if (root.scrollWidth <= edge) return [];
    return [...document.querySelectorAll('.bd-main *')].filter(e => e.getBoundingClientRect().right > edge + 1)
        .slice(0, 3).map(e => e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 30)) }"""
SEEMS_LIGHT = """async () => { for (let i = 0; i < 40; i++) {
    const shown = getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number);
    if (Math.max(...shown.slice(0, 3)) < 60) return [];
    await new Promise(done => setTimeout(done, 50)) } return ['background stays light'] }"""
DIMMED = """() => [...document.querySelectorAll('.bd-content img')]
    .filter(e => getComputedStyle(e).filter !== 'none').map(e => e.src)"""
DESKTOP = {"untypeset": UNTYPESET, "formulas": MATH_ERRORS, "pictures": BROKEN_PICTURES, "plots": EMPTY_PLOTS}
DARK = {"light": SEEMS_LIGHT, "dimmed": DIMMED}


@pytest.fixture(scope="module")
def desktop() -> Iterator[Any]:
    with open_browser() as browser, open_context(browser, "desktop") as context:
        yield context


@pytest.fixture(scope="module")
def reports(desktop: Any, html: Path) -> dict[str, dict[str, list[Any]]]:
    """Visit each page once, on a desktop, then dark, then as narrow as a phone, and list what is wrong with it."""
    found = {}
    for path in sorted(html.rglob("*.html")):
        if "_static" in path.relative_to(html).parts:
            continue
        with open_page(desktop, path) as seen:
            report = {name: seen.page.evaluate(script) for name, script in DESKTOP.items()}
            seen.page.emulate_media(color_scheme="dark")
            report |= {name: seen.page.evaluate(script) for name, script in DARK.items()}
            seen.page.set_viewport_size(LOOKS["phone"]["viewport"])
            report["wide"] = seen.page.evaluate(TOO_WIDE)
            report["outside"] = seen.outside
            report["errors"] = [text for text in seen.errors if not any(name in text for name in ALLOWED_ERRORS)]
        found[path.relative_to(html).as_posix()] = report
    return found


@pytest.mark.parametrize("kind", ["outside", "errors", *DESKTOP, *DARK, "wide"])
def test_no_page_has_a_problem(reports: dict[str, dict[str, list[Any]]], kind: str) -> None:
    assert {page: report[kind] for page, report in reports.items() if report[kind]} == {}


def test_a_folded_solution_opens_by_a_click(desktop: Any, html: Path) -> None:
    chapter = next(path for path in sorted((html / "notebooks").glob("*.html")) if "solution" in path.read_text("utf8"))
    with open_page(desktop, chapter) as seen:
        box = seen.page.locator("div.solution").first
        inside = box.locator("p:not(.admonition-title)").first
        assert not inside.is_visible()
        box.locator("button.toggle-button").click()
        inside.wait_for(state="visible", timeout=5_000)


def test_search_works_from_disk(desktop: Any, html: Path) -> None:
    with open_page(desktop, html / "search.html") as seen:
        seen.page.goto((html / "search.html").resolve().as_uri() + "?q=equivariance")
        seen.page.wait_for_selector("#search-results li a", timeout=20_000)
        assert seen.outside == []


def test_an_outside_request_would_be_seen(desktop: Any, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<html><body><img src="https://example.org/x.png"></body></html>', "utf8")
    with open_page(desktop, page) as seen:
        assert seen.outside == ["https://example.org/x.png"]
