"""The built book to look at: the published one if it is current, else one made from smoke runs of the notebooks."""

import os
from pathlib import Path

import pytest
from pages import Page, read_pages


@pytest.fixture(scope="session")
def html() -> Path:
    """Folder of the built book; $SYMLAB_BOOK_HTML names another one."""
    if named := os.environ.get("SYMLAB_BOOK_HTML"):
        return Path(named)
    from symlab.runs._execute import ensure_all, locked
    from symlab.runs._project import Project
    from symlab.runs._site import Site

    project = Project.find()
    published, quick = Site(project, "book"), Site(project, "smoke")
    if published.is_current():
        return published.index.parent
    with locked(quick.build):
        if not quick.is_current():
            ensure_all(project, "smoke", workers=os.cpu_count() or 1)
            quick.write()
    return quick.index.parent


@pytest.fixture(scope="session")
def pages(html: Path) -> list[Page]:
    """All pages of the built book."""
    return read_pages(html)
