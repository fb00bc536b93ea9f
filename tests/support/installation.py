"""Copies of this project, from which it can be installed without a trace in the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

from . import hosts
from .documents import README, ROOT, shell_lines

#: What an installation reads.
FILES = ("pyproject.toml", "README.md", "LICENSE")
#: The commands in the environments below.
SCRIPTS = {"flask": "flask.cli", "pip": "pip._internal.cli.main", "pybabel": "babel.messages.frontend"}


def copy_package(target: Path) -> Path:
    """Copy the package and its build configuration there; returns ``target``."""
    target.mkdir()
    for name in FILES:
        shutil.copy(ROOT / name, target / name)
    shutil.copytree(
        ROOT / "flask_activepieces", target / "flask_activepieces", ignore=shutil.ignore_patterns("__pycache__")
    )
    return target


def copy_project(target: Path) -> Path:
    """Clone it, or copy it where it is not a repository itself; returns ``target``."""
    if (ROOT / ".git").exists():
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(target)], check=True)
    else:
        shutil.copytree(ROOT, target, ignore=shutil.ignore_patterns(".*", "__pycache__", "node_modules", "_build"))
    return target


def make_environment(folder: Path) -> Path:
    """Create a virtual environment with the packages of the tests, but without this one; returns its programs."""
    venv.create(folder, symlinks=True)
    (site_packages,) = folder.glob("lib/python*/site-packages")
    # An editable install there has no effect here, because it needs a .pth file of its own.
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    for name, module in SCRIPTS.items():
        script = folder / "bin" / name
        script.write_text(f"#!{folder}/bin/python\nfrom {module} import main\nmain()\n", "utf-8")
        script.chmod(0o755)
    return folder / "bin"


@dataclass(frozen=True)
class Reader:
    """Someone with the wheel that the README builds. Its dependencies come from the environment of the tests."""

    folder: Path

    def install(self) -> None:
        """Build the wheel, and create both environments, which takes seconds."""
        bin = make_environment(self.folder / "environment")
        checkout = copy_package(self.folder / "package")
        pip = f"{sys.executable} -m pip --disable-pip-version-check --python {bin}/python"
        build, install = (line for line in shell_lines(README.read_text("utf-8")) if "dist" in line and "pip" in line)
        for line in (build, f"{install} --no-deps"):
            subprocess.run(["sh", "-c", line.replace("pip", pip, 1)], cwd=checkout, check=True, capture_output=True)
        make_environment(copy_project(self.checkout) / ".venv")
        # make installs nothing into it: test_fresh_clone.py lets it do that.
        for step in ("environment", "demo", "all"):
            (self.checkout / ".venv" / f".stamp-python3-{step}").touch()

    @property
    def environment(self) -> Path:
        """The virtual environment with the wheel."""
        return self.folder / "environment"

    @property
    def checkout(self) -> Path:
        """A checkout, with an environment of its own that pip and make may change."""
        return self.folder / "flask-activepieces"

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables of the reader. The pages say to export the keys before starting an app."""
        return {
            "PATH": f"{self.environment}/bin:{os.environ['PATH']}",
            "FLASK_SECRET_KEY": hosts.SECRET_KEY,
            "SECRET_KEY": hosts.SECRET_KEY,
            "METRICS_PORT": "0",
        }

    def run(self, *command: str | Path, folder: Path) -> str:
        """The output of a command, which must succeed."""
        environment = {"HOME": str(self.folder)} | self.variables
        result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
        return result.stdout
