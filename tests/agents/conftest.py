"""Programs by others: they are installed beside the tests once, and not with the package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.npm import install_programs, one_process_at_a_time
from tests.support.requirements import require

PROGRAMS = Path(__file__).parent / "programs"
#: The SDKs for Python, each in an environment of its own: it brings a server and a web framework. The older one
#: imports a private name of pydantic, which later releases of pydantic do not have.
PYTHON_SDKS = {"2.3": ["mcp==2.3.0"], "1.20": ["mcp==1.20.0", "pydantic==2.11.10"]}
#: What the conformance suite needs.
NODE_MAJOR = 22


@pytest.fixture(scope="session")
def node() -> str:
    """Node, new enough for all programs, which are installed then."""
    install_programs(require("npm"), PROGRAMS)
    found = require("node")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    is_new_enough = int(version.removeprefix("v").partition(".")[0]) >= NODE_MAJOR
    return found if is_new_enough else str(PROGRAMS / "node_modules" / "node" / "bin" / "node")


def python_with_sdk(version: str) -> str:
    """The Python that has this SDK."""
    environment = PROGRAMS / f".venv-{version}-{sys.version_info.major}.{sys.version_info.minor}"
    python = environment / "bin" / "python"
    with one_process_at_a_time(PROGRAMS / "package-lock.json"):
        if not (environment / "ready").exists():
            shutil.rmtree(environment, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True, capture_output=True)
            command = [str(python), "-m", "pip", "install", "--quiet", *PYTHON_SDKS[version]]
            installed = subprocess.run(command, capture_output=True, text=True, env=os.environ)
            assert installed.returncode == 0, installed.stderr
            (environment / "ready").touch()
    return str(python)
