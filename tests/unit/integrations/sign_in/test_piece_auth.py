"""The authorization URL of a third party's piece, and the values that it may contain."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from flask_activepieces.api_client.resources.pieces import Piece, PieceAuth, PieceProperty
from flask_activepieces.errors import InvalidInput
from flask_activepieces.integrations.sign_in.piece_auth import (
    authorization_method,
    authorization_url,
    check_props,
    fill_placeholders,
    oauth2_auth,
    s256_challenge,
)

SLACK = "https://slack.example/oauth/v2/authorize"
REGION = PieceProperty(
    name="region", type="STATIC_DROPDOWN", options={"options": [{"label": "Europe", "value": "accounts.zoho.eu"}]}
)


def auth(**changed: Any) -> PieceAuth:
    configured: dict[str, Any] = {
        "type": "OAUTH2",
        "auth_url": SLACK,
        "token_url": "https://slack.example/token",
        "scope": ("chat:write",),
    }
    return PieceAuth(**configured | changed)


def url_of(of: PieceAuth, **changed: Any) -> str:
    configured: dict[str, Any] = {
        "client_id": "123.456",
        "redirect_url": "https://app.example.com/callback",
        "scope": "chat:write users:read",
        "state": "a state",
        "verifier": None,
        "props": {},
    }
    return authorization_url(of, **configured | changed)


def query_of(url: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}


def test_the_authorization_url_is_that_of_the_piece() -> None:
    url = url_of(auth())

    assert url.startswith(f"{SLACK}?")
    assert query_of(url) == {
        "response_type": "code",
        "client_id": "123.456",
        "redirect_uri": "https://app.example.com/callback",
        "scope": "chat:write users:read",
        "state": "a state",
        "access_type": "offline",
        "prompt": "consent",
    }


def test_a_piece_with_pkce_gets_an_s256_challenge() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

    sent = query_of(url_of(auth(pkce=True, pkce_method="plain"), verifier=verifier))

    # the example of RFC 7636, appendix B
    assert s256_challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert (sent["code_challenge"], sent["code_challenge_method"]) == (s256_challenge(verifier), "S256")


def test_extra_parameters_are_sent_and_cannot_replace_the_state() -> None:
    sent = query_of(url_of(auth(extra={"owner": "user", "state": "theirs"})))

    assert (sent["owner"], sent["state"]) == ("user", "a state")


@pytest.mark.parametrize(("configured", "sent"), [("login", "login"), ("omit", None), (None, "consent")])
def test_the_piece_determines_the_prompt(configured: str | None, sent: str | None) -> None:
    assert query_of(url_of(auth(prompt=configured))).get("prompt") == sent


def test_the_query_of_the_pieces_url_is_kept() -> None:
    url = url_of(auth(auth_url=f"{SLACK}?team=T1"))

    assert url.startswith(f"{SLACK}?team=T1&")


@pytest.mark.parametrize(
    "wrong", ["http://slack.example/authorize", "javascript:alert(1)", "//slack.example", "", f"{SLACK}#fragment"]
)
def test_the_authorization_url_must_use_https(wrong: str) -> None:
    with pytest.raises(InvalidInput):
        url_of(auth(auth_url=wrong))


def test_the_url_contains_the_values_of_props() -> None:
    of = auth(auth_url="https://{shop}.example/authorize")

    assert url_of(of, props={"shop": "my-shop"}).startswith("https://my-shop.example/authorize?")


def test_missing_props_are_named() -> None:
    with pytest.raises(InvalidInput, match="shop"):
        fill_placeholders("https://{shop}.example", {})


@pytest.mark.parametrize(
    "value", ["evil.example/", "evil.example#", "evil.example?", "a@evil.example", "..", "a b", "é"]
)
@pytest.mark.parametrize("place", ["auth_url", "token_url"])
def test_a_value_cannot_change_the_host_of_the_url(value: str, place: str) -> None:
    """Activepieces sends the app's client secret to the token URL."""
    of = auth(**{place: "https://{shop}.example/x"})

    with pytest.raises(InvalidInput, match="shop"):
        check_props(of, {"shop": value})


def test_an_option_of_the_piece_may_be_a_whole_host() -> None:
    of = auth(token_url="https://{region}/oauth/token", properties=(REGION,))

    check_props(of, {"region": "accounts.zoho.eu"})
    with pytest.raises(InvalidInput):
        check_props(of, {"region": "accounts.zoho.evil"})


def test_a_value_that_is_not_part_of_a_url_is_not_restricted() -> None:
    check_props(auth(), {"note": "whatever it is / was"})


@pytest.mark.parametrize(("configured", "sent"), [("HEADER", "HEADER"), ("BODY", "BODY"), (None, "BODY")])
def test_the_piece_determines_how_the_secret_is_sent(configured: str | None, sent: str) -> None:
    assert authorization_method(auth(authorization_method=configured)) == sent


def test_a_piece_may_have_several_ways_to_authenticate() -> None:
    by_key = PieceAuth(type="SECRET_TEXT")
    piece = Piece(name="p", display_name="P", version="1.0.0", auths=(by_key, auth()))

    assert oauth2_auth(piece) == auth()
    assert oauth2_auth(Piece(name="p", display_name="P", version="1.0.0", auths=(by_key,))) is None
