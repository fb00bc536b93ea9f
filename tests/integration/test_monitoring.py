"""A host that watches its SQL sees ours as well, and is not broken by it."""

from __future__ import annotations

from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of


def test_flask_sqlalchemys_recording_of_queries_works_with_ours(make_app: MakeApp) -> None:
    app = make_app(SQLALCHEMY_RECORD_QUERIES=True)
    program = Program.registered(app)

    pair = program.connects(Person(app, "bob"))

    assert answer_of(program.refreshes(pair["refresh_token"]))
    assert program.calls(pair["access_token"]).status_code == 200
