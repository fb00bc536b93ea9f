"""Calls that the credential or the edition does not allow are refused before they are sent."""

from __future__ import annotations

import pytest

from flask_activepieces.api_client.capabilities import Edition, check_supported
from flask_activepieces.api_client.credentials import ApiKey, Credential, EmailPassword, UserToken
from flask_activepieces.api_client.errors import CredentialNotSupported, EditionNotSupported

KEY = ApiKey("sk-1")
USERS: list[Credential] = [UserToken("ey.1"), EmailPassword("ada@example.com", "pw")]

FOR_USERS = [
    "connections.replace",
    "connections.authorization_url",
    "mcp.get",
    "mcp.update",
    "mcp.rotate_token",
    "api_keys.create",
    "signing_keys.create",
    "oauth_apps.list",
]
NOT_IN_COMMUNITY = [
    "api_keys.create",
    "signing_keys.create",
    "oauth_apps.list",
    "global_connections.list",
    "members.list",
    "embedding.sign_in",
]
FOR_KEYS = ["embedding.allow_origins"]
FOR_ALL = ["connections.list", "connections.upsert", "projects.list", "flows.create", "sign_in"]


@pytest.mark.parametrize("operation", FOR_USERS)
def test_user_only_calls_are_refused_to_api_keys_with_a_remedy(operation: str) -> None:
    with pytest.raises(CredentialNotSupported) as refused:
        check_supported(operation, KEY, None)

    assert (refused.value.operation, refused.value.credential) == (operation, "API key")
    assert "user token" in str(refused.value)
    for user in USERS:
        check_supported(operation, user, "ee")


@pytest.mark.parametrize("operation", FOR_KEYS)
def test_api_key_only_calls_are_refused_to_users_with_a_remedy(operation: str) -> None:
    """A 0.85.2 server answers 403 to every user token, including that of the platform's admin."""
    for user in USERS:
        with pytest.raises(CredentialNotSupported) as refused:
            check_supported(operation, user, "ee")

        assert refused.value.credential == user.kind
        assert "Use an API key." in str(refused.value)
    check_supported(operation, KEY, "ee")


@pytest.mark.parametrize("operation", [*NOT_IN_COMMUNITY, *FOR_KEYS])
@pytest.mark.parametrize("credential", [KEY, *USERS])
def test_calls_that_the_community_edition_lacks_are_refused(operation: str, credential: Credential) -> None:
    with pytest.raises(EditionNotSupported) as refused:
        check_supported(operation, credential, "ce")

    assert "Enterprise" in str(refused.value)


@pytest.mark.parametrize("edition", ["ee", "cloud", None])
def test_with_another_or_an_unknown_edition_only_the_credential_counts(edition: Edition | None) -> None:
    for operation in NOT_IN_COMMUNITY:
        check_supported(operation, USERS[0], edition)


@pytest.mark.parametrize("operation", FOR_ALL)
def test_all_other_calls_are_unrestricted(operation: str) -> None:
    editions: list[Edition | None] = [None, "ce", "ee", "cloud"]
    for credential in [KEY, *USERS]:
        for edition in editions:
            check_supported(operation, credential, edition)
