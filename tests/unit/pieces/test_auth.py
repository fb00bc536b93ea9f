"""The four kinds of authentication, sentence by sentence as Activepieces describes them; see docs/piece-auth.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
from marshmallow import Schema, fields, validate

from flask_activepieces.pieces import auth
from flask_activepieces.pieces import fields as own
from flask_activepieces.pieces.declarations import Piece
from flask_activepieces.pieces.manifest import build_manifest
from tests.support.every_kind import ADDRESSES, declare, definition_of

PIECE = Piece(name="@acme/piece-acme", title="Acme")


def described(kind: auth.Auth) -> Mapping[str, Any]:
    """The kind as it is in the manifest of a piece with actions and triggers."""
    definition = definition_of(declare(), replace(PIECE, auth=[kind]))
    (found,) = build_manifest(definition, ADDRESSES, version="1.0.0")["auth"]
    return dict(found)


EACH: list[auth.Auth] = [
    auth.OAuth2(title="Acme", description="Sign in"),
    auth.SecretText(title="Acme", description="Sign in"),
    auth.BasicAuth(title="Acme", description="Sign in"),
    auth.CustomAuth(title="Acme", description="Sign in", form=Schema.from_dict({"key": own.Secret()})),
]


@pytest.mark.parametrize("kind", EACH, ids=lambda each: each.kind)
def test_each_kind_has_a_name_and_a_description(kind: auth.Auth) -> None:
    found = described(kind)

    assert (found["type"], found["displayName"], found["description"]) == (kind.kind, "Acme", "Sign in")


@pytest.mark.parametrize("kind", EACH, ids=lambda each: each.kind)
def test_a_connection_is_required_unless_the_app_says_otherwise(kind: auth.Auth) -> None:
    assert described(kind)["required"] is True


@pytest.mark.parametrize("kind", [EACH[0], EACH[1], EACH[3]], ids=lambda each: each.kind)
def test_a_connection_may_be_optional(kind: Any) -> None:
    assert described(replace(kind, required=False))["required"] is False


def test_a_user_name_and_password_are_always_required() -> None:
    with pytest.raises(TypeError, match="required"):
        auth.BasicAuth(required=False)  # type: ignore[call-arg]


def test_several_kinds_may_be_in_one_piece() -> None:
    definition = definition_of(declare(), replace(PIECE, auth=EACH))

    kinds = [each["type"] for each in build_manifest(definition, ADDRESSES, version="1.0.0")["auth"]]

    assert kinds == ["OAUTH2", "SECRET_TEXT", "BASIC_AUTH", "CUSTOM_AUTH"]


def test_a_piece_without_a_choice_uses_oauth2() -> None:
    assert PIECE.auth == (auth.OAuth2(),)


def test_a_declared_kind_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        auth.SecretText().title = "Key"  # type: ignore[misc]


# --- OAuth2 -------------------------------------------------------------------------------------------


def test_oauth2_uses_the_endpoints_of_the_app() -> None:
    found = described(auth.OAuth2())

    assert found["authUrl"] == "https://tasklane.example/oauth/authorize"
    assert found["tokenUrl"] == "https://tasklane.example/oauth/token"


def test_oauth2_asks_for_no_more_than_the_actions_and_triggers_need() -> None:
    assert described(auth.OAuth2())["scope"] == ["projects:read", "tasks:read", "tasks:write"]


def test_oauth2_asks_for_the_scopes_that_the_app_names() -> None:
    assert described(auth.OAuth2(scopes=["profile:read", "tasks:read"]))["scope"] == ["profile:read", "tasks:read"]


def test_pkce_uses_s256() -> None:
    found = described(auth.OAuth2())

    assert (found["pkce"], found["pkceMethod"]) == (True, "S256")


def test_pkce_may_be_off() -> None:
    found = described(auth.OAuth2(pkce=False))

    assert found["pkce"] is False
    assert "pkceMethod" not in found


def test_the_client_secret_is_sent_in_the_header_by_default() -> None:
    assert described(auth.OAuth2())["authorizationMethod"] == "HEADER"


def test_the_client_secret_may_be_sent_in_the_body() -> None:
    assert described(auth.OAuth2(authorization_method="BODY"))["authorizationMethod"] == "BODY"


@pytest.mark.parametrize(
    ("grant_type", "described_as"),
    [
        ("AUTHORIZATION_CODE", "authorization_code"),
        ("CLIENT_CREDENTIALS", "client_credentials"),
        ("BOTH", "both_client_credentials_and_authorization_code"),
    ],
)
def test_each_grant_type_can_be_chosen(grant_type: auth.GrantType, described_as: str) -> None:
    assert described(auth.OAuth2(grant_type=grant_type))["grantType"] == described_as


def test_the_authorization_code_is_the_default_grant() -> None:
    assert described(auth.OAuth2())["grantType"] == "authorization_code"


@pytest.mark.parametrize("prompt", ["none", "consent", "login", "omit"])
def test_each_prompt_can_be_chosen(prompt: auth.Prompt) -> None:
    assert described(auth.OAuth2(prompt=prompt))["prompt"] == prompt


def test_no_prompt_is_left_to_activepieces() -> None:
    assert "prompt" not in described(auth.OAuth2())


def test_further_parameters_are_added_to_the_authorization_url() -> None:
    assert described(auth.OAuth2(extra={"audience": "api"}))["extra"] == {"audience": "api"}
    assert "extra" not in described(auth.OAuth2())


def test_oauth2_shows_further_fields() -> None:
    class Form(Schema):
        account = fields.String(required=True, metadata={"description": "The name of your account"})
        key = own.Secret()
        region = fields.String(validate=validate.OneOf(["eu", "us"]), load_default="eu")

    props = described(auth.OAuth2(form=Form))["props"]

    assert [each["type"] for each in props.values()] == ["SHORT_TEXT", "SECRET_TEXT", "STATIC_DROPDOWN"]
    assert props["region"]["defaultValue"] == "eu"


def test_oauth2_without_fields_shows_none() -> None:
    assert "props" not in described(auth.OAuth2())


def test_oauth2_may_ask_for_the_address_of_an_app_that_customers_run() -> None:
    found = described(auth.OAuth2(asks_for_address=True))

    assert found["authUrl"] == "{base_url}/oauth/authorize"
    assert found["tokenUrl"] == "{base_url}/oauth/token"
    assert found["props"]["base_url"] == {
        "type": "SHORT_TEXT",
        "displayName": "Address of Acme",
        "description": "For example https://app.example.com",
        "required": True,
        "defaultValue": "https://tasklane.example",
    }


# --- Secret text, user name and password ----------------------------------------------------------------


def test_a_secret_text_is_one_hidden_field() -> None:
    found = described(auth.SecretText(title="API key", description="Create one under Connected apps."))

    assert found == {
        "type": "SECRET_TEXT",
        "displayName": "API key",
        "description": "Create one under Connected apps.",
        "required": True,
    }


def test_a_user_name_and_a_password_have_their_own_texts() -> None:
    found = described(auth.BasicAuth(username_title="E-mail", password_description="That of Acme"))

    assert found["username"] == {"displayName": "E-mail", "description": ""}
    assert found["password"] == {"displayName": "Password", "description": "That of Acme"}


# --- Custom -------------------------------------------------------------------------------------------


class Fields(Schema):
    """The eight kinds of fields that custom authentication can have."""

    account = fields.String(required=True)
    certificate = own.LongText()
    secret = own.Secret(required=True)
    port = fields.Integer(load_default=443)
    environment = fields.String(
        required=True, validate=validate.OneOf(["production", "sandbox"], labels=["Production", "Sandbox"])
    )
    regions = fields.List(fields.String(validate=validate.OneOf(["eu", "us"])))
    verify = fields.Boolean(load_default=True)
    hint = own.Note("See **Settings**")


def test_custom_authentication_has_eight_kinds_of_fields() -> None:
    props = described(auth.CustomAuth(form=Fields))["props"]

    assert {name: each["type"] for name, each in props.items()} == {
        "account": "SHORT_TEXT",
        "certificate": "LONG_TEXT",
        "secret": "SECRET_TEXT",
        "port": "NUMBER",
        "environment": "STATIC_DROPDOWN",
        "regions": "STATIC_MULTI_SELECT_DROPDOWN",
        "verify": "CHECKBOX",
        "hint": "MARKDOWN",
    }


def test_a_choice_of_custom_authentication_has_labels() -> None:
    choices = described(auth.CustomAuth(form=Fields))["props"]["environment"]["options"]["options"]

    assert choices == [{"label": "Production", "value": "production"}, {"label": "Sandbox", "value": "sandbox"}]


def test_custom_authentication_needs_fields() -> None:
    with pytest.raises(TypeError, match="form"):
        auth.CustomAuth()  # type: ignore[call-arg]


def test_activepieces_may_keep_the_token_that_the_app_gives_for_the_fields() -> None:
    assert described(auth.CustomAuth(form=Fields, refresh=1800))["refresh"] == {"defaultExpiresIn": 1800}
    assert "refresh" not in described(auth.CustomAuth(form=Fields))
