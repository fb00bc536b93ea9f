"""The pictures of the documentation: one for each scene and color scheme, small, described, and used."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.screenshots import PICTURES, SCENES, SCHEMES, Scene
from tests.support.documents import PAGES, README, ROOT
from tests.support.requirements import require

#: The most that a picture may have, in bytes: pages load quickly, and the repository stays small.
MAX_SIZE = 100_000
#: A picture on a page: the dark picture, the light one, and the alternative text.
PICTURE = re.compile(
    r'<picture>\s*<source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)">'
    r'\s*<img src="([^"]+)" width="\d+" alt="([^"]+)">\s*</picture>'
)


def pictures(path: Path) -> list[tuple[str, str, str]]:
    """The pictures of a page."""
    return [(dark, light, alt) for dark, light, alt in PICTURE.findall(path.read_text("utf-8"))]


def test_there_is_a_picture_of_each_scene_in_both_schemes() -> None:
    expected = {f"{scene.name}-{scheme}.webp" for scene in SCENES for scheme in SCHEMES}

    assert {path.name for path in PICTURES.iterdir()} == expected


def test_every_picture_is_small() -> None:
    assert [path.name for path in PICTURES.iterdir() if path.stat().st_size > MAX_SIZE] == []


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_every_scene_is_shown_with_its_description(scene: Scene) -> None:
    shown = [
        picture for path in [README, *PAGES] for picture in pictures(path) if f"/{scene.name}-light" in picture[1]
    ]

    assert shown
    assert {html.unescape(alt) for _, _, alt in shown} == {scene.alt}


def test_every_picture_exists_in_both_schemes() -> None:
    for path in (README, *PAGES):
        found = pictures(path)
        assert path.read_text("utf-8").count("<picture>") == len(found), path
        for dark, light, _ in found:
            assert dark == light.replace("-light.", "-dark."), path
            assert (path.parent / dark).is_file(), path
            assert (path.parent / light).is_file(), path


@pytest.mark.long
@pytest.mark.browser
def test_every_picture_can_be_taken_again(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "docs.screenshots", "--into", str(tmp_path)]

    subprocess.run(command, cwd=ROOT, env={**os.environ, "TEST_CHROMIUM": require("chromium")}, check=True)

    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in PICTURES.iterdir()}
    assert all(path.read_bytes()[8:12] == b"WEBP" for path in tmp_path.iterdir())
