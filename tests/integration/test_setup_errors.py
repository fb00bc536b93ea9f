"""What a developer is told when the parts of an app are put together in the wrong order, or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy

from flask_activepieces import (
    Activepieces,
    ActivepiecesError,
    FlaskLoginHost,
    current_token,
    require_scope,
)
from flask_activepieces.errors import ConfigError, SetupError
from flask_activepieces.state import get_state
from tests.conftest import MakeApp
from tests.support import hosts
from tests.support.actors import Person, Program
from tests.support.error_assertions import assert_oauth_error
from tests.support.pages import Page
from tests.support.problems import problem

Plain = Callable[..., Flask]


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Plain]:
    """Makes apps that know their key and database, and nothing of us."""
    made: list[Flask] = []

    def make(**config: Any) -> Flask:
        app = Flask(__name__)
        app.config.update(
            SECRET_KEY=hosts.SECRET_KEY,
            SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / 'x.sqlite'}",
        )
        app.config.update(config)
        made.append(app)
        return app

    yield make
    for app in made:
        if "sqlalchemy" in app.extensions:
            with app.app_context():
                for engine in app.extensions["sqlalchemy"].engines.values():
                    engine.dispose()


def test_without_a_host_the_developer_learns_what_to_choose(plain: Plain) -> None:
    """An app whose tenant has another name than we expect must not become one tenant in silence."""
    app = plain()
    SQLAlchemy(app)

    with pytest.raises(SetupError, match=r"single_tenant=True.*tenant_attribute=\"company_id\""):
        Activepieces().init_app(app)

    assert "activepieces" not in app.extensions


def test_before_the_database_is_set_up(plain: Plain) -> None:
    with pytest.raises(SetupError, match=r"call db\.init_app\(app\) first"):
        Activepieces(hosts.SmallHost()).init_app(plain())


def test_twice_on_one_app(app: Flask) -> None:
    with pytest.raises(SetupError, match="is set up on this app already"):
        Activepieces(hosts.SmallHost()).init_app(app)


def test_an_unknown_bind(plain: Plain) -> None:
    app = plain()
    SQLAlchemy(app)

    with pytest.raises(SetupError, match="SQLALCHEMY_BINDS has no bind 'integrations'"):
        Activepieces(hosts.SmallHost(), bind_key="integrations").init_app(app)


def test_no_default_database_among_the_binds(plain: Plain, tmp_path: Path) -> None:
    """Then what is missing is a bind_key, or the usual setting for a database."""
    app = plain(
        SQLALCHEMY_DATABASE_URI=None,
        SQLALCHEMY_BINDS={"integrations": f"sqlite:///{tmp_path / 'b.sqlite'}"},
    )
    SQLAlchemy(app)

    with pytest.raises(SetupError, match="SQLALCHEMY_DATABASE_URI.*bind_key"):
        Activepieces(hosts.SmallHost()).init_app(app)


def test_after_a_refusal_the_app_can_be_set_up_rightly(plain: Plain) -> None:
    app = plain(ACTIVEPIECES_CODE_TTL="soon")
    SQLAlchemy(app)
    with pytest.raises(ConfigError, match="ACTIVEPIECES_CODE_TTL"):
        Activepieces(hosts.SmallHost()).init_app(app)

    app.config["ACTIVEPIECES_CODE_TTL"] = "60"
    Activepieces(hosts.SmallHost()).init_app(app)

    assert get_state(app).settings.code_ttl == 60


def test_without_the_extension_whoever_needs_it_says_what_to_call(plain: Plain) -> None:
    with pytest.raises(SetupError, match=r"call Activepieces\(host\)\.init_app\(app\)"):
        get_state(plain())


def test_every_setup_error_can_be_caught_as_one_of_ours() -> None:
    assert issubclass(SetupError, ActivepiecesError)
    assert issubclass(ConfigError, ActivepiecesError)


def test_the_current_token_outside_a_protected_view(app: Flask) -> None:
    with app.test_request_context(), pytest.raises(SetupError, match="@require_scope"):
        _ = current_token.user_id


@pytest.mark.parametrize("arguments", [(), (lambda: "a view",)])
def test_a_scope_is_required_by_its_name(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match="needs scope names"):
        require_scope(*arguments)


class Reports:
    """What was logged for the developer."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def check(self, shown: str, words: str) -> None:
        """The one report has these words, which whoever met the error is not shown; they have its reference."""
        (record,) = [
            each
            for each in self._caplog.records
            if each.name == "flask_activepieces.web.setup_reports"
        ]
        message = record.getMessage()
        assert record.levelname == "ERROR"
        assert words in message
        assert words not in shown
        (reference,) = re.findall(r"Reference ([0-9a-f]{8}): ", message)
        assert reference in shown
        self._caplog.clear()


