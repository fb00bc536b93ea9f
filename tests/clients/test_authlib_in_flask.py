"""Another Flask app signs users in with ours, using Authlib's Flask client and only our metadata."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from authlib.integrations.flask_client import OAuth
from flask import Flask, url_for
from flask.typing import ResponseReturnValue

from tests.support.actors import Program
from tests.support.hosts import ALL_SCOPES
from tests.support.live import Visitor

CALLBACK = "http://localhost/callback"


@pytest.fixture
def other_app(app: Flask, site: str) -> Iterator[Flask]:
    """An app that knows only our issuer, its client id and its secret."""
    program = Program.registered(app, redirect_uri=CALLBACK)
    other = Flask(__name__)
    other.config.update(SECRET_KEY="the secret key of the other app", TESTING=True)
    provider = OAuth(other).register(  # type: ignore[no-untyped-call]
        "provider",
        client_id=program.client_id,
        client_secret=program.client_secret,
        server_metadata_url=f"{site}/.well-known/oauth-authorization-server",
        api_base_url=f"{site}/api/",
        client_kwargs={"scope": ALL_SCOPES, "code_challenge_method": "S256"},
    )

    @other.get("/login")
    def login() -> ResponseReturnValue:
        response: ResponseReturnValue = provider.authorize_redirect(url_for("callback", _external=True))
        return response

    @other.get("/callback")
    def callback() -> ResponseReturnValue:
        provider.authorize_access_token()
        answer: ResponseReturnValue = provider.get("whoami").json()
        return answer

    yield other


def test_our_user_signs_in_to_the_other_app(other_app: Flask, visitor: Visitor) -> None:
    browser = other_app.test_client()

    question = browser.get("/login").location
    answer = browser.get(visitor.allows(question))

    assert answer.get_json()["user_id"] == "bob"
