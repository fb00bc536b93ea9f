"""``python -m tests.browser.album FOLDER``: pictures of every page, for people who look at how it is made.

Every scene, and the pages of a company with much of everything; in both color schemes, on a phone and on a desktop.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from playwright.sync_api import Browser, ViewportSize

from docs.screenshots import chromium
from tests.browser.many import add_many
from tests.browser.scenes import PAGES, Scene
from tests.browser.site import Site, example_site
from tests.browser.test_many import PAGES as FULL_PAGES
from tests.browser.visitors import visitor

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WIDTHS = (360, 1280)


def take(browser: Browser, site: Site, scene: Scene, name: str, folder: Path) -> None:
    """Take the pictures of one page."""
    for scheme in SCHEMES:
        for width in WIDTHS:
            size = ViewportSize(width=width, height=800)
            with visitor(browser, site, scene.who, color_scheme=scheme, viewport=size) as person:
                scene.show(person.page, site)
                person.page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
            site.restore()


def main(folder: Path) -> None:
    """Take all pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as data, example_site(Path(data)) as site, chromium() as browser:
        for number, scene in enumerate(PAGES):
            take(browser, site, scene, f"{number:03}-{_slug(scene)}", folder)
        add_many(site)
        site.keep()
        for number, page in enumerate(FULL_PAGES):
            take(browser, site, Scene(path=page), f"full-{number:02}-{_slug(page)}", folder)


def _slug(page: object) -> str:
    return re.sub(r"\W+", "-", str(page)).strip("-")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
