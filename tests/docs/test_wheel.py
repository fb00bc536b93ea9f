"""The README and the pages work for a reader: from an empty folder, with the wheel that the README builds.

The wheel is installed alone; its dependencies come from the environment of the tests.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import hosts
from tests.support.documents import PAGES, README, ROOT, blocks, name_of, page, shell_lines

pytestmark = pytest.mark.long

SOURCES = ["flask_activepieces", "pyproject.toml", "README.md", "LICENSE"]
RUNNER = ["__init__", "documents", "page_runner"]


@dataclass(frozen=True)
class Reader:
    """An environment with the wheel, and commands in it."""

    bin: Path
    env: dict[str, str]

    def run(self, *command: str | Path, folder: Path) -> str:
        """The output of a command, which must succeed."""
        result = subprocess.run(command, cwd=folder, env=self.env, capture_output=True, text=True, check=False)
        assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
        return result.stdout


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    checkout = tmp_path_factory.mktemp("checkout")
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, checkout / name)
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, symlinks=True)
    bin = environment / "bin"
    (site_packages,) = environment.glob("lib/python*/site-packages")
    # An editable install there has no effect here, because it needs a .pth file of its own.
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    (bin / "flask").write_text(f"#!{bin}/python\nfrom flask.cli import main\nmain()\n", "utf-8")
    (bin / "flask").chmod(0o755)
    pip = f"{sys.executable} -m pip --disable-pip-version-check --python {bin}/python"
    build, install = (line for line in shell_lines(README.read_text("utf-8")) if "dist" in line and "pip" in line)
    for line in (build, f"{install} --no-deps"):
        subprocess.run(["sh", "-c", line.replace("pip", pip, 1)], cwd=checkout, check=True, capture_output=True)
    variables = {"FLASK_SECRET_KEY": hosts.SECRET_KEY, "SECRET_KEY": hosts.SECRET_KEY, "METRICS_PORT": "0"}
    return Reader(bin, {"PATH": f"{bin}:{os.environ['PATH']}", "HOME": str(environment), **variables})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that contains only what runs the blocks of a page."""
    support = tmp_path / "tests" / "support"
    support.mkdir(parents=True)
    for name in RUNNER:
        shutil.copy(ROOT / "tests" / "support" / f"{name}.py", support)
    return tmp_path


def test_the_wheel_is_used_and_not_the_checkout(reader: Reader, folder: Path) -> None:
    path = reader.run("python", "-c", "import flask_activepieces; print(flask_activepieces.__file__)", folder=folder)

    assert path.startswith(str(reader.bin.parent))


@pytest.mark.parametrize(
    "path", [path for path in [README, *PAGES] if blocks(path.read_text("utf-8"), "python")], ids=name_of
)
def test_the_python_blocks_run(path: Path, reader: Reader, folder: Path) -> None:
    reader.run("python", "-W", "error", "-m", "tests.support.page_runner", path, folder=folder)


def test_the_readme_runs_as_it_is_written(reader: Reader, folder: Path) -> None:
    """The example, then each line of the two terminals."""
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    content = README.read_text("utf-8")
    (example,) = blocks(content, "python")
    (folder / "app.py").write_text(example, "utf-8")
    lines = shell_lines(content.partition("## Example")[2].partition("\n## ")[0])
    export, create, run, get_token, call = lines
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    script = f"""
        set -eu
        {export}
        {create} > created
        {run} --port {port} > log 2>&1 &
        trap "kill $!" EXIT
        until curl -s http://127.0.0.1:{port}/ > /dev/null; do sleep 0.1; done
        CLIENT_ID=$(sed -n 's/^client_id *//p' created)
        CLIENT_SECRET=$(sed -n 's/^client_secret *//p' created)
        {get_token.replace("curl", "curl -s").replace("5000", port)} > token.json
        ACCESS_TOKEN=$(python -c 'import json; print(json.load(open("token.json"))["access_token"])')
        {call.replace("curl", "curl -s").replace("5000", port)}
    """

    output = reader.run("bash", "-c", script, folder=folder)

    assert re.sub(r"\s", "", output) == '{"invoices":[],"tenant":"acme"}'


def test_the_commands_of_the_quickstart_register_clients(reader: Reader, folder: Path) -> None:
    (folder / "app.py").write_text(blocks(page("quickstart"), "python")[0], "utf-8")
    lines = [line for line in shell_lines(page("quickstart")) if " client create " in line]

    outputs = [reader.run("bash", "-c", line, folder=folder) for line in lines]

    assert len(lines) == 2
    assert all("client_secret  fas_" in output for output in outputs)


@pytest.mark.parametrize(
    "line",
    sorted(
        {line for path in PAGES for line in shell_lines(path.read_text("utf-8")) if line.startswith("python -c ")}
    ),
)
def test_every_line_of_python_runs(line: str, reader: Reader, folder: Path) -> None:
    reader.run("bash", "-c", line, folder=folder)
