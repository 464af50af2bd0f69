"""Read the built pages: what they link to, load, and show."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}


@dataclass
class Page(HTMLParser):
    """One HTML page: its ids, links, loaded addresses and images."""

    path: Path
    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    images: list[tuple[str, str]] = field(default_factory=list)
    tables_without_header: int = 0
    _table_headers: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text("utf8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect what a tag names, loads or links to."""
        given = {key: value or "" for key, value in attrs}
        if "id" in given:
            self.ids.add(given["id"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
            self.ids.add(given.get("name", given.get("id", "")))
        if tag == "link" and "stylesheet" in given.get("rel", ""):
            self.loads.append(given["href"])
        if tag in LOADING and LOADING[tag] in given:
            self.loads.append(given[LOADING[tag]])
        if tag == "img":
            self.images.append((given.get("src", ""), given.get("alt", "")))
        if tag == "table":
            self._table_headers.append(0)
        if tag == "th" and self._table_headers:
            self._table_headers[-1] += 1

    def handle_endtag(self, tag: str) -> None:
        """Close a table and note whether it had a header."""
        if tag == "table" and self._table_headers and not self._table_headers.pop():
            self.tables_without_header += 1


def read_pages(html: Path) -> list[Page]:
    """Read all pages of a built book, but the templates that Sphinx leaves in _static."""
    return [Page(path) for path in sorted(html.rglob("*.html")) if "_static" not in path.relative_to(html).parts]


def broken_targets(pages: list[Page]) -> list[str]:
    """List links and loaded files that lead to no file, or to no id in that file."""
    by_path = {page.path.resolve(): page for page in pages}
    broken = []
    for page in pages:
        for target in {*page.links, *page.loads}:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc or target in ("", "#"):
                continue
            path = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path.resolve()
            anchor = unquote(parts.fragment)
            missing_id = anchor and path in by_path and anchor not in by_path[path].ids
            if not path.exists() or missing_id:
                broken.append(f"{page.path.name}: {target}")
    return broken
