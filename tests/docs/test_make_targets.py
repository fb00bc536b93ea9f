"""The make targets, modules and installs named in the README, CONTRIBUTING and the docs exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from importlib.metadata import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.documents import PAGES, README, ROOT, shell_lines
from tests.support.requirements import REQUIREMENTS, Name

CONTRIBUTING = ROOT / "CONTRIBUTING.md"
EXAMPLE = ROOT / "example_app" / "README.md"
DEVELOPER_PAGES = [README, CONTRIBUTING, EXAMPLE, ROOT / "CHANGELOG.md", *PAGES]


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make; the arguments that the tests use install nothing."""
    # Without the variables of a make process that runs these tests.
    environment = {"PATH": os.environ["PATH"]}
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def find_all(path: Path, pattern: str) -> list[str]:
    """The distinct matches of the pattern in a page, code blocks included."""
    return list(dict.fromkeys(re.findall(pattern, path.read_text("utf-8"))))


NAMED_TARGETS = [
    pytest.param(target, id=f"{path.stem}: make {target}")
    for path in DEVELOPER_PAGES
    for target in find_all(path, r"(?:^|`)make ([a-z-]+)(?=[ `\n])(?! sure)")
]
NAMED_MODULES = [
    pytest.param(module, id=f"{path.parent.name}-{path.stem}: {module}")
    for path in DEVELOPER_PAGES
    for module in find_all(path, r"\bpython3? -m ([a-z_.]+[a-z_])")
]


@pytest.fixture(scope="module")
def listed() -> dict[str, str]:
    """The targets that plain `make` lists, with their descriptions."""
    lines = [line.strip().split(maxsplit=2) for line in make().stdout.splitlines()]
    return {target: description for _, target, description in lines}


@pytest.mark.parametrize("target", NAMED_TARGETS)
def test_make_lists_every_target_that_a_page_names(listed: dict[str, str], target: str) -> None:
    assert target in listed


def test_make_help_lists_every_target(listed: dict[str, str]) -> None:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)

    assert listed.keys() == set(phony.split())
    assert make("help").stdout == make().stdout


def test_the_readme_names_the_demo_first_and_then_the_tests() -> None:
    lines = [line for line in shell_lines(README.read_text("utf-8")) if line.startswith("make ")]

    assert lines == ["make demo", "make test"]


@pytest.mark.parametrize("module", NAMED_MODULES)
def test_every_module_that_a_page_names_can_be_run(module: str) -> None:
    package = find_spec(module)

    assert package is not None
    assert package.submodule_search_locations is None or find_spec(f"{module}.__main__")


def test_no_page_installs_the_package_from_pypi() -> None:
    """The package is not on PyPI yet, so pages install a directory or a wheel."""
    installs = [
        shlex.split(line, comments=True)
        for path in (README, EXAMPLE, *PAGES)
        for line in [*shell_lines(path.read_text("utf-8")), *find_all(path, r"`(pip install [^`]+)`")]
        if line.startswith("pip install")
    ]

    provided = metadata("flask-activepieces").get_all("Provides-Extra") or []
    for line in installs:
        for argument in (each for each in line[2:] if each not in ("pytest", "prometheus-client")):
            assert argument.startswith(("-", ".", "dist/")), line
            extras = re.search(r"\[(.*)\]", argument)
            assert set(extras[1].split(",") if extras else ()) <= set(provided), line


def commands_of(target: str, venv: Path) -> list[str]:
    """The commands that make would run for this target."""
    result = make("--dry-run", target, f"VENV={venv}")
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """The path of an environment for make, which does not exist yet."""
    return tmp_path / "venv"


@pytest.mark.parametrize("target", ["demo", "check-demo"])
def test_the_demo_installs_no_tools(venv: Path, target: str) -> None:
    commands = "\n".join(commands_of(target, venv))

    assert "--constraint constraints.txt --editable ." in commands
    assert "[dev]" not in commands


def stamp(venv: Path, *names: str) -> None:
    """Pretend that make has completed these steps in the environment."""
    venv.mkdir(exist_ok=True)
    for name in names:
        (venv / f".stamp-python3-{name}").touch()


@pytest.mark.parametrize(
    ("completed", "target", "installs"),
    [
        (["environment", "demo"], "demo", []),
        (["environment", "demo"], "test", ["'.[dev]'"]),
        (["environment", "demo", "all"], "demo", []),
        (["environment", "demo", "all"], "test", []),
    ],
    ids=["demo again", "tests after the demo", "demo after the tests", "tests again"],
)
def test_make_installs_only_what_is_missing(
    venv: Path, completed: list[str], target: str, installs: list[str]
) -> None:
    stamp(venv, *completed)

    commands = commands_of(target, venv)

    assert not [line for line in commands if "venv --clear" in line]
    assert [line.split()[-1] for line in commands if "--editable" in line] == installs


def test_another_interpreter_gets_another_environment(venv: Path) -> None:
    stamp(venv, "environment", "demo", "all")

    result = make("--dry-run", "demo", f"VENV={venv}", "PYTHON=python3.99")

    assert "python3.99 -m venv --clear" in result.stdout


def test_continuous_integration_runs_existing_targets(listed: dict[str, str]) -> None:
    run = (ROOT / ".ci" / "run").read_text("utf-8")
    targets = re.findall(r"^make (\S+)$", run, re.MULTILINE)

    assert "test" in targets
    assert set(targets) <= listed.keys()


PACKAGES: dict[Name, str] = {
    "postgres": "postgresql",
    "mariadb": "mariadb-server",
    "redis": "redis-server",
    "chromium": "chromium",
    "node": "nodejs",
    "npm": "npm",
    "axe": "npm",  # from which the tests install it
    "nginx": "nginx-light",
    "rabbitmq": "rabbitmq-server",
    "unshare": "util-linux",
}


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_continuous_integration_installs_what_the_tests_need(name: Name) -> None:
    """CI sets REQUIRE_ALL=1, so a missing service is a failure."""
    services = (ROOT / ".ci" / "services").read_text("utf-8")

    assert f"missing+=({PACKAGES[name]})" in services
