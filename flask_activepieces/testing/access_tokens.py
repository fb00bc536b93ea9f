"""Access tokens of an app under test, without a browser. Only the consent is simulated."""

from __future__ import annotations

from typing import Any, Literal

from flask import Flask
from flask.testing import FlaskClient

from ..host.interface import Principal, Workspace
from ..oauth.clients.client import OAuthClient
from ..oauth.clients.registration import Registration
from ..state import get_state

#: The redirect URI of the test's client. It is never opened.
CALLBACK = "https://client.test/callback"


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
    client, secret = register_client(app, scope)
    names = client.scope.split()
    with app.test_request_context(base_url=base_url):
        principal = Principal(user_id, tenant_id, user_id, organization_id)
        workspace = Workspace(tenant_id, tenant_id, organization_id)
        grant = state.grants.approve(client, principal, workspace, names)
        code = state.code_issuer.issue(
            grant, names, issuer=state.issuer(), redirect_uri=CALLBACK, code_challenge=None, resource=resource
        )
    return redeem_code(app, client, secret, code, base_url=base_url)


def register_client(app: Flask, scope: str | None) -> tuple[OAuthClient, str]:
    """A new OAuth client for these scopes, or for all of the app, and its secret."""
    state = get_state(app)
    names = " ".join(state.settings.scopes) if scope is None else scope
    registration = Registration(name="A test", redirect_uris=(CALLBACK,), scope=names, require_pkce=False)
    with app.app_context():
        client, secret = state.oauth_clients.register(registration)
    assert secret is not None, "the client is confidential"
    return client, secret


def redeem_code(app: Flask, client: OAuthClient, secret: str, code: str, **options: Any) -> str:
    """The access token for a code of the client."""
    answer = app.test_client(use_cookies=False).post(
        f"{get_state(app).settings.oauth_prefix}/token",
        data={
            "grant_type": "authorization_code",
            "client_id": client.client_id,
            "client_secret": secret,
            "code": code,
            "redirect_uri": CALLBACK,
        },
        **options,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.get_json()["access_token"])


def client_with(app: Flask, token: str) -> FlaskClient:
    """A test client that sends the token with every request and keeps no cookies."""
    client = app.test_client(use_cookies=False)
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client
