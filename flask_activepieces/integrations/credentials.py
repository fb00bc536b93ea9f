"""The credentials with which a tenant authenticates to Activepieces, and how they are stored.

The secrets of an integration are encrypted for their row: moved to another row, they cannot be decrypted.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from ..api_client.credentials import ApiKey, EmailPassword, UserToken
from ..crypto.keyring import Encryptor, KeyRing
from ..errors import IntegrationDisabled, InvalidInput, SignatureError
from ..messages import Message
from .store import Integration

Credential = ApiKey | UserToken | EmailPassword

PURPOSE = "integration secret"
#: A token of Activepieces has about 700 characters.
MAX_TOKEN_LENGTH = 8192
MAX_NAME_LENGTH = 190
#: Four characters of a shorter secret would reveal too much.
_MIN_HINT_LENGTH = 16


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """An API key, or a user (a token, or e-mail and password), or one of each."""

    api_key: str | None = field(default=None, repr=False)
    user_token: str | None = field(default=None, repr=False)
    email: str | None = None
    password: str | None = field(default=None, repr=False)

    def __bool__(self) -> bool:
        return any(vars(self).values())

    def validate(self) -> None:
        """Raises `InvalidInput`, with the fields of the JSON API, if they cannot be valid."""
        problems = {
            "apiKey": _token_problem(self.api_key),
            "userToken": _token_problem(self.user_token),
            "email": _name_problem(self.email, beside=self.password),
            "password": _name_problem(self.password, beside=self.email),
        }
        if self.user_token and self.email:
            problems["userToken"] = Message("Cannot be combined with e-mail and password.")
        found = {name: problem for name, problem in problems.items() if problem}
        if found:
            raise InvalidInput(found)

    def updated_with(self, new: Credentials) -> Credentials:
        """These, with a new key instead of the key, and a new user instead of the user."""
        updated = self
        if new.api_key:
            updated = replace(updated, api_key=new.api_key)
        if new.user_token or new.email:
            updated = replace(updated, user_token=new.user_token, email=new.email, password=new.password)
        return updated

    def without(self, names: Collection[str]) -> Credentials:
        """These without the named ones; e-mail and password are removed together."""
        user = {"email", "password"}
        removed = {*names, *(user if user & {*names} else ())}
        return replace(self, **dict.fromkeys(removed))

    def by_field(self) -> dict[str, Credential]:
        """The key and then the user, by the field of the JSON API to name if Activepieces rejects it."""
        credentials: dict[str, Credential] = {}
        if self.api_key:
            credentials["apiKey"] = ApiKey(self.api_key)
        if self.user_token:
            credentials["userToken"] = UserToken(self.user_token)
        elif self.email and self.password:
            credentials["password"] = EmailPassword(self.email, self.password)
        return credentials

    def redacted(self) -> str:
        """What people may see: enough to tell one credential from another."""
        return ", ".join(filter(None, (_redacted(self.api_key), _redacted(self.user_token), self.email)))

    def to_json(self) -> dict[str, Any]:
        """The arguments to make them again."""
        return {name: value for name, value in vars(self).items() if value}


class CredentialStore:
    """Decrypts the secrets of an integration, and makes the columns that store them."""

    def __init__(self, keys: KeyRing) -> None:
        self._encryptor = Encryptor(keys, PURPOSE)

    def credentials(self, integration: Integration) -> Credentials | None:
        """The integration's credentials; None if it uses the app's own key.

        `IntegrationDisabled` if no configured secret key decrypts them.
        """
        if integration.encrypted_credentials is None:
            return None
        try:
            content = self._encryptor.decrypt(integration.encrypted_credentials, context=integration.id)
        except SignatureError as error:
            raise IntegrationDisabled(
                integration.id, "its credentials cannot be decrypted with the configured secret keys; set them again"
            ) from error
        return Credentials(**content)

    def have_equal_credentials(self, one: Integration, other: Integration) -> bool:
        """Whether both have the same credentials, however they were encrypted."""
        if one.encrypted_credentials == other.encrypted_credentials:
            return True
        try:
            return self.credentials(one) == self.credentials(other)
        except IntegrationDisabled:
            return False

    def credential_columns(self, integration_id: str, credentials: Credentials) -> dict[str, Any]:
        """The columns for these credentials."""
        if not credentials:
            return {"encrypted_credentials": None, "credential_hint": None}
        return {
            "encrypted_credentials": self._encryptor.encrypt(credentials.to_json(), context=integration_id),
            "credential_hint": credentials.redacted(),
        }

    def client_secret(self, integration: Integration) -> str | None:
        """The secret of the integration's OAuth client; None if it has none, or if it cannot be decrypted."""
        if integration.encrypted_client_secret is None:
            return None
        try:
            content = self._encryptor.decrypt(integration.encrypted_client_secret, context=integration.id)
        except SignatureError:
            return None
        return str(content["oauth_client_secret"])

    def client_columns(self, integration_id: str, client_id: str, secret: str) -> dict[str, Any]:
        """The columns for the integration's OAuth client."""
        encrypted = self._encryptor.encrypt({"oauth_client_secret": secret}, context=integration_id)
        return {"oauth_client_id": client_id, "encrypted_client_secret": encrypted}

    def reencrypted_columns(self, integration: Integration) -> dict[str, str]:
        """The columns with all secrets encrypted with the newest key; `SignatureError` if no key decrypts them."""
        secrets = {
            "encrypted_credentials": integration.encrypted_credentials,
            "encrypted_client_secret": integration.encrypted_client_secret,
        }
        return {
            name: self._encryptor.reencrypt(secret, context=integration.id)
            for name, secret in secrets.items()
            if secret is not None
        }


def _redacted(token: str | None) -> str | None:
    if not token:
        return None
    if len(token) < _MIN_HINT_LENGTH:
        return "…"
    # All API keys begin with this prefix.
    prefix = "sk-" if token.startswith("sk-") else ""
    return f"{prefix}…{token[-4:]}"


def _token_problem(token: str | None) -> str | None:
    if token is None:
        return None
    if not token or not all("!" <= character <= "~" for character in token):
        # It is sent in a header (RFC 9110 §11.4).
        return Message("Must be printable ASCII without spaces.")
    return (
        Message("At most %(maximum)d characters.", maximum=MAX_TOKEN_LENGTH)
        if len(token) > MAX_TOKEN_LENGTH
        else None
    )


def _name_problem(value: str | None, *, beside: str | None) -> str | None:
    if value is None and beside is None:
        return None
    if not value:
        return Message("Email and password must be set together.")
    return (
        Message("At most %(maximum)d characters.", maximum=MAX_NAME_LENGTH) if len(value) > MAX_NAME_LENGTH else None
    )
