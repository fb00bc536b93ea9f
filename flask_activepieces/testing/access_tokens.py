"""Access tokens of an app under test, without a browser. Only the consent is simulated."""

from __future__ import annotations

from typing import Literal

from flask import Flask
from flask.testing import FlaskClient

from ..host.interface import Principal, Workspace
from ..oauth.clients.registration import Registration
from ..state import get_state

#: The redirect URI of the test's client. It is never opened.
_CALLBACK = "https://client.test/callback"


def issue_access_token(
    app: Flask,
    *,
    user_id: str,
    tenant_id: str,
    scope: str | None = None,
    organization_id: str | None = None,
    base_url: str | None = None,
    resource: Literal["api", "mcp"] = "api",
) -> str:
    """An access token of a new OAuth client, for that user in that tenant.

    Registers a client, records a grant, and redeems a code at the app's token endpoint, so the client appears among
    the connected apps and can be revoked. Without ``scope`` the token has all scopes of the app. It is valid at
    ``base_url``, by default that of Flask's test client, for the API or, with ``resource="mcp"``, for agents.
    """
    state = get_state(app)
    names = (scope if scope is not None else " ".join(state.settings.scopes)).split()
    with app.test_request_context(base_url=base_url):
        client, secret = state.oauth_clients.register(
            Registration(name="A test", redirect_uris=(_CALLBACK,), scope=" ".join(names), require_pkce=False)
        )
        principal = Principal(user_id, tenant_id, user_id, organization_id)
        workspace = Workspace(tenant_id, tenant_id, organization_id)
        grant = state.grants.approve(client, principal, workspace, names)
        code = state.code_issuer.issue(
            grant, names, issuer=state.issuer(), redirect_uri=_CALLBACK, code_challenge=None, resource=resource
        )
    answer = app.test_client(use_cookies=False).post(
        f"{state.settings.oauth_prefix}/token",
        base_url=base_url,
        data={
            "grant_type": "authorization_code",
            "client_id": client.client_id,
            "client_secret": secret,
            "code": code,
            "redirect_uri": _CALLBACK,
        },
    )
    assert answer.status_code == 200, answer.text
    return str(answer.get_json()["access_token"])


def client_with(app: Flask, token: str) -> FlaskClient:
    """A test client that sends the token with every request and keeps no cookies."""
    client = app.test_client(use_cookies=False)
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client
