"""Several apps in one process, created by factories that share module-level objects, as is usual in Flask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy

from flask_activepieces import Activepieces, FlaskLoginHost, current_token, require_scope
from flask_activepieces.state import get_state
from flask_activepieces.storage import tables
from tests.conftest import MakeApp
from tests.support import hosts
from tests.support.actors import Person, Program, answer_of
from tests.support.storage import row_counts


@pytest.fixture
def create_app(tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """An app factory over one database object, one login manager and one extension."""
    db, login_manager = SQLAlchemy(), LoginManager()
    activepieces = Activepieces(FlaskLoginHost(single_tenant=True))
    apps: list[Flask] = []

    def create(name: str, **config: Any) -> Flask:
        app = Flask(name)
        app.config.update(
            SECRET_KEY=f"the secret key of {name}",
            SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / name}.sqlite",
            ACTIVEPIECES_SCOPES=hosts.SCOPES,
        )
        app.config.update(config)
        db.init_app(app)
        login_manager.init_app(app)
        activepieces.init_app(app)
        app.add_url_rule("/api/me", view_func=require_scope("profile:read")(me))
        with app.app_context():
            db.create_all()
        apps.append(app)
        return app

    def me() -> dict[str, str]:
        return {"client_id": current_token.client_id}

    yield create
    for app in apps:
        hosts.dispose(app)


def token_of(program: Program) -> str:
    answer = answer_of(program.posts("/oauth/token", {"grant_type": "client_credentials"}))
    assert isinstance(answer["access_token"], str)
    return answer["access_token"]


def register_client(app: Flask) -> Program:
    return Program.registered(app, "--client-credentials", "--tenant", "acme")


def test_apps_from_one_factory_share_no_client_and_no_token(create_app: Callable[..., Flask]) -> None:
    first, second = create_app("first"), create_app("second")
    program = register_client(first)
    token = token_of(program)

    assert program.calls(token, "/api/me").status_code == 200
    assert second.test_client().get("/api/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert row_counts(second) == {}


def test_each_app_has_its_own_configuration(create_app: Callable[..., Flask]) -> None:
    first = create_app("first", ACTIVEPIECES_ACCESS_TOKEN_TTL=7200)
    second = create_app("second", ACTIVEPIECES_OAUTH_PREFIX="/connect")

    assert get_state(first).settings.access_token_ttl == 7200
    assert get_state(second).settings.access_token_ttl == 3600
    assert first.test_client().get("/oauth/jwks.json").status_code == 200
    assert first.test_client().get("/connect/jwks.json").status_code == 404
    assert second.test_client().get("/connect/jwks.json").status_code == 200


def test_our_tables_are_only_once_in_a_shared_metadata(create_app: Callable[..., Flask]) -> None:
    create_app("first")
    app = create_app("second")

    db: SQLAlchemy = app.extensions["sqlalchemy"]

    assert set(db.metadata.tables) == {table.name for table in tables.metadata.sorted_tables}


def test_two_apps_do_not_accept_each_others_tokens(make_app: MakeApp, tmp_path: Path) -> None:
    first = make_app(database=f"sqlite:///{tmp_path / 'first.sqlite'}")
    second = make_app(database=f"sqlite:///{tmp_path / 'second.sqlite'}", SECRET_KEY="another key " * 3)
    program = Program.registered(first)

    pair = program.connects(Person(first, "bob"))
    at_second = Program(second, program.client_id, program.client_secret)

    assert at_second.calls(pair["access_token"]).status_code == 401
    assert answer_of(at_second.refreshes(pair["refresh_token"]), 401)["error"] == "invalid_client"


def test_signals_name_the_app_that_sent_them(create_app: Callable[..., Flask]) -> None:
    from flask_activepieces import signals

    first, second = create_app("first"), create_app("second")
    senders: list[Any] = []

    def listen(app: Flask, event: Any) -> None:
        senders.append(app)

    with signals.client_created.connected_to(listen, sender=first):
        register_client(second)
        register_client(first)

    assert senders == [first]
