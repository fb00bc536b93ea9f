"""The tutorial "Your first piece", from an empty folder: every file and every command as printed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.documents import ROOT, blocks, page
from tests.support.installation import copy_package

PAGE = page("first-piece")
SECONDS = 60

pytestmark = pytest.mark.long


@dataclass
class Reader:
    """Someone who works through the page, with several terminals."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    terminals: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.home / "shop"

    def types(self, commands: str) -> str:
        """Run commands in the first terminal; returns what they print."""
        done = subprocess.run(
            ["bash", "-ec", self._in_terminal(commands)],
            cwd=self.folder if self.folder.exists() else self.home,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def opens_terminal(self, commands: str, expected: str) -> str:
        """Run commands in another terminal, until they have printed this; returns the output so far."""
        file = self.home / f"terminal-{len(self.terminals)}.log"
        with file.open("w", encoding="utf-8") as output:
            terminal = subprocess.Popen(
                ["bash", "-ec", self._in_terminal(f"exec {commands}")],
                cwd=self.folder,
                env=self.environment | {"PYTHONUNBUFFERED": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self.terminals.append(terminal)
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and terminal.poll() is None:
            if re.search(expected, text := file.read_text("utf-8")):
                return text
            time.sleep(0.05)
        pytest.fail(f"{commands} did not print {expected}:\n{file.read_text('utf-8')}")

    def _in_terminal(self, commands: str) -> str:
        prepared = [f"if [ -f {file} ]; then . {file}; fi" for file in (".venv/bin/activate", "./env.sh")]
        return "\n".join([*prepared, commands])


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    copy_package(tmp_path / "flask-activepieces")
    kept = ("PATH", "HOME", "LANG", "PIP_", "SSL_", "REQUESTS_CA", "http", "HTTP", "no_proxy", "NO_PROXY")
    reader = Reader(tmp_path, {name: value for name, value in os.environ.items() if name.startswith(kept)})
    yield reader
    for terminal in reader.terminals:
        terminal.terminate()
        terminal.wait(SECONDS)


def code_after(text: str) -> str:
    """The first Python block after this text of the page."""
    return blocks(PAGE.partition(text)[2], "python")[0]


def commands_after(text: str, count: int = 1) -> str:
    """The first shell commands after this text of the page."""
    assert text in PAGE, text
    return "".join(blocks(PAGE.partition(text)[2], "sh")[:count])


def test_the_page_works_from_an_empty_folder(reader: Reader) -> None:
    reader.types(commands_after("no account, no Node, no npm."))
    (reader.folder / "app.py").write_text(code_after("Save this as `app.py`"), "utf-8")

    shown = reader.types(commands_after("so store it:"))
    assert re.search(r"^action +add_order +Add order +item$", shown, re.M)
    assert re.search(r"^trigger +order_added +Order added$", shown, re.M)
    (package,) = (reader.folder / "dist").iterdir()
    assert f"a package of {round(package.stat().st_size / 1000)} KB" in PAGE.replace("an npm package", "a package")

    (reader.folder / "test_shop.py").write_text(code_after("Save this as `test_shop.py`"), "utf-8")
    assert "1 passed" in reader.types(commands_after("Save this as `test_shop.py`"))

    # Any free port, because others may use that of the page.
    standin = commands_after("It prints an API key:").splitlines()[-1]
    printed = reader.opens_terminal(f"{standin} --port 0", "Ctrl-C stops it")
    key, url = re.findall(r"API key:\s+(\S+)", printed)[0], re.findall(r"URL:\s+(\S+)", printed)[0]
    with (reader.folder / "env.sh").open("a", encoding="utf-8") as file:
        file.write(f"export FLASK_ACTIVEPIECES_BASE_URL={url} PIECE_INSTALL_TOKEN={key}\n")
    assert "PIECE_INSTALL_TOKEN=sk-…" in commands_after("install the piece with this key:")
    installed = reader.types(commands_after("install the piece with this key:").splitlines()[-1])
    assert installed.endswith("Installed version 1.0.0.\n")

    changed = code_after("## Change it")
    before = re.search(r"^class NewOrderSchema.*?\n\n", (reader.folder / "app.py").read_text("utf-8"), re.M | re.S)
    assert before is not None
    app = (reader.folder / "app.py").read_text("utf-8").replace(before[0], f"{changed}\n")
    (reader.folder / "app.py").write_text(app, "utf-8")
    updated = reader.types(commands_after("## Change it"))
    assert "minor: action add_order, field count is new\n" in updated
    assert updated.endswith("Installed version 1.1.0.\n")

    run, deliver = commands_after("Run each in a terminal", 2).splitlines()
    served = reader.opens_terminal(f"{run} --port 0", r"Running on http://\S+")
    worker = reader.opens_terminal(deliver, "")
    assert worker == ""
    created = reader.types(commands_after("For now, create one by command:"))
    (token,) = re.findall(r"^apat_\S+$", created, re.M)
    address = re.findall(r"Running on (http://\S+)", served)[0]
    asked = commands_after("This is how the\npiece asks for it:")
    answer = reader.types(asked.replace("apat_…", token).replace("http://127.0.0.1:5000", address))
    assert '"name":"Ada"' in answer


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
