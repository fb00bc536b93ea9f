"""A suspended client gets no tokens, keeps its grants, and works again once it is enabled."""

from __future__ import annotations

from flask import Flask

from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of
from tests.support.clock import StoppedClock
from tests.support.error_assertions import assert_oauth_error
from tests.support.storage import rows_of


def run_client_command(app: Flask, command: str, program: Program) -> None:
    result = app.test_cli_runner().invoke(args=["activepieces", "client", command, program.client_id])
    assert result.exit_code == 0, result.output


def test_a_suspended_client_gets_503_with_retry_after(app: Flask, program: Program, bob: Person) -> None:
    """Never invalid_grant: on that error Activepieces marks a connection as permanently broken."""
    pair = program.connects(bob)
    code = bob.allows(program.question(prompt="consent"))
    run_client_command(app, "disable", program)

    for response in (program.refreshes(pair["refresh_token"]), program.redeems(code)):
        assert "suspended" in assert_oauth_error(response, 503, "temporarily_unavailable")
        assert int(response.headers["Retry-After"]) > 0


def test_a_suspended_client_keeps_its_grants_and_works_again_once_enabled(
    app: Flask, program: Program, bob: Person
) -> None:
    pair = program.connects(bob)
    run_client_command(app, "disable", program)
    assert len(rows_of(app, "grants")) == 1

    run_client_command(app, "enable", program)

    assert answer_of(program.refreshes(pair["refresh_token"]))


def test_access_tokens_of_a_suspended_client_stay_valid_until_they_expire(
    app: Flask, program: Program, bob: Person, clock: StoppedClock
) -> None:
    pair = program.connects(bob)
    run_client_command(app, "disable", program)

    assert program.calls(pair["access_token"]).status_code == 200
    clock.advance(hours=1)
    assert program.calls(pair["access_token"]).status_code == 401


def test_a_suspended_client_can_revoke_its_tokens(app: Flask, program: Program, bob: Person) -> None:
    pair = program.connects(bob)
    run_client_command(app, "disable", program)

    assert program.revokes(pair["refresh_token"]).status_code == 200
    assert program.calls(pair["access_token"]).status_code == 401


def test_users_see_that_the_client_is_disabled(app: Flask, program: Program, bob: Person) -> None:
    run_client_command(app, "disable", program)

    page = bob.sees(program.question())

    assert page.status == 400
    assert "is suspended" in page.text


def test_suspending_twice_changes_nothing_more(make_app: MakeApp) -> None:
    app = make_app()
    program = Program.registered(app)
    for command in ("disable", "disable", "enable", "enable"):
        run_client_command(app, command, program)

    names = [row["name"] for row in rows_of(app, "audit_events")]
    assert names == ["client.created", "client.disabled", "client.enabled"]


def test_an_unknown_client_cannot_be_suspended(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["activepieces", "client", "disable", "x" * 32])

    assert result.exit_code == 1
    assert "OAuth client" in result.output and "not found" in result.output
