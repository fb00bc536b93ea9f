"""Values of connections: what is sent to Activepieces, and what is rejected before."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from flask_activepieces.api_client.resources.connection_values import (
    OIDC,
    VALUES,
    BasicAuth,
    CloudOAuth2,
    CustomAuth,
    NoAuth,
    OAuth2,
    Placeholder,
    PlatformOAuth2,
    SecretText,
    Value,
    value_from_json,
)
from flask_activepieces.errors import InvalidInput
from tests.support.recordings import recordings

OAUTH2: dict[str, Any] = {
    "type": "OAUTH2",
    "client_id": "cid",
    "client_secret": "csec",
    "code": "the-code",
    "redirect_url": "https://ap.example.com/redirect",
}

#: Every type of value that a real server accepted.
VALID = {
    str(entry.request_body["value"]): entry.request_body["value"]
    for entry in recordings()
    if entry.status == 201
    and isinstance(entry.request_body, dict)
    and "value" in entry.request_body
    and entry.name not in {"conn upsert extra unknown field", "conn upsert value of no type"}
    and "inject" not in str(entry.request_body.get("externalId"))
    and entry.request_body["type"] != "PLACEHOLDER"
    and entry.request_body.get("value")
}


@pytest.mark.parametrize("grant_type", ["AUTHORIZATION_CODE", "CLIENT_CREDENTIALS"])
def test_an_upper_case_grant_type_is_sent_in_lower_case(grant_type: str) -> None:
    """Older documentation of Activepieces uses capitals."""
    value = value_from_json(OAUTH2 | {"grant_type": grant_type})

    assert value.to_json()["grant_type"] == grant_type.lower()


@pytest.mark.parametrize("grant_type", ["Authorization_Code", "PASSWORD", "password", ""])
def test_another_spelling_of_a_grant_type_is_refused(grant_type: str) -> None:
    with pytest.raises(InvalidInput, match="grant_type"):
        value_from_json(OAUTH2 | {"grant_type": grant_type})


@pytest.mark.parametrize("document", VALID.values(), ids=range(len(VALID)))
def test_every_value_that_servers_accepted_is_unchanged(document: dict[str, Any]) -> None:
    assert value_from_json(document).to_json() == document


def test_the_accepted_values_have_every_type() -> None:
    assert {document["type"] for document in VALID.values()} >= set(VALUES) - {"CLOUD_OAUTH2", "OIDC", "PLACEHOLDER"}


def test_each_class_has_its_type_and_omits_fields_that_are_none() -> None:
    values: list[tuple[Value, dict[str, Any]]] = [
        (SecretText("s"), {"type": "SECRET_TEXT", "secret_text": "s"}),
        (BasicAuth("u", "p"), {"type": "BASIC_AUTH", "username": "u", "password": "p"}),
        (CustomAuth({"url": "x"}), {"type": "CUSTOM_AUTH", "props": {"url": "x"}}),
        (NoAuth(), {"type": "NO_AUTH"}),
        (OIDC({"role": "x"}), {"type": "OIDC", "props": {"role": "x"}}),
        (Placeholder(), {"type": "PLACEHOLDER"}),
        (CloudOAuth2(client_id="i", code="c"), {"type": "CLOUD_OAUTH2", "client_id": "i", "code": "c", "scope": ""}),
        (
            PlatformOAuth2(client_id="i", code="c", redirect_url="r", code_challenge="v"),
            {
                "type": "PLATFORM_OAUTH2",
                "client_id": "i",
                "code": "c",
                "redirect_url": "r",
                "scope": "",
                "code_challenge": "v",
            },
        ),
    ]

    for value, document in values:
        assert value.to_json() == document
        assert value.type == document["type"]


def test_values_are_frozen_and_show_no_secret() -> None:
    canary = "canary"
    props = {"token": canary}
    values = [
        SecretText(canary),
        BasicAuth(canary, canary),
        CustomAuth(props),
        OAuth2(
            client_id="cid", client_secret=canary, code=canary, redirect_url="r", code_challenge=canary, props=props
        ),
        PlatformOAuth2(client_id="cid", code=canary, redirect_url="r", props=props),
        CloudOAuth2(client_id="cid", code=canary, props=props),
    ]

    assert canary not in repr(values)
    with pytest.raises(FrozenInstanceError):
        SecretText("s").secret_text = "x"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("document", "fields"),
    [
        ({}, {"type"}),
        ({"type": "PASSWORD"}, {"type"}),
        ({"type": ["SECRET_TEXT"]}, {"type"}),
        ({"type": "SECRET_TEXT"}, {"secret_text"}),
        ({"type": "SECRET_TEXT", "secret_text": ""}, {"secret_text"}),
        ({"type": "SECRET_TEXT", "secret_text": 5}, {"secret_text"}),
        ({"type": "BASIC_AUTH", "username": None}, {"username", "password"}),
        ({"type": "CUSTOM_AUTH", "props": "canary"}, {"props"}),
        ({"type": "NO_AUTH", "token": "canary"}, {"token"}),
        (OAUTH2 | {"access_token": "canary"}, {"access_token"}),
        (OAUTH2 | {"client_secret": ""}, {"client_secret"}),
        (OAUTH2 | {"authorization_method": "QUERY"}, {"authorization_method"}),
        (OAUTH2 | {"grant_type": ["password"]}, {"grant_type"}),
        (OAUTH2 | {"scope": ["read"]}, {"scope"}),
        (OAUTH2 | {1: 2}, {"1"}),
    ],
)
def test_invalid_fields_are_reported_by_name(document: dict[str, Any], fields: set[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        value_from_json(document)

    assert set(refused.value.fields) == fields
    assert "canary" not in str(refused.value)


def test_invalid_fields_are_rejected_in_python_too() -> None:
    with pytest.raises(InvalidInput) as refused:
        BasicAuth("", "")

    assert set(refused.value.fields) == {"username", "password"}
