"""What the quickstart promises, walked through on its own code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.docs.conftest import RunPage
from tests.support import hosts
from tests.support.actors import Person, Program, answer_of, brought_back
from tests.support.documents import DOCS


@pytest.fixture
def app(run_page: RunPage) -> Iterator[Flask]:
    made: Flask = run_page(DOCS / "quickstart.md")["create_app"]()
    yield made
    hosts.dispose(made)


def test_a_user_signs_in_consents_and_activepieces_reads_the_invoices(app: Flask) -> None:
    program = Program.registered(
        app, "--preset", "activepieces", scope="profile:read invoices:read"
    )
    ada = Person(app)
    question = program.question(scope="profile:read invoices:read", prompt="consent")

    login_page = ada.opens(question).location
    typed = {"email": "ada@acme.test", "password": "demo"}
    back = ada.browser.post(login_page, data=typed).location
    code = brought_back(ada.sends(ada.sees(back).form("decision"), decision="approve"))["code"]
    token = answer_of(program.redeems(code))["access_token"]

    assert answer_of(program.calls(token, "/api/me"))["email"] == "ada@acme.test"
    invoices: list[dict[str, Any]] = answer_of(program.calls(token, "/api/invoices"))["invoices"]
    assert [invoice["title"] for invoice in invoices] == ["Twelve anvils"]


def test_the_login_sends_nobody_to_another_site(app: Flask) -> None:
    typed = {"email": "ada@acme.test", "password": "demo"}

    for trick in (
        "https://evil.test/",
        "//evil.test/",
        "/\\evil.test",
        "/\t/evil.test",
        "evil.test",
        "",
    ):
        response = app.test_client().post("/login", query_string={"next": trick}, data=typed)

        assert response.location == "/", trick


def test_without_a_token_the_api_answers_401(app: Flask) -> None:
    assert app.test_client().get("/api/invoices").status_code == 401


def test_the_client_pages_are_open_to_the_admin(app: Flask) -> None:
    ada = Person(app)
    ada.browser.post("/login", data={"email": "ada@acme.test", "password": "demo"})

    assert ada.opens("/oauth/clients").status_code == 200
