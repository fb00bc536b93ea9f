"""The client-credentials grant (RFC 6749 §4.4), for a client in its tenant."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text

from tests.support.actors import Person, Program, answer_of
from tests.support.clock import StoppedClock
from tests.support.error_assertions import assert_nothing_stored, assert_oauth_error
from tests.support.hosts import ALL_SCOPES
from tests.support.storage import engine_of, row_counts, rows_of


@pytest.fixture
def robot(app: Flask) -> Program:
    """A client that may use the client-credentials grant."""
    return Program.registered(app, "--client-credentials", "--tenant", "acme")


def request_token(robot: Program, **changes: str | None) -> dict[str, object]:
    form: dict[str, str | None] = {"grant_type": "client_credentials"}
    return answer_of(robot.posts("/oauth/token", form | changes))


def test_a_client_gets_a_token_for_its_own_tenant(app: Flask, robot: Program) -> None:
    tokens = request_token(robot)

    assert set(tokens) == {"access_token", "token_type", "expires_in", "scope"}
    assert robot.calls(str(tokens["access_token"])).get_json() == {
        "user_id": None,
        "tenant_id": "acme",
        "client_id": robot.client_id,
        "scopes": sorted(ALL_SCOPES.split()),
    }
    assert "token_families" not in row_counts(app)


def test_a_client_may_request_fewer_scopes(robot: Program) -> None:
    assert request_token(robot, scope="tasks:read")["scope"] == "tasks:read"


def test_a_client_cannot_request_more_scopes(app: Flask) -> None:
    robot = Program.registered(app, "--client-credentials", "--tenant", "acme", scope="profile:read")

    with assert_nothing_stored(app):
        form: dict[str, str | None] = {"grant_type": "client_credentials", "scope": ALL_SCOPES}
        assert_oauth_error(robot.posts("/oauth/token", form), 400, "invalid_scope")


def test_a_client_must_be_registered_for_the_grant(app: Flask, program: Program) -> None:
    with assert_nothing_stored(app):
        form: dict[str, str | None] = {"grant_type": "client_credentials"}
        assert_oauth_error(program.posts("/oauth/token", form), 400, "unauthorized_client")


def test_a_client_for_the_grant_needs_a_tenant_and_a_secret(app: Flask) -> None:
    with assert_nothing_stored(app):
        for options in ([], ["--tenant", "acme", "--yes", "--public"]):
            result = app.test_cli_runner().invoke(
                args=["activepieces", "client", "create", "--name", "Robot"]
                + ["--scope", ALL_SCOPES, "--client-credentials", *options]
            )
            assert result.exit_code == 1
            assert "client-credentials" in result.stderr


def test_a_client_without_redirect_uri_can_only_use_this_grant(app: Flask) -> None:
    result = app.test_cli_runner().invoke(
        args=["activepieces", "client", "create", "--name", "Robot", "--scope", "tasks:read"]
        + ["--client-credentials", "--tenant", "acme", "--yes", "--json"]
    )
    client = json.loads(result.stdout)
    robot = Program(app, client["client_id"], client["client_secret"])

    assert "access_token" in request_token(robot)
    assert_oauth_error(robot.redeems("x"), 400, "unauthorized_client")
    assert_oauth_error(robot.refreshes("x"), 400, "unauthorized_client")


def test_deleting_the_client_revokes_its_tokens(app: Flask, robot: Program) -> None:
    token = str(request_token(robot)["access_token"])
    assert robot.calls(token).status_code == 200

    app.test_cli_runner().invoke(args=["activepieces", "client", "delete", robot.client_id, "--yes"])

    assert robot.calls(token).status_code == 401


def test_a_client_without_a_tenant_gets_no_token(app: Flask, robot: Program) -> None:
    """Our API cannot remove the tenant, but a token without one would not be limited to any tenant."""
    with engine_of(app).begin() as conn:
        conn.execute(text("UPDATE activepieces_oauth_clients SET tenant_id = NULL"))

    assert_oauth_error(robot.posts("/oauth/token", {"grant_type": "client_credentials"}), 400, "invalid_request")


def test_tokens_are_counted_in_the_clients_row(app: Flask, robot: Program, clock: StoppedClock) -> None:
    before = row_counts(app)

    for _ in range(3):
        clock.advance(60)
        request_token(robot)

    assert row_counts(app) == before
    (client,) = rows_of(app, "oauth_clients")
    assert (client["tokens_issued"], client["last_issued_at"]) == (3, int(clock.now))


def test_the_count_of_tokens_is_shown_with_the_client(app: Flask, robot: Program, alice: Person) -> None:
    def token_count() -> tuple[int, str | None]:
        path = f"/api/integration/activepieces/oauth-clients/{robot.client_id}"
        client = answer_of(alice.opens(path))
        command = ["activepieces", "client", "show", robot.client_id, "--json"]
        printed = json.loads(app.test_cli_runner().invoke(args=command).stdout)
        printed["can_introspect"] = printed.pop("introspects")
        assert printed == client
        return client["tokens_issued"], client["last_issued_at"]

    page = f"/automation/clients/{robot.client_id}"
    assert token_count() == (0, None)
    assert "Client-credentials tokens" not in alice.sees(page).text

    request_token(robot)

    assert token_count() == (1, "2027-01-15T08:00:00Z")
    assert "1 so far, most recently just now" in " ".join(alice.sees(page).text.split())


def test_a_client_deleted_during_the_request_gets_no_token(app: Flask, robot: Program) -> None:
    """It is deleted between the query and the update of its count; the repeated query does not find it."""
    deleted = False

    def delete_first(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        nonlocal deleted
        if statement.startswith("UPDATE activepieces_oauth_clients") and not deleted:
            deleted = True
            with engine_of(app).begin() as other:
                other.execute(text("DELETE FROM activepieces_oauth_clients"))

    event.listen(engine_of(app), "before_cursor_execute", delete_first)
    refused = robot.posts("/oauth/token", {"grant_type": "client_credentials"})
    event.remove(engine_of(app), "before_cursor_execute", delete_first)

    assert deleted
    assert_oauth_error(refused, 401, "invalid_client")
