"""The built book stands on its own: nothing broken, nothing fetched, every picture described, nothing huge."""

from pathlib import Path

import pytest
from pages import Page, broken_targets

MEGABYTE = 1_000_000
NO_ALT_NEEDED = ("_static/",)


def test_every_link_leads_somewhere(pages: list[Page]) -> None:
    assert broken_targets(pages) == []


def test_nothing_is_loaded_from_outside(pages: list[Page]) -> None:
    outside = [f"{page.path.name}: {load}" for page in pages for load in page.loads if load.startswith(("http", "//"))]
    assert outside == []


def test_every_picture_is_described(pages: list[Page]) -> None:
    silent = [
        f"{page.path.name}: {source}"
        for page in pages
        for source, alt in page.images
        if len(alt) <= 20 and not any(part in source for part in NO_ALT_NEEDED)
    ]
    assert silent == []


def test_every_table_has_a_header(pages: list[Page]) -> None:
    generated = ("genindex.html", "py-modindex.html")
    bare = [page.path.name for page in pages if page.tables_without_header and page.path.name not in generated]
    assert bare == []


def test_a_page_stays_below_two_megabytes_and_the_site_below_sixty(html: Path, pages: list[Page]) -> None:
    heavy = {page.path.name: size for page in pages if (size := page.path.stat().st_size) > 2 * MEGABYTE}
    assert heavy == {}
    assert sum(path.stat().st_size for path in html.rglob("*") if path.is_file()) < 60 * MEGABYTE


def test_each_chapter_page_shows_pictures(pages: list[Page]) -> None:
    chapters = [page for page in pages if page.path.parent.name == "notebooks"]
    assert chapters
    assert [page.path.name for page in chapters if not page.images] == []


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ('<a href="gone.html">x</a>', "gone.html"),
        ('<a href="#nowhere">x</a>', "#nowhere"),
        ('<img src="lost.png" alt="">', "lost.png"),
    ],
)
def test_the_link_check_sees_what_is_broken(tmp_path: Path, body: str, complaint: str) -> None:
    page = tmp_path / "page.html"
    page.write_text(f'<h1 id="top">t</h1><a href="#top">fine</a><a href="https://example.org">fine</a>{body}', "utf8")
    assert broken_targets([Page(page)]) == [f"page.html: {complaint}"]
