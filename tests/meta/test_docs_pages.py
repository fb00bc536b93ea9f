"""Names in the docs exist: loggers, tables, templates, files, tests, links. Every page is in the contents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import flask_activepieces
from flask_activepieces.storage import tables
from tests.support.documents import DOCS, PAGES, README, ROOT, blocks, cells, code_words, name_of, page


def test_every_table_is_documented() -> None:
    assert {table.name for table in tables.metadata.sorted_tables} <= code_words(page("operations"))


def test_the_documented_loggers_are_those_that_exist() -> None:
    package = Path(flask_activepieces.__path__[0])
    existing = {
        ".".join(path.relative_to(package.parent).with_suffix("").parts)
        for path in package.rglob("*.py")
        if "getLogger(__name__)" in path.read_text("utf-8")
    }
    documented = re.findall(r"^\| `(flask_activepieces[.\w]+)` \|", page("operations"), re.MULTILINE)

    assert set(documented) == existing


TEMPLATES = Path(flask_activepieces.__path__[0]) / "templates" / "flask_activepieces"


#: Those that hosts override; names of files with macros begin with an underscore.
#: Templates with macros for the host have no blocks.
MACROS = {TEMPLATES / "navigation.html", TEMPLATES / "builder.html"}
PAGE_TEMPLATES = sorted({*TEMPLATES.rglob("[a-z]*.html")} - MACROS)


@pytest.mark.parametrize("template", PAGE_TEMPLATES, ids=name_of)
def test_the_documented_blocks_of_a_template_are_those_it_has(template: Path) -> None:
    defined = set(re.findall(r"{%-? block (\w+)", template.read_text("utf-8")))
    if template.stem != "base":
        defined -= {"title", "head", "header", "page_class", "content", "footer"}
    if template.stem != "layout":
        defined -= {"area"}
    name = template.relative_to(TEMPLATES).as_posix()
    (row,) = re.findall(rf"^\| `{name}` \|.*$", page("theming"), re.MULTILINE)

    assert set(re.findall(r"`(\w+)`", cells(row)[2])) == defined


#: What readers create.
OF_READERS = {"agents.py", "app.py", "test_shop.py"}
FILES_NAMED = sorted(
    {
        (path.stem, name)
        for path in PAGES
        for name in code_words(path.read_text("utf-8"))
        if re.fullmatch(r"[a-z_/]+\.py", name) and name not in OF_READERS
    }
)


def test_every_file_that_a_page_names_exists() -> None:
    folders = [ROOT, ROOT / "flask_activepieces", ROOT / "tests"]

    missing = [named for named in FILES_NAMED if not any((folder / named[1]).is_file() for folder in folders)]

    assert not missing


def test_every_test_that_a_page_names_exists() -> None:
    contents = [path.read_text("utf-8") for path in PAGES]
    # Tests that a page defines are examples.
    examples = {name for content in contents for name in re.findall(r"def (test_\w+)", content)}
    examples |= {Path(name).stem for name in OF_READERS}
    # A name after a dot is an attribute of Flask.
    named = {name for content in contents for name in re.findall(r"(?<!\.)\btest_\w+", content)} - examples
    existing = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in [path.stem, *re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)]
    }

    assert named <= existing


def test_every_page_is_in_the_table_of_contents() -> None:
    listed: list[str] = []
    for block in blocks(page("index"), "{toctree}"):
        listed += [line for line in block.splitlines() if line and not line.startswith(":")]

    assert sorted([*listed, "index"]) == sorted(path.stem for path in PAGES)


def test_every_link_to_a_file_has_a_target() -> None:
    """Sphinx checks links between pages, but GitHub shows the README and the pages unprocessed."""
    links = [
        (path, target)
        for path in (README, *PAGES)
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text("utf-8"))
    ]

    assert [(path, target) for path, target in links if not (path.parent / target).is_file()] == []


def test_sphinx_finds_the_pages() -> None:
    assert DOCS / "index.md" in PAGES
