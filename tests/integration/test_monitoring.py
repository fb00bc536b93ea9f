"""A host that watches its SQL sees ours as well, and is not broken by it."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import event
from sqlalchemy.exc import InterfaceError, OperationalError

from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.storage import engine_of


def test_flask_sqlalchemys_recording_of_queries_works_with_ours(make_app: MakeApp) -> None:
    app = make_app(SQLALCHEMY_RECORD_QUERIES=True)
    program = Program.registered(app)

    pair = program.connects(Person(app, "bob"))

    assert answer_of(program.refreshes(pair["refresh_token"]))
    assert program.calls(pair["access_token"]).status_code == 200


def test_an_error_of_ours_ends_the_span_that_monitoring_began(
    app: Flask, program: Program, bob: Person
) -> None:
    """As OpenTelemetry and Sentry do: they keep the span on the context of the statement."""
    token = program.connects(bob)["access_token"]
    engine = engine_of(app)
    ended: list[tuple[str, str]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def begin(_: Any, cursor: Any, sql: str, values: Any, context: Any, many: bool) -> None:
        context.span = sql.split()[0]

    @event.listens_for(engine, "handle_error")
    def end(heard: Any) -> None:
        ended.append((heard.execution_context.span, type(heard.original_exception).__name__))
        assert isinstance(heard.sqlalchemy_exception, OperationalError)
        assert heard.statement.startswith("SELECT")

    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE activepieces_revocations RENAME TO elsewhere")

    assert program.calls(token).status_code == 500
    assert ended == [("SELECT", "OperationalError")]


def test_a_hosts_own_error_takes_the_place_of_ours(
    app: Flask, program: Program, bob: Person
) -> None:
    """SQLAlchemy lets a listener say what shall be raised."""
    token = program.connects(bob)["access_token"]
    engine = engine_of(app)

    @event.listens_for(engine, "handle_error")
    def replace(heard: Any) -> Exception:
        return InterfaceError("", None, OSError("the proxy is restarting"))

    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE activepieces_revocations RENAME TO elsewhere")

    # It means that the database is away; ours would have said that a table is missing.
    assert program.calls(token).status_code == 503
