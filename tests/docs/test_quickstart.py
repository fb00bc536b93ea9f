"""A run through the quickstart, using its code."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from flask import Flask

from tests.docs.conftest import RunPage
from tests.support import hosts
from tests.support.actors import Parameters, Person, Program, answer_of, brought_back
from tests.support.documents import DOCS, page, shell_lines
from tests.support.password_hashes import count_password_hashes


@pytest.fixture
def app(run_page: RunPage) -> Iterator[Flask]:
    app: Flask = run_page(DOCS / "quickstart.md")["create_app"]()
    yield app
    hosts.dispose(app)


def test_a_user_signs_in_consents_and_activepieces_reads_the_invoices(app: Flask) -> None:
    program = Program.registered(app, "--preset", "activepieces", scope="profile:read invoices:read")
    ada = Person(app)
    question = program.question(scope="profile:read invoices:read", prompt="consent")

    login_page = ada.opens(question).location
    credentials = {"email": "ada@acme.test", "password": "demo"}
    next_url = ada.browser.post(login_page, data=credentials).location
    code = brought_back(ada.sends(ada.sees(next_url).form("decision"), decision="approve"))["code"]
    token = answer_of(program.redeems(code))["access_token"]

    assert answer_of(program.calls(token, "/api/me"))["email"] == "ada@acme.test"
    invoices: list[dict[str, Any]] = answer_of(program.calls(token, "/api/invoices"))["invoices"]
    assert [invoice["title"] for invoice in invoices] == ["Twelve anvils"]


def test_the_login_redirects_to_no_other_site(app: Flask) -> None:
    credentials = {"email": "ada@acme.test", "password": "demo"}

    for url in ("https://evil.test/", "//evil.test/", "/\\evil.test", "/\t/evil.test", "evil.test", ""):
        response = app.test_client().post("/login", query_string={"next": url}, data=credentials)

        assert response.location == "/", url


@pytest.mark.parametrize("email", ["ada@acme.test", "nobody@acme.test"])
def test_the_login_is_rate_limited(app: Flask, email: str) -> None:
    browser = app.test_client()
    for _ in range(5):
        failed = browser.post("/login", data={"email": email, "password": "wrong"})
        assert failed.status_code == 403

    refused = browser.post("/login", data={"email": email, "password": "demo"})

    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 60


def test_the_login_takes_the_same_time_for_an_unknown_user(app: Flask) -> None:
    """Otherwise the response time would reveal who has an account."""
    browser = app.test_client()

    costs = [
        count_password_hashes(partial(browser.post, "/login", data={"email": email, "password": "wrong"}))
        for email in ("ada@acme.test", "nobody@acme.test")
    ]

    assert costs == [1, 1]


def test_without_a_token_the_api_answers_401(app: Flask) -> None:
    assert app.test_client().get("/api/invoices").status_code == 401


def test_the_admin_finds_the_registered_client_on_the_pages(app: Flask) -> None:
    (command, _) = [line for line in shell_lines(page("quickstart")) if "client create" in line]
    arguments = shlex.split(command)
    result = app.test_cli_runner().invoke(args=arguments[arguments.index("activepieces") :])
    assert result.exit_code == 0, result.output
    ada = Person(app)
    ada.browser.post("/login", data={"email": "ada@acme.test", "password": "demo"})

    home = ada.sees("/")

    for path in home.links.values():
        assert ada.opens(path).status_code == 200
    area = ada.sees(home.links["Automation"])
    assert "Activepieces" in ada.sees(area.links["OAuth clients"]).text


def test_a_client_credentials_token_has_no_user_profile(app: Flask) -> None:
    client = Program.registered(app, "--tenant", "acme", "--client-credentials", scope="profile:read")
    form: Parameters = {"grant_type": "client_credentials"}
    token = answer_of(client.posts("/oauth/token", form))["access_token"]

    assert client.calls(token, "/api/me").status_code == 403


def test_the_action_adds_an_invoice_of_the_tenant(app: Flask) -> None:
    command = ["activepieces", "tokens", "create", "--user", "1", "--tenant", "acme", "--name", "x", "--json"]
    created = app.test_cli_runner().invoke(args=[*command, "--scope", "invoices:read invoices:write"])
    headers = {"Authorization": f"Bearer {json.loads(created.stdout)['token']}"}
    (path,) = re.findall(r"http://127.0.0.1:5000(\S+/actions/\w+)", page("quickstart"))
    browser = app.test_client()

    refused = browser.post(path, json={"name": "A rocket"}, headers=headers)
    added = browser.post(path, json={"title": "A rocket"}, headers=headers)

    assert refused.status_code == 422
    assert answer_of(added) == {"id": 2, "title": "A rocket"}
    assert answer_of(browser.get("/api/invoices", headers=headers))["invoices"][-1] == added.json
