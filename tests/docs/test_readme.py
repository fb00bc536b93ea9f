"""The example of the README does what the README says."""

from __future__ import annotations

import json
import shlex

import pytest
from flask import Flask

from tests.docs.conftest import RunPage
from tests.support.actors import Program, answer_of
from tests.support.documents import README, blocks, shell_lines

TEXT = README.read_text("utf-8")


@pytest.fixture
def app(run_page: RunPage) -> Flask:
    made: Flask = run_page(README)["app"]
    return made


def test_the_example_is_short() -> None:
    (example,) = blocks(TEXT, "python")

    assert len(example.splitlines()) < 20


def test_a_client_made_as_it_says_reads_the_invoices(app: Flask) -> None:
    (command,) = [line for line in shell_lines(TEXT) if "client create" in line]
    words = shlex.split(command)[3:]
    made = app.test_cli_runner().invoke(args=[*words, "--json"])
    client = json.loads(made.stdout)
    program = Program(app, client["client_id"], client["client_secret"])

    bought = answer_of(program.posts("/oauth/token", {"grant_type": "client_credentials"}))
    response = program.calls(bought["access_token"], "/api/invoices")

    assert answer_of(response) == {"invoices": [], "tenant": "acme"}
