"""A host's SQL monitoring also sees our statements and keeps working."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import event
from sqlalchemy.exc import InterfaceError, OperationalError

from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.storage import engine_of


def test_flask_sqlalchemys_query_recording_works_with_our_statements(make_app: MakeApp) -> None:
    app = make_app(SQLALCHEMY_RECORD_QUERIES=True)
    program = Program.registered(app)

    pair = program.connects(Person(app, "bob"))

    assert answer_of(program.refreshes(pair["refresh_token"]))
    assert program.calls(pair["access_token"]).status_code == 200


def test_a_failed_statement_ends_the_span_of_the_monitoring(app: Flask, program: Program, bob: Person) -> None:
    """OpenTelemetry and Sentry keep the span in the statement's execution context, as here."""
    token = program.connects(bob)["access_token"]
    engine = engine_of(app)
    ended: list[tuple[str, str]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def begin(_: Any, cursor: Any, sql: str, values: Any, context: Any, many: bool) -> None:
        context.span = sql.split()[0]

    @event.listens_for(engine, "handle_error")
    def end(context: Any) -> None:
        ended.append((context.execution_context.span, type(context.original_exception).__name__))
        assert isinstance(context.sqlalchemy_exception, OperationalError)
        assert context.statement.startswith("SELECT")

    with engine.begin() as conn:
        conn.exec_driver_sql("ALTER TABLE activepieces_revocations RENAME TO renamed")

    assert program.calls(token).status_code == 500
    assert ended == [("SELECT", "OperationalError")]


def test_a_hosts_listener_can_replace_the_error(app: Flask, program: Program, bob: Person) -> None:
    """SQLAlchemy lets a listener return the exception to raise."""
    token = program.connects(bob)["access_token"]
    engine = engine_of(app)

    @event.listens_for(engine, "handle_error")
    def replace(context: Any) -> Exception:
        return InterfaceError("", None, OSError("the proxy is restarting"))

    with engine.begin() as conn:
        conn.exec_driver_sql("ALTER TABLE activepieces_revocations RENAME TO renamed")

    # 503: the replaced error means that the database is down. The original one means that a table is missing.
    assert program.calls(token).status_code == 503
