"""requests-oauthlib, used as in its documentation, from the metadata document to token revocation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from flask import Flask
from oauthlib.oauth2 import BackendApplicationClient, InvalidGrantError  # type: ignore[import-untyped]
from requests_oauthlib import OAuth2Session

from tests.support.actors import CALLBACK, Program
from tests.support.hosts import ALL_SCOPES
from tests.support.live import Visitor


@pytest.fixture(autouse=True)
def _allow_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


@pytest.fixture
def endpoints(site: str) -> dict[str, Any]:
    """The metadata document."""
    answer = requests.get(f"{site}/.well-known/oauth-authorization-server", timeout=5)
    document: dict[str, Any] = answer.json()
    assert document["issuer"] == site
    return document


@pytest.fixture
def session(program: Program) -> Iterator[OAuth2Session]:
    client = OAuth2Session(program.client_id, redirect_uri=CALLBACK, scope=ALL_SCOPES.split(), pkce="S256")
    client.trust_env = False
    yield client
    client.close()


def connect(
    session: OAuth2Session, visitor: Visitor, endpoints: dict[str, Any], secret: str | None
) -> dict[str, Any]:
    question, _ = session.authorization_url(endpoints["authorization_endpoint"])
    token: dict[str, Any] = session.fetch_token(
        endpoints["token_endpoint"],
        authorization_response=visitor.allows(question),
        client_secret=secret,
        include_client_id=True,
    )
    return token


def test_an_authorization_from_consent_to_an_api_call(
    site: str, visitor: Visitor, program: Program, endpoints: dict[str, Any], session: OAuth2Session
) -> None:
    token = connect(session, visitor, endpoints, program.client_secret)
    answer = session.get(f"{site}/api/whoami")

    assert token["scope"] == ALL_SCOPES.split()
    assert token["token_type"] == "Bearer"
    assert answer.json() == {
        "user_id": "bob",
        "tenant_id": "acme",
        "client_id": program.client_id,
        "scopes": sorted(ALL_SCOPES.split()),
    }


def test_an_expired_token_is_refreshed_automatically(
    site: str, visitor: Visitor, program: Program, endpoints: dict[str, Any], session: OAuth2Session
) -> None:
    token = connect(session, visitor, endpoints, program.client_secret)
    stored: list[dict[str, Any]] = []
    credentials = {"client_id": program.client_id, "client_secret": program.client_secret}
    later = OAuth2Session(
        program.client_id,
        token=token | {"expires_at": 1},
        auto_refresh_url=endpoints["token_endpoint"],
        auto_refresh_kwargs=credentials,
        token_updater=stored.append,
    )

    with later:
        answer = later.get(f"{site}/api/whoami")

    assert answer.status_code == 200
    assert [pair["refresh_token"] == token["refresh_token"] for pair in stored] == [False]


def test_a_token_is_introspected_and_revoked(
    site: str, visitor: Visitor, program: Program, endpoints: dict[str, Any], session: OAuth2Session
) -> None:
    token = connect(session, visitor, endpoints, program.client_secret)
    credentials = {"client_id": program.client_id, "client_secret": program.client_secret}
    # The library builds the revocation request (RFC 7009) but does not send it.
    url, headers, body = session._client.prepare_token_revocation_request(
        endpoints["revocation_endpoint"], token["refresh_token"], "refresh_token"
    )
    introspection = {"token": token["access_token"], **credentials}

    before = requests.post(endpoints["introspection_endpoint"], data=introspection, timeout=5).json()
    revoked = requests.post(
        url, data=body, headers=headers, auth=(program.client_id, str(program.client_secret)), timeout=5
    )
    after = requests.post(endpoints["introspection_endpoint"], data=introspection, timeout=5).json()

    assert (before["active"], before["client_id"]) == (True, program.client_id)
    assert revoked.status_code == 200
    assert after == {"active": False}
    assert session.get(f"{site}/api/whoami").status_code == 401


def test_a_public_client_connects_with_pkce_only(
    app: Flask, site: str, visitor: Visitor, endpoints: dict[str, Any]
) -> None:
    public = Program.registered(app, "--public")
    with OAuth2Session(public.client_id, redirect_uri=CALLBACK, scope=["profile:read"], pkce="S256") as session:
        connect(session, visitor, endpoints, None)
        answer = session.get(f"{site}/api/whoami")

    assert answer.status_code == 200


def test_a_client_uses_the_client_credentials_grant(app: Flask, site: str, endpoints: dict[str, Any]) -> None:
    program = Program.registered(app, "--client-credentials", "--tenant", "acme")
    client = BackendApplicationClient(client_id=program.client_id)

    with OAuth2Session(client=client) as session:
        session.fetch_token(endpoints["token_endpoint"], client_secret=program.client_secret)
        answer = session.get(f"{site}/api/whoami")

    assert answer.json()["user_id"] is None
    assert answer.json()["tenant_id"] == "acme"


def test_an_invalid_refresh_token_raises_the_librarys_error(
    program: Program, visitor: Visitor, endpoints: dict[str, Any], session: OAuth2Session
) -> None:
    connect(session, visitor, endpoints, program.client_secret)

    with pytest.raises(InvalidGrantError):
        session.refresh_token(
            endpoints["token_endpoint"],
            refresh_token="no.0.such.token",
            client_id=program.client_id,
            client_secret=program.client_secret,
        )
