"""The fixtures that issue tokens of the app under test, without a browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_activepieces.errors import InvalidInput
from tests.support.actors import Person
from tests.support.storage import rows_of

IssueToken = Callable[..., str]
AuthorizedClient = Callable[..., FlaskClient]


def test_a_token_is_for_that_user_in_that_tenant(authorized_client: AuthorizedClient) -> None:
    client = authorized_client(user_id="bob", tenant_id="acme")

    whoami = client.get("/api/whoami").get_json()

    assert (whoami["user_id"], whoami["tenant_id"]) == ("bob", "acme")
    assert whoami["scopes"] == ["profile:read", "tasks:read", "tasks:write"]


def test_a_token_is_accepted_only_within_its_scope(authorized_client: AuthorizedClient) -> None:
    client = authorized_client(user_id="bob", tenant_id="acme", scope="profile:read")

    assert client.get("/api/whoami").status_code == 200
    assert client.post("/api/tasks").status_code == 403


def test_an_unknown_scope_is_rejected(issue_token: IssueToken) -> None:
    with pytest.raises(InvalidInput):
        issue_token(user_id="bob", tenant_id="acme", scope="nope")


def test_the_user_can_revoke_the_simulated_consent(
    app: Flask, bob: Person, authorized_client: AuthorizedClient
) -> None:
    client = authorized_client(user_id="bob", tenant_id="acme")
    (grant,) = rows_of(app, "grants")

    bob.sends(bob.sees("/oauth/connected-apps").form_to(f"{grant['id']}/disconnect"))

    assert client.get("/api/whoami").status_code == 401


def test_each_token_has_its_own_client(app: Flask, issue_token: IssueToken) -> None:
    tokens = {issue_token(user_id="bob", tenant_id="acme") for _ in range(2)}

    assert len(tokens) == len(rows_of(app, "oauth_clients")) == 2