@pytest.fixture
def reports(caplog: pytest.LogCaptureFixture) -> Reports:
    return Reports(caplog)


def test_a_setup_error_is_logged_and_its_page_is_neutral_and_leads_back(
    make_app: MakeApp, reports: Reports
) -> None:
    """A newcomer who has not made the tables yet finds the remedy in the log; a customer could do nothing with it."""
    app = make_app(tables=False)

    page = Person(app, "bob").sees("/oauth/connected-apps")

    assert page.status == 500
    reports.check(page.text, "run your migrations, or db.create_all()")
    assert page.links == {"Back to the app": "/"}
    for word in ("SetupError", "table", "ACTIVEPIECES", "set up"):
        assert word not in page.text


def test_a_setup_error_is_logged_and_programs_get_its_reference(
    make_app: MakeApp, reports: Reports
) -> None:
    app = make_app(tables=False)
    alice = Person(app, "alice")

    answer = alice.opens("/api/integration/activepieces/oauth-clients")
    told = problem(answer, 500, "Server error")
    reports.check(told["detail"], "run your migrations")
    assert told["reference"] in told["detail"]

    form = {"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"}
    token = app.test_client().post("/oauth/token", data=form)
    reports.check(assert_oauth_error(token, 500, "server_error"), "run your migrations")


def test_a_protected_view_keeps_a_setup_error_to_the_log(
    make_app: MakeApp, reports: Reports
) -> None:
    headers = {"Authorization": "Bearer x"}

    answer = (
        make_app()
        .test_client()
        .get("/api/whoami", headers=headers, base_url="https://app.example.com")
    )

    assert answer.status_code == 500
    reports.check(answer.get_json()["error_description"], "ACTIVEPIECES_PUBLIC_URL")


def test_no_login_view_is_told_in_the_log(plain: Plain, reports: Reports) -> None:
    app = plain(ACTIVEPIECES_SCOPES=hosts.SCOPES)
    db = SQLAlchemy(app)
    login_manager = LoginManager(app)
    login_manager.user_loader(lambda user_id: None)
    Activepieces(FlaskLoginHost(single_tenant=True)).init_app(app)
    with app.app_context():
        db.create_all()

    page = Page(app.test_client().get(Program.registered(app).question()))

    assert page.status == 500
    reports.check(page.text, "set login_manager.login_view")


def test_no_flask_login_at_all_is_told_in_the_log(plain: Plain, reports: Reports) -> None:
    app = plain(ACTIVEPIECES_SCOPES=hosts.SCOPES)
    db = SQLAlchemy(app)
    Activepieces(FlaskLoginHost(single_tenant=True)).init_app(app)
    with app.app_context():
        db.create_all()

    page = Page(app.test_client().get(Program.registered(app).question()))

    assert page.status == 500
    reports.check(page.text, "login_manager.init_app(app)")


def test_missing_tables_are_told_at_the_command_line(make_app: MakeApp) -> None:
    app = make_app(tables=False)

    listed = app.test_cli_runner().invoke(args=["activepieces", "client", "list"])

    assert listed.exit_code == 1
    assert "run your migrations" in listed.stderr


def test_off_loopback_the_public_address_must_be_set(make_app: MakeApp, reports: Reports) -> None:
    """Otherwise whoever writes the Host header would say who we are."""
    app = make_app()
    program = Program.registered(app)
    elsewhere = {"base_url": "https://app.example.com"}

    token = program.posts("/oauth/token", {"grant_type": "client_credentials"}, **elsewhere)
    reports.check(assert_oauth_error(token, 500, "server_error"), "ACTIVEPIECES_PUBLIC_URL")
    page = Page(app.test_client().get(program.question(), **elsewhere))
    reports.check(page.text, "ACTIVEPIECES_PUBLIC_URL")
    document = app.test_client().get("/.well-known/oauth-authorization-server", **elsewhere)
    reports.check(document.get_json()["error_description"], "ACTIVEPIECES_PUBLIC_URL")

    assert (token.status_code, page.status, document.status_code) == (500, 500, 500)
