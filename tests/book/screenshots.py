"""Photograph every page of a built book for people to look at: desktop, phone and dark, with the network blocked.

python tests/book/screenshots.py build/html build/screenshots [--pages index,conventions]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from browser import LOOKS, open_browser, open_context, open_page


def main() -> None:
    """Read the command line and write one picture for each page and look."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("html", type=Path, help="folder of the built book")
    parser.add_argument("target", type=Path, help="folder for the pictures")
    parser.add_argument("--pages", default="", help="comma-separated parts of page names; all pages if empty")
    parser.add_argument("--looks", default=",".join(LOOKS), help="comma-separated looks")
    options = parser.parse_args()
    options.target.mkdir(parents=True, exist_ok=True)
    wanted = [part for part in options.pages.split(",") if part]
    pages = [
        path
        for path in sorted(options.html.rglob("*.html"))
        if "_static" not in path.parts and (not wanted or any(part in path.as_posix() for part in wanted))
    ]
    with open_browser() as browser:
        for look in options.looks.split(","):
            with open_context(browser, look) as context:
                for path in pages:
                    name = path.relative_to(options.html).with_suffix("").as_posix().replace("/", "-")
                    with open_page(context, path) as seen:
                        seen.page.screenshot(path=options.target / f"{name}-{look}.png", full_page=True)


if __name__ == "__main__":
    main()
