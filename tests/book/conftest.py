"""The built book to look at: build/html if `make book` made it, else skip."""

import os
from pathlib import Path

import pytest
from pages import Page, read_pages

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def html() -> Path:
    """Folder of the built book: $SYMLAB_BOOK_HTML, or build/html."""
    folder = Path(os.environ.get("SYMLAB_BOOK_HTML", ROOT / "build" / "html"))
    if not (folder / "index.html").is_file():
        pytest.skip(f"no built book in {folder.name}/; run make book")
    return folder


@pytest.fixture(scope="session")
def pages(html: Path) -> list[Page]:
    """All pages of the built book."""
    return read_pages(html)
