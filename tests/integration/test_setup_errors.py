"""The errors that a developer gets for a wrong or incomplete setup."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy

from flask_activepieces import Activepieces, ActivepiecesError, FlaskLoginHost, current_token, require_scope
from flask_activepieces.errors import ConfigError, SetupError
from flask_activepieces.state import get_state
from tests.conftest import MakeApp
from tests.support import hosts
from tests.support.actors import Person, Program
from tests.support.error_assertions import assert_oauth_error
from tests.support.pages import Page
from tests.support.problems import problem

MakePlainApp = Callable[..., Flask]


@pytest.fixture
def make_plain_app(tmp_path: Path) -> Iterator[MakePlainApp]:
    """Create apps with a secret key and a database URI, without our extension."""
    apps: list[Flask] = []

    def make(**config: Any) -> Flask:
        app = Flask(__name__)
        app.config.update(SECRET_KEY=hosts.SECRET_KEY, SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / 'x.sqlite'}")
        app.config.update(config)
        apps.append(app)
        return app

    yield make
    for app in apps:
        if "sqlalchemy" in app.extensions:
            with app.app_context():
                for engine in app.extensions["sqlalchemy"].engines.values():
                    engine.dispose()


def test_without_a_host_the_error_names_the_choices(make_plain_app: MakePlainApp) -> None:
    """An app with another tenant attribute must not silently become a single tenant."""
    app = make_plain_app()
    SQLAlchemy(app)

    with pytest.raises(SetupError, match=r"single_tenant=True.*tenant_attribute=\"company_id\""):
        Activepieces().init_app(app)

    assert "activepieces" not in app.extensions


@pytest.mark.parametrize("host", [FlaskLoginHost, "host"], ids=["a class", "a string"])
def test_an_invalid_host_object_is_reported(make_plain_app: MakePlainApp, host: Any) -> None:
    app = make_plain_app()
    SQLAlchemy(app)

    with pytest.raises(SetupError, match=r"needs an object of a Host class.*tenant_attribute="):
        Activepieces(host).init_app(app)

    assert "activepieces" not in app.extensions


def test_init_app_needs_the_database_first(make_plain_app: MakePlainApp) -> None:
    with pytest.raises(SetupError, match=r"call db\.init_app\(app\) first"):
        Activepieces(hosts.SmallHost()).init_app(make_plain_app())


def test_init_app_cannot_run_twice_on_one_app(app: Flask) -> None:
    with pytest.raises(SetupError, match="is set up on this app already"):
        Activepieces(hosts.SmallHost()).init_app(app)


def test_an_unknown_bind_is_reported(make_plain_app: MakePlainApp) -> None:
    app = make_plain_app()
    SQLAlchemy(app)

    with pytest.raises(SetupError, match="SQLALCHEMY_BINDS has no bind 'integrations'"):
        Activepieces(hosts.SmallHost(), bind_key="integrations").init_app(app)


def test_a_missing_default_database_is_reported(make_plain_app: MakePlainApp, tmp_path: Path) -> None:
    """The remedy is a bind_key, or the usual database setting."""
    app = make_plain_app(
        SQLALCHEMY_DATABASE_URI=None, SQLALCHEMY_BINDS={"integrations": f"sqlite:///{tmp_path / 'b.sqlite'}"}
    )
    SQLAlchemy(app)

    with pytest.raises(SetupError, match="SQLALCHEMY_DATABASE_URI.*bind_key"):
        Activepieces(hosts.SmallHost()).init_app(app)


def test_init_app_can_be_called_again_after_an_error(make_plain_app: MakePlainApp) -> None:
    app = make_plain_app(ACTIVEPIECES_CODE_TTL="soon")
    SQLAlchemy(app)
    with pytest.raises(ConfigError, match="ACTIVEPIECES_CODE_TTL"):
        Activepieces(hosts.SmallHost()).init_app(app)

    app.config["ACTIVEPIECES_CODE_TTL"] = "60"
    Activepieces(hosts.SmallHost()).init_app(app)

    assert get_state(app).settings.code_ttl == 60


def test_using_the_extension_before_init_app_is_reported(make_plain_app: MakePlainApp) -> None:
    with pytest.raises(SetupError, match=r"call Activepieces\(host\)\.init_app\(app\)"):
        get_state(make_plain_app())


def test_every_setup_error_is_an_activepieces_error() -> None:
    assert issubclass(SetupError, ActivepiecesError)
    assert issubclass(ConfigError, ActivepiecesError)


def test_the_current_token_is_unavailable_outside_a_protected_view(app: Flask) -> None:
    with app.test_request_context(), pytest.raises(SetupError, match=r"below @app\.route"):
        _ = current_token.user_id


@pytest.mark.parametrize("arguments", [(), (lambda: "a view",)])
def test_require_scope_needs_scope_names(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match="needs scope names"):
        require_scope(*arguments)


class SetupReports:
    """The setup errors in the log, for the developer."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def check(self, answer: str, remedy: str) -> None:
        """The only report contains the remedy; the answer contains its reference and not the remedy."""
        (record,) = [
            record for record in self._caplog.records if record.name == "flask_activepieces.web.error_responses"
        ]
        message = record.getMessage()
        assert record.levelname == "ERROR"
        assert remedy in message
        assert remedy not in answer
        (reference,) = re.findall(r"Reference ([0-9a-f]{8}): ", message)
        assert reference in answer
        self._caplog.clear()


