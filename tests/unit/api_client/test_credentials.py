"""Credentials are validated and do not show their secrets."""

from __future__ import annotations

import pytest

from flask_activepieces.api_client.credentials import ApiKey, EmailPassword, SignedEmbedding, UserToken, check_token
from flask_activepieces.api_client.embedding_token import EmbeddedUser

SOMEBODY = EmbeddedUser(external_user_id="u", external_project_id="p", first_name="Ada", last_name="L")


def test_the_repr_of_credentials_shows_no_secret() -> None:
    credentials = [
        ApiKey("canary"),
        UserToken("canary"),
        EmailPassword("ada@example.com", "canary"),
        SignedEmbedding("canary", "key-1", SOMEBODY),
    ]

    assert "canary" not in repr(credentials)
    assert "ada@example.com" in repr(credentials)


@pytest.mark.parametrize("text", ["", " ", "sk-1\n", "sk-1 ", "sk 1", "sk-ü", "sk-\x00", "a\r\nX: y"])
def test_an_invalid_token_is_rejected_without_quoting_it(text: str) -> None:
    """requests would reject it too, and quote the whole header."""
    for make in (ApiKey, UserToken, check_token):
        with pytest.raises(ValueError, match="without spaces") as refused:
            make(text)

        assert "sk" not in str(refused.value)


def test_all_credentials_but_api_keys_are_users() -> None:
    assert not ApiKey.is_user
    assert UserToken.is_user
    assert EmailPassword.is_user
    assert SignedEmbedding.is_user
