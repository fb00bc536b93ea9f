"""A client that acts for itself, in the one tenant that it belongs to (RFC 6749 §4.4)."""

from __future__ import annotations

import json

import pytest
from flask import Flask

from tests.support.actors import Program, answer_of
from tests.support.hosts import ALL_SCOPES
from tests.support.refusals import nothing_stored, oauth_error
from tests.support.storage import row_counts, rows_of


@pytest.fixture
def robot(app: Flask) -> Program:
    """A client that may act for itself, too."""
    return Program.registered(app, "--client-credentials", "--tenant", "acme")


def acts(robot: Program, **changes: str | None) -> dict[str, object]:
    form: dict[str, str | None] = {"grant_type": "client_credentials"}
    return answer_of(robot.posts("/oauth/token", form | changes))


def test_a_client_acts_for_itself_in_its_own_tenant(app: Flask, robot: Program) -> None:
    tokens = acts(robot)

    assert set(tokens) == {"access_token", "token_type", "expires_in", "scope"}
    assert robot.calls(str(tokens["access_token"])).get_json() == {
        "user_id": None,
        "tenant_id": "acme",
        "client_id": robot.client_id,
        "scopes": sorted(ALL_SCOPES.split()),
    }
    assert "token_families" not in row_counts(app)


def test_a_client_may_act_with_less(robot: Program) -> None:
    assert acts(robot, scope="tasks:read")["scope"] == "tasks:read"


def test_a_client_cannot_act_with_more(app: Flask) -> None:
    robot = Program.registered(
        app, "--client-credentials", "--tenant", "acme", scope="profile:read"
    )

    with nothing_stored(app):
        form: dict[str, str | None] = {"grant_type": "client_credentials", "scope": ALL_SCOPES}
        oauth_error(robot.posts("/oauth/token", form), 400, "invalid_scope")


def test_a_client_that_is_not_registered_for_it_cannot_act(app: Flask, program: Program) -> None:
    with nothing_stored(app):
        form: dict[str, str | None] = {"grant_type": "client_credentials"}
        oauth_error(program.posts("/oauth/token", form), 400, "unauthorized_client")


def test_such_a_client_belongs_to_a_tenant_and_has_a_secret(app: Flask) -> None:
    with nothing_stored(app):
        for options in ([], ["--tenant", "acme", "--yes", "--public"]):
            made = app.test_cli_runner().invoke(
                args=["activepieces", "client", "create", "--name", "Robot"]
                + ["--scope", ALL_SCOPES, "--client-credentials", *options]
            )
            assert made.exit_code == 1
            assert "client-credentials" in made.stderr


def test_a_client_without_redirect_uri_can_only_act_for_itself(app: Flask) -> None:
    made = app.test_cli_runner().invoke(
        args=["activepieces", "client", "create", "--name", "Robot", "--scope", "tasks:read"]
        + ["--client-credentials", "--tenant", "acme", "--yes", "--json"]
    )
    client = json.loads(made.stdout)
    robot = Program(app, client["client_id"], client["client_secret"])

    assert "access_token" in acts(robot)
    oauth_error(robot.redeems("x"), 400, "unauthorized_client")
    oauth_error(robot.refreshes("x"), 400, "unauthorized_client")


def test_its_tokens_end_with_itself(app: Flask, robot: Program) -> None:
    token = str(acts(robot)["access_token"])
    assert robot.calls(token).status_code == 200

    app.test_cli_runner().invoke(
        args=["activepieces", "client", "delete", robot.client_id, "--yes"]
    )

    assert robot.calls(token).status_code == 401


def test_what_it_does_is_written_down(app: Flask, robot: Program) -> None:
    acts(robot)

    event = rows_of(app, "audit_events")[-1]
    assert (event["name"], event["tenant_id"]) == ("token.issued", "acme")
    assert (event["client_id"], event["user_id"]) == (robot.client_id, None)
