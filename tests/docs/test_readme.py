"""The README's example works as described."""

from __future__ import annotations

import json
import re
import shlex

import pytest
from flask import Flask

from tests.docs.conftest import RunPage
from tests.support.actors import Program, answer_of
from tests.support.documents import README, ROOT, blocks, shell_lines

CONTENT = README.read_text("utf-8")


@pytest.fixture
def app(run_page: RunPage) -> Flask:
    app: Flask = run_page(README)["app"]
    return app


def test_the_example_is_short() -> None:
    (example,) = blocks(CONTENT, "python")

    assert len(example.splitlines()) < 20


def test_a_client_created_as_described_reads_the_invoices(app: Flask) -> None:
    (command,) = [line for line in shell_lines(CONTENT) if "client create" in line]
    arguments = shlex.split(command)[3:]
    result = app.test_cli_runner().invoke(args=[*arguments, "--json"])
    client = json.loads(result.stdout)
    program = Program(app, client["client_id"], client["client_secret"])

    tokens = answer_of(program.posts("/oauth/token", {"grant_type": "client_credentials"}))
    response = program.calls(tokens["access_token"], "/api/invoices")

    assert answer_of(response) == {"invoices": [], "tenant": "acme"}


def test_the_readme_of_the_example_names_files_that_exist() -> None:
    table = (ROOT / "example_app" / "README.md").read_text("utf-8").partition("## What to read")[2].partition("##")[0]

    named = {name for row in re.findall(r"^\| (`.+?) \|", table, re.M) for name in re.findall(r"`(.+?)`", row)}

    assert len(named) > 1
    assert [name for name in named if not (ROOT / "example_app" / name).exists()] == []
