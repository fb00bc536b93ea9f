"""The tutorial "Your first piece", from an empty folder: every file and every command as printed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.documents import DOCS, ROOT, blocks, page
from tests.support.installation import copy_package
from tests.support.terminals import Terminals, terminals
from tests.support.typed_pages import TypedPage, typed_page, write_curlrc

PAGE = page("first-piece")

pytestmark = pytest.mark.long


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Terminals]:
    """Someone in the folder with a checkout of the package."""
    folder = tmp_path / "folder"
    folder.mkdir()
    copy_package(folder / "flask-activepieces")
    with terminals(folder, logs=tmp_path, CURL_HOME=str(write_curlrc(tmp_path))) as opened:
        yield opened


def code_after(text: str) -> str:
    """The first Python block after this text of the page."""
    return blocks(PAGE.partition(text)[2], "python")[0]


def test_the_page_works_from_an_empty_folder(reader: Terminals) -> None:
    with typed_page(TypedPage(DOCS / "first-piece.md", reader)) as typed:
        typed.types_next(to="mkdir shop")
        reader.folder = shop = reader.folder / "shop"

        *_, shown, built = typed.types_next(to="piece show")
        assert re.search(r"^action +add_order +Add order +item$", shown, re.M)
        assert re.search(r"^trigger +order_added +Order added$", shown, re.M)
        assert built.startswith("Built ")
        (package,) = (shop / "dist").iterdir()
        assert f"an npm package of {round(package.stat().st_size / 1000)} KB" in PAGE

        (tested,) = typed.types_next(to="pytest")
        assert "1 passed" in tested

        *_, started = typed.types_next(to="python -m flask_activepieces.testing")
        (url,) = re.findall(r"URL: +(\S+)$", started, re.M)
        # The page's app expects the stand-in at its usual port.
        reader.types(f"export FLASK_ACTIVEPIECES_BASE_URL={url}")
        *_, installed = typed.types_next(to="piece install")
        assert installed.endswith("Installed version 1.0.0.\n")

        change(shop / "app.py", code_after("## Change it"))
        difference, updated = typed.types_next(to="piece diff")
        assert "minor: action add_order, field count is new\n" in difference
        assert updated.endswith("Installed version 1.1.0.\n")

        typed.types_next(to="flask run")
        typed.types_next(to="deliver")
        typed.types_next(to="tokens create")
        (answer,) = typed.types_next(to="piece/me")
        assert '"name":"Ada"' in answer


def change(file: Path, code: str) -> None:
    """Replace the class in the file that the page writes anew."""
    (name,) = re.findall(r"^class (\w+)", code, re.M)
    changed, count = re.subn(rf"^class {name}\b.*?\n\n", f"{code}\n", file.read_text("utf-8"), flags=re.M | re.S)
    assert count == 1
    file.write_text(changed, "utf-8")


def test_the_package_has_all_its_files(tmp_path: Path) -> None:
    """What is not in the package works in a checkout, and nowhere else."""
    source = copy_package(tmp_path / "source")
    command = ["python3", "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")

    shutil.unpack_archive(wheel, tmp_path / "unpacked", "zip")

    assert files_below(tmp_path / "unpacked") == files_below(ROOT)


def files_below(folder: Path) -> set[str]:
    package = folder / "flask_activepieces"
    return {str(path.relative_to(folder)) for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"}
