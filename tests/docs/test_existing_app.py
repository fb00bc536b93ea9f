"""The app of the page "Add it to an existing app" works: ids, login, CSRF protection and migrations."""

from __future__ import annotations

import importlib
import shlex
from collections.abc import Iterator
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import inspect
from werkzeug.security import generate_password_hash

from flask_activepieces.storage import tables
from tests.docs.conftest import RunPage
from tests.support import hosts
from tests.support.actors import Person, Program, answer_of, brought_back
from tests.support.documents import DOCS, page, shell_lines
from tests.support.pages import Page
from tests.support.storage import engine_of, row_counts

PAGE = DOCS / "existing-app.md"
SCOPE = "orders:read"


@pytest.fixture
def app(run_page: RunPage) -> Iterator[Flask]:
    """The page's app, with the order of one user and that of a colleague."""
    run_page(PAGE)
    shop = importlib.import_module("shop")
    app: Flask = shop.create_app({"SQLALCHEMY_DATABASE_URI": "sqlite://"})
    models, db = importlib.import_module("shop.models"), importlib.import_module("shop.extensions").db
    with app.app_context():
        db.create_all()
        company = models.Company(name="Acme")
        db.session.add(company)
        db.session.flush()
        for id, email in ((41, "ada@acme.test"), (42, "bob@acme.test")):
            user = models.User(id=id, email=email, company_id=company.id, role="owner")
            user.password_hash = generate_password_hash("demo", method="pbkdf2:sha256:1")
            order = models.Order(title=f"Order of {id}", company_id=company.id, created_by=id)
            db.session.add_all([user, order])
        db.session.commit()
    yield app
    hosts.dispose(app)


def sign_in(person: Person, url: str, email: str = "ada@acme.test") -> Any:
    """Sign in at the page's login form; return the response."""
    form = Page(person.browser.get(url)).form("password")
    return person.browser.post(url, data={**form.values, "email": email, "password": "demo"})


def allow(app: Flask, program: Program) -> dict[str, Any]:
    """Sign in on the way to the consent page, and approve; return the tokens."""
    ada = Person(app)
    login_page = ada.opens(program.question(scope=SCOPE)).location
    consent_url = sign_in(ada, login_page).location
    code = brought_back(ada.sends(ada.sees(consent_url).form("decision"), decision="approve"))["code"]
    return answer_of(program.redeems(code))


def test_a_user_with_an_integer_id_and_a_company_with_a_uuid_read_their_orders(app: Flask) -> None:
    program = Program.registered(app, scope=SCOPE)

    token = allow(app, program)["access_token"]

    orders: list[dict[str, Any]] = answer_of(program.calls(token, "/api/orders"))["orders"]
    assert [order["title"] for order in orders] == ["Order of 41"]


@pytest.mark.parametrize("url", ["https://evil.test/", "//evil.test/", "/\\evil.test", "/\t/evil.test", "evil.test"])
def test_the_login_redirects_to_no_other_site(app: Flask, url: str) -> None:
    person = Person(app)
    form = Page(person.browser.get("/login")).form("password")

    response = person.browser.post(
        "/login", query_string={"next": url}, data={**form.values, "email": "ada@acme.test", "password": "demo"}
    )

    assert response.location == "/"


def test_a_wrong_password_keeps_the_page_to_return_to(app: Flask) -> None:
    ada = Person(app)
    login_page = ada.opens(Program.registered(app, scope=SCOPE).question(scope=SCOPE)).location
    form = Page(ada.browser.get(login_page)).form("password")

    failed = ada.browser.post(login_page, data={**form.values, "email": "ada@acme.test", "password": "wrong"})

    assert failed.status_code == 403
    assert Page(failed).form("password").action == ""  # the browser posts to the same URL, with next
    assert sign_in(ada, login_page).location.startswith("/oauth/authorize")


def test_flask_wtf_protects_the_consent_form_and_not_the_token_endpoint(app: Flask) -> None:
    program = Program.registered(app, scope=SCOPE)
    tokens = allow(app, program)
    ada = Person(app)
    sign_in(ada, "/login")
    form = ada.sees(program.question(scope=SCOPE)).form("decision")

    refused = ada.sends(form, csrf_token="", decision="approve")

    assert refused.status_code == 400
    assert program.refreshes(tokens["refresh_token"]).status_code == 200


def test_the_log_contains_no_line_of_the_extension(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    Person(app).opens("/oauth/connected-apps")

    assert [record for record in caplog.records if record.name.startswith("flask_activepieces")] == []


def test_an_owner_is_an_admin_as_the_page_says(app: Flask) -> None:
    ada = Person(app)
    sign_in(ada, "/login")

    assert ada.opens("/automation/clients").status_code == 200


# Flask-Migrate's env.py gets the engine with the API of Flask-SQLAlchemy 2.
@pytest.mark.filterwarnings("ignore:'get_engine' is deprecated:DeprecationWarning")
def test_the_migration_commands_create_our_tables(run_page: RunPage, monkeypatch: pytest.MonkeyPatch) -> None:
    # Alembic's env.py would configure logging for the whole process.
    monkeypatch.setattr("logging.config.fileConfig", lambda *_, **__: None)
    run_page(PAGE)
    app: Flask = importlib.import_module("shop").create_app()
    lines = [line for line in shell_lines(page("existing-app")) if " db " in line]
    with app.app_context():
        flask_migrate.init()

    for line in lines:
        result = app.test_cli_runner().invoke(args=shlex.split(line)[3:])
        assert result.exit_code == 0, result.output

    try:
        created = set(inspect(engine_of(app)).get_table_names())
        assert {table.name for table in tables.metadata.sorted_tables} < created
        assert row_counts(app) == {}
    finally:
        hosts.dispose(app)
