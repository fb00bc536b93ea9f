"""The page about upgrades: its commands bring old tables up to date, and its versions are those of the package."""

from __future__ import annotations

import importlib
import re
import shlex
import sys

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import inspect, text

from tests.docs.conftest import RunPage
from tests.support import hosts
from tests.support.documents import DOCS, ROOT, page, shell_lines
from tests.support.storage import engine_of

LOST = "activepieces_oauth_clients"


def run(app: Flask, line: str) -> None:
    """Run a command of the page on the app."""
    result = app.test_cli_runner().invoke(args=shlex.split(line, comments=True)[3:])
    assert result.exit_code == 0, result.output


# Flask-Migrate's env.py gets the engine with the API of Flask-SQLAlchemy 2.
@pytest.mark.filterwarnings("ignore:'get_engine' is deprecated:DeprecationWarning")
def test_the_commands_add_a_table_of_the_new_version(
    run_page: RunPage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # Alembic's env.py would configure logging for the whole process.
    monkeypatch.setattr("logging.config.fileConfig", lambda *_, **__: None)
    run_page(DOCS / "existing-app.md")
    app: Flask = importlib.import_module("shop").create_app()
    migrate, upgrade = (line for line in shell_lines(page("upgrading")) if " db " in line)
    with app.app_context():
        flask_migrate.init()
    run(app, migrate)
    run(app, upgrade)
    with app.app_context(), engine_of(app).begin() as connection:
        connection.execute(text(f"DROP TABLE {LOST}"))  # as if the old version had no such table

    refused = app.test_client().post("/oauth/token", data={"grant_type": "client_credentials", "client_id": "x"})
    run(app, migrate)
    run(app, upgrade)

    try:
        assert (refused.status_code, refused.get_json()["error"]) == (500, "server_error")
        assert "The tables of flask-activepieces are missing or older than this version" in caplog.text
        assert LOST in inspect(engine_of(app)).get_table_names()
    finally:
        hosts.dispose(app)


def documented_minimum(package: str) -> str:
    (version,) = re.findall(rf"^\| {package} \| ([\d.]+)", page("upgrading"), re.MULTILINE)
    return str(version)


@pytest.mark.parametrize("package", ["Flask", "Flask-SQLAlchemy", "SQLAlchemy", "Flask-Login", "Authlib"])
def test_the_minimum_versions_are_those_of_the_package(package: str) -> None:
    dependencies = (ROOT / "pyproject.toml").read_text("utf-8")

    assert f'"{package.lower()}>={documented_minimum(package)}"' in dependencies


def test_the_minimum_python_is_that_of_the_package() -> None:
    minimum = documented_minimum("Python")

    assert f'requires-python = ">={minimum}"' in (ROOT / "pyproject.toml").read_text("utf-8")
    assert sys.version_info >= tuple(map(int, minimum.split(".")))


def test_the_changelog_has_the_section_that_the_page_names() -> None:
    (name,) = re.findall(r"\[(Before\s+you upgrade[^\]]*)\]\(changelog\.md\)", page("upgrading"))

    assert f"### {' '.join(name.split())}\n" in (ROOT / "CHANGELOG.md").read_text("utf-8")
