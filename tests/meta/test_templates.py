"""Templates: what several pages have in common is written once, and an app can replace each of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask

import flask_activepieces
from tests.conftest import MakeApp

TEMPLATES = Path(flask_activepieces.__path__[0]) / "templates"
NAMES = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))


@pytest.mark.parametrize("part", ["ap-filter", "ap-table", "ap-pager"])
def test_a_part_of_lists_is_written_once(part: str) -> None:
    found = [name for name in NAMES if re.search(rf'class="[^"]*{part}\b', (TEMPLATES / name).read_text("utf-8"))]

    assert len(found) == 1


@pytest.fixture
def overridden(make_app: MakeApp, tmp_path: Path) -> Flask:
    """An app that extends each of our templates in a template of the same name."""

    def first(app: Flask) -> None:
        app.root_path, app.template_folder = str(tmp_path), "templates"

    for name in NAMES:
        own = tmp_path / "templates" / name
        own.parent.mkdir(parents=True, exist_ok=True)
        own.write_text(f'{{% extends "original/{name}" %}}', encoding="utf-8")
    return make_app(first=first)


def test_every_template_can_be_replaced_and_extended(overridden: Flask) -> None:
    for name in NAMES:
        own, ours = (overridden.jinja_env.get_template(path) for path in (name, f"original/{name}"))

        assert own.filename != ours.filename
        assert ours.filename == str(TEMPLATES / name)


def test_our_templates_extend_those_of_the_app() -> None:
    """So that a changed layout is the layout of each page; ``original/`` is for the app's own templates."""
    named = [name for path in TEMPLATES.rglob("*.html") for name in _extended(path.read_text("utf-8"))]

    assert named
    assert [name for name in named if not name.startswith("flask_activepieces/")] == []


def _extended(content: str) -> list[str]:
    return re.findall(r'{%-? (?:extends|import|from|include) "([^"]+)"', content)
