"""The tutorial "Your first piece", from an empty folder: every file and every command as printed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.documents import ROOT, blocks, page
from tests.support.installation import copy_package
from tests.support.terminals import Terminals, terminals

PAGE = page("first-piece")
#: In each terminal, once the page has created them.
PREPARED = "\n".join(f"if [ -f {file} ]; then . {file}; fi" for file in (".venv/bin/activate", "./env.sh"))

pytestmark = pytest.mark.long


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Terminals]:
    """Someone beside a checkout of the package."""
    copy_package(tmp_path / "flask-activepieces")
    with terminals(tmp_path, logs=tmp_path, prepared=PREPARED) as opened:
        yield opened


def code_after(text: str) -> str:
    """The first Python block after this text of the page."""
    return blocks(PAGE.partition(text)[2], "python")[0]


def commands_after(text: str, count: int = 1) -> str:
    """The first shell commands after this text of the page."""
    assert text in PAGE, text
    return "".join(blocks(PAGE.partition(text)[2], "sh")[:count])


def test_the_page_works_from_an_empty_folder(reader: Terminals) -> None:
    reader.types(commands_after("no account, no Node, no npm."))
    reader.folder = shop = reader.folder / "shop"
    (shop / "app.py").write_text(code_after("Save this as `app.py`"), "utf-8")

    shown = reader.types(commands_after("so store it:"))
    assert re.search(r"^action +add_order +Add order +item$", shown, re.M)
    assert re.search(r"^trigger +order_added +Order added$", shown, re.M)
    (package,) = (shop / "dist").iterdir()
    assert f"an npm package of {round(package.stat().st_size / 1000)} KB" in PAGE

    (shop / "test_shop.py").write_text(code_after("Save this as `test_shop.py`"), "utf-8")
    assert "1 passed" in reader.types(commands_after("Save this as `test_shop.py`"))

    # Any free port, because others may use that of the page.
    standin = reader.starts(f"{commands_after('It prints an API key:').splitlines()[-1]} --port 0")
    key, url = standin.prints(r"API key: +(\S+)$"), standin.prints(r"URL: +(\S+)$")
    with (shop / "env.sh").open("a", encoding="utf-8") as file:
        file.write(f"export FLASK_ACTIVEPIECES_BASE_URL={url}\n")
    installed = reader.types(commands_after("install the piece with this key:").replace("sk-…", key))
    assert installed.endswith("Installed version 1.0.0.\n")

    change(shop / "app.py", code_after("## Change it"))
    updated = reader.types(f"export PIECE_INSTALL_TOKEN={key}\n{commands_after('## Change it')}")
    assert "minor: action add_order, field count is new\n" in updated
    assert updated.endswith("Installed version 1.1.0.\n")

    run, deliver = commands_after("Run each in a terminal", 2).splitlines()
    address = reader.starts(f"{run} --port 0").prints(r"Running on (http://\S+)$")
    reader.starts(deliver).prints("^Delivering events")
    created = reader.types(commands_after("For now, create one by command:"))
    (token,) = re.findall(r"^apat_\S+$", created, re.M)
    asked = commands_after("asks the app for it:")
    answer = reader.types(asked.replace("apat_…", token).replace("http://127.0.0.1:5000", address))
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
