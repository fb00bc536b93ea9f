"""Authlib's OAuth2Session with each client authentication method."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from flask import Flask

from tests.support.actors import CALLBACK, Program
from tests.support.hosts import ALL_SCOPES
from tests.support.live import Visitor

METHODS = ["client_secret_basic", "client_secret_post"]


def session_for(site: str, program: Program, **options: Any) -> OAuth2Session:
    """A session that knows only the issuer and reads everything else from the metadata."""
    url = f"{site}/.well-known/oauth-authorization-server"
    session = OAuth2Session(
        program.client_id,
        program.client_secret,
        redirect_uri=CALLBACK,
        scope=ALL_SCOPES,
        code_challenge_method="S256",
        default_timeout=5,
        **requests.get(url, timeout=5).json(),
        **options,
    )
    session.trust_env = False
    return session


def connect(session: OAuth2Session, visitor: Visitor) -> dict[str, Any]:
    verifier = generate_token(48)
    question, state = session.create_authorization_url(
        session.metadata["authorization_endpoint"], code_verifier=verifier
    )
    token: dict[str, Any] = session.fetch_token(
        authorization_response=visitor.allows(question), state=state, code_verifier=verifier
    )
    return token


@pytest.mark.parametrize("method", METHODS)
def test_an_authorization_from_consent_to_revocation(
    site: str, visitor: Visitor, program: Program, method: str
) -> None:
    methods = {"token_endpoint_auth_method": method, "revocation_endpoint_auth_method": method}
    with session_for(site, program, **methods) as session:
        first = connect(session, visitor)
        answer = session.get(f"{site}/api/whoami")
        second = session.refresh_token()
        active = session.introspect_token(session.metadata["introspection_endpoint"], token=second["access_token"])
        revoked = session.revoke_token(  # type: ignore[no-untyped-call]
            session.metadata["revocation_endpoint"], token=second["refresh_token"], token_type_hint="refresh_token"
        )
        refused = session.get(f"{site}/api/whoami")

    assert answer.json()["user_id"] == "bob"
    assert second["refresh_token"] != first["refresh_token"]
    assert active.json()["active"] is True
    assert (revoked.status_code, revoked.json()) == (200, {})
    assert refused.status_code == 401


def test_an_expired_token_is_refreshed_before_the_call(site: str, visitor: Visitor, program: Program) -> None:
    stored: list[str] = []

    def store(token: dict[str, Any], refresh_token: str) -> None:
        stored.append(refresh_token)

    with session_for(site, program, update_token=store) as session:
        first = connect(session, visitor)
        session.token = first | {"expires_at": 1}
        answer = session.get(f"{site}/api/whoami")

    assert answer.status_code == 200
    assert stored == [first["refresh_token"]]


def test_a_public_client_connects_and_refreshes_without_a_secret(app: Flask, site: str, visitor: Visitor) -> None:
    with session_for(site, Program.registered(app, "--public")) as session:
        connect(session, visitor)
        session.refresh_token()
        answer = session.get(f"{site}/api/whoami")

    assert answer.status_code == 200


def test_a_client_uses_the_client_credentials_grant(app: Flask, site: str) -> None:
    client = Program.registered(app, "--client-credentials", "--tenant", "acme")

    with session_for(site, client) as session:
        token = session.fetch_token(grant_type="client_credentials")
        answer = session.get(f"{site}/api/whoami")

    assert "refresh_token" not in token
    assert answer.json()["tenant_id"] == "acme"


def test_an_error_reaches_the_caller_with_its_description(site: str, program: Program) -> None:
    with session_for(site, program) as session, pytest.raises(OAuthError) as caught:
        session.fetch_token(grant_type="authorization_code", code="v1.no.code")

    assert caught.value.error == "invalid_grant"
    assert caught.value.description == "The code is not valid for this client."
