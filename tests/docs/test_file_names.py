"""The names of files above the code blocks of the documentation."""

from __future__ import annotations

from pathlib import Path

import pytest
from docutils import nodes
from docutils.utils import new_document

from docs.conf import FILE_NAME, show_file_names
from tests.support.documents import PAGES, blocks, file_name, name_of


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_file_of_a_page_has_its_name_above_it(path: Path) -> None:
    found = [block for block in every_block(path) if file_name(block) and not block.startswith("#!")]

    assert [block for block in found if FILE_NAME.match(block) is None] == []


def every_block(path: Path) -> list[str]:
    """The blocks in languages that files have."""
    return blocks(path.read_text("utf-8"), "python", "jinja", "ini", "nginx", "text", "toml", "css")


@pytest.mark.parametrize(
    "line", ["# shop/models.py", "{# templates/builder.html #}", "# /etc/nginx/conf.d/shop.conf"]
)
def test_the_name_is_above_the_content(line: str) -> None:
    document = new_document("page")
    document += nodes.literal_block(f"{line}\nx = 1\n", f"{line}\nx = 1\n")

    show_file_names(None, document)  # type: ignore[arg-type]  # it does not use Sphinx

    (caption,), (block,) = document.findall(nodes.caption), document.findall(nodes.literal_block)
    assert caption.astext() == line.strip("{# }")
    assert (block.astext(), block.rawsource) == ("x = 1\n", "x = 1\n")


@pytest.mark.parametrize("line", ["# A comment.", "import app.py", "# e.g. this", "x = 1  # shop/models.py"])
def test_other_blocks_stay_as_they_are(line: str) -> None:
    document = new_document("page")
    document += nodes.literal_block(line, f"{line}\nx = 1\n")

    show_file_names(None, document)  # type: ignore[arg-type]  # it does not use Sphinx

    assert list(document.findall(nodes.caption)) == []
