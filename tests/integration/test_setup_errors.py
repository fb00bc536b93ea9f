"""What a developer is told when the parts of an app are put together in the wrong order, or not at all."""

from __future__ import annotations

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
from tests.support.pages import Page

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


def test_no_login_view_is_told_on_a_page(plain: Plain) -> None:
    app = plain(ACTIVEPIECES_SCOPES=hosts.SCOPES)
    db = SQLAlchemy(app)
    login_manager = LoginManager(app)
    login_manager.user_loader(lambda user_id: None)
    Activepieces(FlaskLoginHost(single_tenant=True)).init_app(app)
    with app.app_context():
        db.create_all()

    page = Page(app.test_client().get(Program.registered(app).question()))

    assert page.status == 500
    assert "set login_manager.login_view" in page.text


def test_no_flask_login_at_all_is_told_on_a_page(plain: Plain) -> None:
    app = plain(ACTIVEPIECES_SCOPES=hosts.SCOPES)
    db = SQLAlchemy(app)
    Activepieces(FlaskLoginHost(single_tenant=True)).init_app(app)
    with app.app_context():
        db.create_all()

    page = Page(app.test_client().get(Program.registered(app).question()))

    assert page.status == 500
    assert "login_manager.init_app(app)" in page.text


def test_missing_tables_are_not_called_a_database_that_is_away(make_app: MakeApp) -> None:
    """A newcomer who has not made the tables yet must not go looking for a broken server."""
    app = make_app(tables=False)

    page = Person(app, "bob").sees("/oauth/connected-apps")

    assert page.status == 500
    assert "db.create_all()" in page.text
    assert "run your migrations" in page.text


def test_missing_tables_are_told_at_the_command_line(make_app: MakeApp) -> None:
    app = make_app(tables=False)

    listed = app.test_cli_runner().invoke(args=["activepieces", "client", "list"])

    assert listed.exit_code == 1
    assert "run your migrations" in listed.stderr


def test_off_loopback_the_public_address_must_be_told(make_app: MakeApp) -> None:
    """Otherwise whoever writes the Host header would say who we are."""
    app = make_app()
    program = Program.registered(app)
    elsewhere = {"base_url": "https://app.example.com"}

    token = program.posts("/oauth/token", {"grant_type": "client_credentials"}, **elsewhere)
    page = Page(app.test_client().get(program.question(), **elsewhere))

    assert token.status_code == 500
    assert "ACTIVEPIECES_PUBLIC_URL" in token.get_json()["error_description"]
    assert page.status == 500
    assert "ACTIVEPIECES_PUBLIC_URL" in page.text