@pytest.fixture
def reports(caplog: pytest.LogCaptureFixture) -> SetupReports:
    return SetupReports(caplog)


def test_a_setup_error_is_logged_and_its_page_is_neutral(make_app: MakeApp, reports: SetupReports) -> None:
    """The developer finds the remedy in the log; users could do nothing with it."""
    app = make_app(tables=False)

    page = Person(app, "bob").sees("/oauth/connected-apps")

    assert page.status == 500
    reports.check(page.text, "run your migrations, or db.create_all()")
    assert page.links == {"Back to the app": "/"}
    for detail in ("SetupError", "table", "ACTIVEPIECES", "set up"):
        assert detail not in page.text


def test_a_setup_error_is_logged_and_programs_get_only_its_reference(
    make_app: MakeApp, reports: SetupReports
) -> None:
    app = make_app(tables=False)
    alice = Person(app, "alice")

    answer = alice.opens("/api/integration/activepieces/oauth-clients")
    error = problem(answer, 500, "Server error")
    reports.check(error["detail"], "run your migrations")
    assert error["reference"] in error["detail"]

    form = {"grant_type": "client_credentials", "client_id": "a", "client_secret": "b"}
    token = app.test_client().post("/oauth/token", data=form)
    reports.check(assert_oauth_error(token, 500, "server_error"), "run your migrations")


def test_a_protected_view_reports_a_setup_error_only_in_the_log(make_app: MakeApp, reports: SetupReports) -> None:
    headers = {"Authorization": "Bearer x"}

    answer = make_app().test_client().get("/api/whoami", headers=headers, base_url="https://app.example.com")

    assert answer.status_code == 500
    reports.check(answer.get_json()["error_description"], "ACTIVEPIECES_PUBLIC_URL")


def test_a_path_cannot_forge_a_line_of_the_log(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    """Anyone can send any path, and a Host header that causes a setup error."""
    app = make_app()
    app.add_url_rule("/notes/<name>", view_func=require_scope("tasks:read")(lambda name: name))

    answer = app.test_client().get(
        "/notes/x%0AERROR%20Reference%20forged",
        headers={"Authorization": "Bearer x"},
        base_url="https://app.example.com",
    )

    (message,) = [record.getMessage() for record in caplog.records]
    assert answer.status_code == 500
    assert r"/notes/x\nERROR Reference forged" in message
    assert message.isprintable()


def test_a_missing_login_view_is_logged(make_plain_app: MakePlainApp, reports: SetupReports) -> None:
    app = make_plain_app(ACTIVEPIECES_SCOPES=hosts.SCOPES)
    db = SQLAlchemy(app)
    login_manager = LoginManager(app)
    login_manager.user_loader(lambda user_id: None)
    Activepieces(FlaskLoginHost(single_tenant=True)).init_app(app)
    with app.app_context():
        db.create_all()

    page = Page(app.test_client().get(Program.registered(app).question()))

    assert page.status == 500
    reports.check(page.text, "set login_manager.login_view")


def test_an_unknown_login_view_is_logged(make_plain_app: MakePlainApp, reports: SetupReports) -> None:
    app = make_plain_app(ACTIVEPIECES_SCOPES=hosts.SCOPES)
    db = SQLAlchemy(app)
    login_manager = LoginManager(app)
    login_manager.login_view = "auth.login"
    login_manager.user_loader(lambda user_id: None)
    Activepieces(FlaskLoginHost(single_tenant=True)).init_app(app)
    with app.app_context():
        db.create_all()

    page = Page(app.test_client().get(Program.registered(app).question()))

    assert page.status == 500
    reports.check(page.text, "login_manager.login_view is 'auth.login'")


def test_missing_flask_login_is_logged(make_plain_app: MakePlainApp, reports: SetupReports) -> None:
    app = make_plain_app(ACTIVEPIECES_SCOPES=hosts.SCOPES)
    db = SQLAlchemy(app)
    Activepieces(FlaskLoginHost(single_tenant=True)).init_app(app)
    with app.app_context():
        db.create_all()

    page = Page(app.test_client().get(Program.registered(app).question()))

    assert page.status == 500
    reports.check(page.text, "login_manager.init_app(app)")


def test_the_cli_reports_missing_tables(make_app: MakeApp) -> None:
    app = make_app(tables=False)

    result = app.test_cli_runner().invoke(args=["activepieces", "client", "list"])

    assert result.exit_code == 1
    assert "run your migrations" in result.stderr


def test_the_public_url_is_required_off_loopback(make_app: MakeApp, reports: SetupReports) -> None:
    """Otherwise the Host header of a request would decide the issuer."""
    app = make_app()
    program = Program.registered(app)
    public_host = {"base_url": "https://app.example.com"}

    token = program.posts("/oauth/token", {"grant_type": "client_credentials"}, **public_host)
    reports.check(assert_oauth_error(token, 500, "server_error"), "ACTIVEPIECES_PUBLIC_URL")
    page = Page(app.test_client().get(program.question(), **public_host))
    reports.check(page.text, "ACTIVEPIECES_PUBLIC_URL")
    document = app.test_client().get("/.well-known/oauth-authorization-server", **public_host)
    reports.check(document.get_json()["error_description"], "ACTIVEPIECES_PUBLIC_URL")

    assert (token.status_code, page.status, document.status_code) == (500, 500, 500)
