"""Credentials: validation, replacement, and the part that is displayed."""

from __future__ import annotations

import pytest

from flask_activepieces.api_client.credentials import ApiKey, EmailPassword, UserToken
from flask_activepieces.api_client.errors import CredentialNotSupported
from flask_activepieces.errors import InvalidInput
from flask_activepieces.integrations.client_factory import choose_credential
from flask_activepieces.integrations.credentials import MAX_NAME_LENGTH, Credentials
from flask_activepieces.storage import tables

KEY = "sk-" + "k" * 40 + "Ml9a"
TOKEN = "eyJ" + "t" * 60 + "8z"


@pytest.mark.parametrize(
    ("credentials", "shown"),
    [
        (Credentials(api_key=KEY), "sk-…Ml9a"),
        (Credentials(user_token=TOKEN), "…tt8z"),
        (Credentials(email="ada@example.com", password="a password"), "ada@example.com"),
        (Credentials(api_key=KEY, user_token=TOKEN), "sk-…Ml9a, …tt8z"),
        (Credentials(api_key="sk-short"), "…"),
    ],
)
def test_at_most_the_last_four_characters_are_displayed(credentials: Credentials, shown: str) -> None:
    assert credentials.redacted() == shown


def test_no_secret_is_in_the_repr() -> None:
    credentials = Credentials(api_key=KEY, email="ada@example.com", password="a password")

    assert KEY not in repr(credentials)
    assert "a password" not in repr(credentials)


@pytest.mark.parametrize(
    ("credentials", "field"),
    [
        (Credentials(api_key=""), "apiKey"),
        (Credentials(api_key="sk-with a space"), "apiKey"),
        (Credentials(api_key="sk-with\r\nHeader: injected"), "apiKey"),
        (Credentials(api_key="sk-é"), "apiKey"),
        (Credentials(api_key="k" * 8193), "apiKey"),
        (Credentials(user_token="two words"), "userToken"),
        (Credentials(email="ada@example.com"), "password"),
        (Credentials(password="a password"), "email"),
        (Credentials(email="", password="a password"), "email"),
        (Credentials(email="a" * 191, password="a password"), "email"),
        (Credentials(user_token=TOKEN, email="ada@example.com", password="p"), "userToken"),
    ],
)
def test_invalid_credentials_are_reported_by_field(credentials: Credentials, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        credentials.validate()

    assert list(caught.value.fields) == [field]


@pytest.mark.parametrize(
    "credentials",
    [
        Credentials(),
        Credentials(api_key=KEY),
        Credentials(api_key=KEY, user_token=TOKEN),
        Credentials(email="ada@example.com", password="pass word, ünïcode"),
    ],
)
def test_valid_credentials_are_accepted(credentials: Credentials) -> None:
    credentials.validate()


def test_a_new_key_keeps_the_user_and_a_new_user_keeps_the_key() -> None:
    both = Credentials(api_key=KEY, user_token=TOKEN)

    assert both.updated_with(Credentials(api_key="sk-new")) == Credentials(api_key="sk-new", user_token=TOKEN)
    assert both.updated_with(Credentials(email="ada@example.com", password="p")) == Credentials(
        api_key=KEY, email="ada@example.com", password="p"
    )
    assert both.updated_with(Credentials()) == both


def test_credentials_survive_encryption_unchanged() -> None:
    both = Credentials(api_key=KEY, email="ada@example.com", password="p")

    assert Credentials(**both.to_json()) == both


def test_the_key_is_preferred_to_the_user() -> None:
    assert choose_credential("connections.list", Credentials(api_key=KEY, user_token=TOKEN)) == ApiKey(KEY)


def test_the_user_is_used_for_calls_that_do_not_accept_a_key() -> None:
    with_token = Credentials(api_key=KEY, user_token=TOKEN)
    with_password = Credentials(api_key=KEY, email="ada@example.com", password="p")

    assert choose_credential("mcp.rotate_token", with_token) == UserToken(TOKEN)
    assert choose_credential("connections.replace", with_password) == EmailPassword("ada@example.com", "p")


def test_the_error_for_a_key_names_the_remedy() -> None:
    with pytest.raises(CredentialNotSupported, match="user token"):
        choose_credential("mcp.get", Credentials(api_key=KEY))


def test_the_longest_hint_fits_its_column() -> None:
    longest = Credentials(api_key="sk-" + "a" * 60, email="e" * MAX_NAME_LENGTH, password="p")
    column = tables.metadata.tables["activepieces_integrations"].c.credential_hint

    longest.validate()
    assert len(longest.redacted()) <= column.type.length  # type: ignore[attr-defined]  # String has it
