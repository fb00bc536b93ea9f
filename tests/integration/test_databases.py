"""Our tables are created only in the host's bind and schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_login import LoginManager, UserMixin, login_user
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, MetaData, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from flask_activepieces import Activepieces, FlaskLoginHost, current_token, require_scope
from flask_activepieces.storage import tables
from tests.support import hosts
from tests.support.actors import Person, Program, answer_of
from tests.support.clock import StoppedClock
from tests.support.databases import fresh_database

OURS = {table.name for table in tables.metadata.sorted_tables}


class User(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    id = "bob"


def host_app(db: SQLAlchemy, extension: Activepieces, **config: Any) -> Flask:
    """An app whose one user signs in by opening /login."""
    app = Flask(__name__)
    app.config.update(SECRET_KEY=hosts.SECRET_KEY, ACTIVEPIECES_SCOPES=hosts.SCOPES, **config)
    db.init_app(app)
    login_manager = LoginManager(app)
    login_manager.user_loader(lambda user_id: User())
    login_manager.login_view = "login"
    app.add_url_rule("/login", "login", lambda: str(login_user(User())))
    extension.init_app(app)
    app.add_url_rule(
        "/api/whoami",
        view_func=require_scope("profile:read")(lambda: {"user_id": current_token.user_id}),
        endpoint="whoami",
    )
    with app.app_context():
        db.create_all()
    return app


def connect_and_refresh(app: Flask) -> str:
    """Connect, refresh, call and revoke; return the user id of the token."""
    program, bob = Program.registered(app), Person(app)
    bob.opens("/login")
    pair = answer_of(program.refreshes(program.connects(bob)["refresh_token"]))
    user_id = answer_of(program.calls(pair["access_token"]))["user_id"]
    program.revokes(pair["refresh_token"])
    assert program.calls(pair["access_token"]).status_code == 401
    assert isinstance(user_id, str)
    return user_id


@contextmanager
def open_engines(app: Flask) -> Iterator[dict[str | None, Engine]]:
    """The app's engines by bind, closed afterwards."""
    with app.app_context():
        engines = dict(app.extensions["sqlalchemy"].engines)
        yield engines
        for engine in engines.values():
            engine.dispose()


def table_names(engine: Engine, schema: str | None = None) -> set[str]:
    return set(inspect(engine).get_table_names(schema=schema))


def test_with_a_bind_key_our_tables_are_only_in_that_bind(tmp_path: Path, clock: StoppedClock) -> None:
    app = host_app(
        SQLAlchemy(),
        Activepieces(FlaskLoginHost(single_tenant=True), bind_key="integrations", clock=clock),
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / 'main.sqlite'}",
        SQLALCHEMY_BINDS={"integrations": f"sqlite:///{tmp_path / 'integrations.sqlite'}"},
    )

    user_id = connect_and_refresh(app)

    with open_engines(app) as engines:
        assert table_names(engines[None]) == set()
        assert table_names(engines["integrations"]) == OURS
    assert user_id == "bob"


def test_two_apps_can_use_different_binds_of_one_database_object(tmp_path: Path, clock: StoppedClock) -> None:
    db, names = SQLAlchemy(), ("one", "two")
    databases = {
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'main.sqlite'}",
        "SQLALCHEMY_BINDS": {name: f"sqlite:///{tmp_path / name}.sqlite" for name in names},
    }
    first, second = (
        host_app(db, Activepieces(FlaskLoginHost(single_tenant=True), bind_key=name, clock=clock), **databases)
        for name in names
    )

    assert [connect_and_refresh(app) for app in (first, second)] == ["bob", "bob"]

    with open_engines(second) as engines, engines["one"].connect() as left, engines["two"].connect() as right:
        clients = text("SELECT client_id FROM activepieces_oauth_clients")
        assert left.scalars(clients).one() != right.scalars(clients).one()
    with open_engines(first):
        pass


@pytest.mark.postgres
def test_our_tables_can_be_in_a_postgresql_schema(clock: StoppedClock, tmp_path: Path) -> None:
    with fresh_database("postgres", tmp_path) as url:
        with create_engine(url, poolclass=NullPool).begin() as conn:
            conn.execute(text("CREATE SCHEMA tenant_x"))
        db = SQLAlchemy(metadata=MetaData(schema="tenant_x"))
        app = host_app(db, Activepieces(FlaskLoginHost(single_tenant=True), clock=clock), SQLALCHEMY_DATABASE_URI=url)

        assert connect_and_refresh(app) == "bob"
        pruned = app.test_cli_runner().invoke(args=["activepieces", "prune", "--json"])

        with open_engines(app) as engines:
            assert table_names(engines[None], "tenant_x") == OURS
            assert table_names(engines[None]) == set()
        assert pruned.exit_code == 0, pruned.output
