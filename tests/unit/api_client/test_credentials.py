"""Credentials: what they carry, and that they keep it to themselves."""

from __future__ import annotations

import pytest

from flask_activepieces.api_client.credentials import (
    ApiKey,
    EmailPassword,
    SignedEmbedding,
    UserToken,
    check_token,
)
from flask_activepieces.api_client.embedding_token import EmbeddedUser

SOMEBODY = EmbeddedUser(
    external_user_id="u", external_project_id="p", first_name="Ada", last_name="L"
)


def test_no_credential_shows_its_secret() -> None:
    credentials = [
        ApiKey("canary"),
        UserToken("canary"),
        EmailPassword("ada@example.com", "canary"),
        SignedEmbedding("canary", "key-1", SOMEBODY),
    ]

    assert "canary" not in repr(credentials)
    assert "ada@example.com" in repr(credentials)


@pytest.mark.parametrize(
    "text", ["", " ", "sk-1\n", "sk-1 ", "sk 1", "sk-ü", "sk-\x00", "a\r\nX: y"]
)
def test_what_cannot_stand_in_a_header_is_no_token(text: str) -> None:
    """Requests would refuse it too, and name the whole header in its refusal."""
    for make in (ApiKey, UserToken, check_token):
        with pytest.raises(ValueError, match="without spaces") as refused:
            make(text)

        assert "sk" not in str(refused.value)


def test_only_an_api_key_is_no_user() -> None:
    assert not ApiKey.is_user
    assert UserToken.is_user
    assert EmailPassword.is_user
    assert SignedEmbedding.is_user
