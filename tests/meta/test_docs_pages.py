"""What pages name is there: loggers, tables, templates, files, tests, links; and every page can be found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import flask_activepieces
from flask_activepieces.storage import tables
from tests.support.documents import (
    DOCS,
    PAGES,
    README,
    ROOT,
    blocks,
    cells,
    code_words,
    name_of,
    page,
)


def test_every_table_is_told() -> None:
    assert {table.name for table in tables.metadata.sorted_tables} <= code_words(page("operations"))


def test_every_logger_is_told_and_no_other_is() -> None:
    package = Path(flask_activepieces.__path__[0])
    there = {
        ".".join(path.relative_to(package.parent).with_suffix("").parts)
        for path in package.rglob("*.py")
        if "getLogger(__name__)" in path.read_text("utf-8")
    }
    told = re.findall(r"^\| `(flask_activepieces[.\w]+)` \|", page("operations"), re.MULTILINE)

    assert set(told) == there


TEMPLATES = Path(flask_activepieces.__path__[0]) / "templates" / "flask_activepieces"


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("[a-z]*.html")), ids=name_of)
def test_every_block_of_a_template_is_told_and_no_other_is(template: Path) -> None:
    defined = set(re.findall(r"{%-? block (\w+)", template.read_text("utf-8")))
    if template.stem != "base":
        defined -= {"title", "head", "header", "page_class", "content", "footer"}
    (row,) = re.findall(rf"^\| `{template.name}` \|.*$", page("consent"), re.MULTILINE)

    assert set(re.findall(r"`(\w+)`", cells(row)[2])) == defined


FILES_NAMED = sorted(
    {
        (path.stem, word)
        for path in PAGES
        for word in code_words(path.read_text("utf-8"))
        if re.fullmatch(r"[a-z_/]+\.py", word) and word != "app.py"
    }
)


@pytest.mark.parametrize(("name", "file"), FILES_NAMED)
def test_every_file_that_a_page_names_is_there(name: str, file: str) -> None:
    folders = [ROOT, ROOT / "flask_activepieces", ROOT / "tests"]

    assert any((folder / file).is_file() for folder in folders)


def test_every_test_that_a_page_names_is_there() -> None:
    texts = [path.read_text("utf-8") for path in PAGES]
    # What a page defines itself is an example of a test.
    examples = {name for text in texts for name in re.findall(r"def (test_\w+)", text)}
    # What follows a dot is an attribute of Flask.
    named = {word for text in texts for word in re.findall(r"(?<!\.)\btest_\w+", text)} - examples
    there = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in [
            path.stem,
            *re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE),
        ]
    }

    assert named <= there


def test_every_page_is_in_the_table_of_contents() -> None:
    listed: list[str] = []
    for block in blocks(page("index"), "{toctree}"):
        listed += [line for line in block.splitlines() if line and not line.startswith(":")]

    assert sorted([*listed, "index"]) == sorted(path.stem for path in PAGES)


@pytest.mark.parametrize("path", [README, *PAGES], ids=name_of)
def test_every_link_to_a_file_leads_to_one(path: Path) -> None:
    """Sphinx checks links between pages; GitHub shows the README and the pages as they are."""
    targets = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text("utf-8"))

    assert [target for target in targets if not (path.parent / target).is_file()] == []


def test_the_pages_are_where_sphinx_looks() -> None:
    assert DOCS / "index.md" in PAGES
