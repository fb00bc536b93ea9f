"""The secrets of integrations, encrypted for their row: moved to another row, they cannot be decrypted."""

from __future__ import annotations

from typing import Any

from ...crypto.encryption import Encryptor
from ...crypto.keyring import KeyRing
from ...errors import IntegrationDisabled, SignatureError
from ..store import Integration
from .credentials import Credentials

PURPOSE = "integration secret"


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
            content = self._encryptor.decrypt(
                integration.encrypted_credentials, context=integration.id
            )
        except SignatureError as error:
            raise IntegrationDisabled(
                integration.id,
                "its credentials cannot be decrypted with the configured secret keys; set them again",
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
            "encrypted_credentials": self._encryptor.encrypt(
                credentials.to_json(), context=integration_id
            ),
            "credential_hint": credentials.redacted(),
        }

    def client_secret(self, integration: Integration) -> str | None:
        """The secret of the integration's OAuth client; None if there is none that can be decrypted."""
        if integration.encrypted_client_secret is None:
            return None
        try:
            content = self._encryptor.decrypt(
                integration.encrypted_client_secret, context=integration.id
            )
        except SignatureError:
            return None
        secret: str = content["oauth_client_secret"]
        return secret

    def client_columns(self, integration_id: str, client_id: str, secret: str) -> dict[str, Any]:
        """The columns for the integration's OAuth client."""
        content = {"oauth_client_secret": secret}
        return {
            "oauth_client_id": client_id,
            "encrypted_client_secret": self._encryptor.encrypt(content, context=integration_id),
        }

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
