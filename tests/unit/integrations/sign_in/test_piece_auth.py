"""The authorization URL of a third party's piece, and the values that may stand in it."""

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
    said: dict[str, Any] = {
        "type": "OAUTH2",
        "auth_url": SLACK,
        "token_url": "https://slack.example/token",
        "scope": ("chat:write",),
    }
    return PieceAuth(**said | changed)


def address(of: PieceAuth, **changed: Any) -> str:
    said: dict[str, Any] = {
        "client_id": "123.456",
        "redirect_url": "https://app.example.com/callback",
        "scope": "chat:write users:read",
        "state": "a state",
        "verifier": None,
        "props": {},
    }
    return authorization_url(of, **said | changed)


def asked(url: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}


def test_the_user_is_sent_where_the_piece_says() -> None:
    url = address(auth())

    assert url.startswith(f"{SLACK}?")
    assert asked(url) == {
        "response_type": "code",
        "client_id": "123.456",
        "redirect_uri": "https://app.example.com/callback",
        "scope": "chat:write users:read",
        "state": "a state",
        "access_type": "offline",
        "prompt": "consent",
    }


def test_a_piece_that_wants_pkce_gets_the_strong_kind() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

    sent = asked(address(auth(pkce=True, pkce_method="plain"), verifier=verifier))

    # The example of RFC 7636, appendix B.
    assert s256_challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert (sent["code_challenge"], sent["code_challenge_method"]) == (s256_challenge(verifier), "S256")


def test_extra_parameters_are_sent_and_cannot_replace_the_state() -> None:
    sent = asked(address(auth(extra={"owner": "user", "state": "theirs"})))

    assert (sent["owner"], sent["state"]) == ("user", "a state")


@pytest.mark.parametrize(("said", "sent"), [("login", "login"), ("omit", None), (None, "consent")])
def test_the_prompt_is_the_pieces_choice(said: str | None, sent: str | None) -> None:
    assert asked(address(auth(prompt=said))).get("prompt") == sent


def test_an_address_with_a_query_keeps_it() -> None:
    url = address(auth(auth_url=f"{SLACK}?team=T1"))

    assert url.startswith(f"{SLACK}?team=T1&")


@pytest.mark.parametrize(
    "wrong", ["http://slack.example/authorize", "javascript:alert(1)", "//slack.example", "", f"{SLACK}#fragment"]
)
def test_users_are_sent_to_https_addresses_only(wrong: str) -> None:
    with pytest.raises(InvalidInput):
        address(auth(auth_url=wrong))


def test_the_address_contains_the_values_of_props() -> None:
    of = auth(auth_url="https://{shop}.example/authorize")

    assert address(of, props={"shop": "my-shop"}).startswith("https://my-shop.example/authorize?")


def test_missing_props_are_named() -> None:
    with pytest.raises(InvalidInput, match="shop"):
        fill_placeholders("https://{shop}.example", {})


@pytest.mark.parametrize(
    "value", ["evil.example/", "evil.example#", "evil.example?", "a@evil.example", "..", "a b", "é"]
)
@pytest.mark.parametrize("place", ["auth_url", "token_url"])
def test_a_value_cannot_make_another_address_of_it(value: str, place: str) -> None:
    """Activepieces sends the app's client secret to the token URL."""
    of = auth(**{place: "https://{shop}.example/x"})

    with pytest.raises(InvalidInput, match="shop"):
        check_props(of, {"shop": value})


def test_a_value_that_the_piece_offers_may_be_a_whole_host() -> None:
    of = auth(token_url="https://{region}/oauth/token", properties=(REGION,))

    check_props(of, {"region": "accounts.zoho.eu"})
    with pytest.raises(InvalidInput):
        check_props(of, {"region": "accounts.zoho.evil"})


def test_a_value_outside_addresses_is_not_restricted() -> None:
    check_props(auth(), {"note": "whatever it is / was"})


@pytest.mark.parametrize(("said", "sent"), [("HEADER", "HEADER"), ("BODY", "BODY"), (None, "BODY")])
def test_where_the_secret_goes_is_the_pieces_choice(said: str | None, sent: str) -> None:
    assert authorization_method(auth(authorization_method=said)) == sent


def test_a_piece_may_sign_in_in_several_ways() -> None:
    by_key = PieceAuth(type="SECRET_TEXT")
    piece = Piece(name="p", display_name="P", version="1.0.0", auths=(by_key, auth()))

    assert oauth2_auth(piece) == auth()
    assert oauth2_auth(Piece(name="p", display_name="P", version="1.0.0", auths=(by_key,))) is None
