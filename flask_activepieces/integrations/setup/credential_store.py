"""The secrets of integrations: encrypted in their rows, plain to those who need them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from ...crypto.encryption import Encryptor
from ...crypto.keyring import KeyRing
from ...errors import IntegrationDisabled, SignatureError
from ...storage.database import Database, Transaction
from .. import store as records
from ..store import EncryptedSecrets, Integration
from .credentials import Credentials

PURPOSE = "integration secret"


class CredentialStore:
    """Opens what is locked for one integration, and locks it."""

    def __init__(self, keys: KeyRing) -> None:
        self._encryptor = Encryptor(keys, PURPOSE)

    def credentials(self, connection: Connection, integration: Integration) -> Credentials | None:
        """What the integration signs in with; None when that is the app's own key.

        `IntegrationDisabled` when no secret key opens it any more: it has to be given again.
        """
        return self.opened(
            integration.id, records.encrypted_secrets(connection, integration).credentials
        )

    def opened(self, integration_id: str, locked: str | None) -> Credentials | None:
        """The same, of credentials as they are stored."""
        if locked is None:
            return None
        try:
            content = self._encryptor.decrypt(locked, context=integration_id)
        except SignatureError as error:
            reason = "none of the secret keys opens its credentials, which must be given again"
            raise IntegrationDisabled(integration_id, reason) from error
        return Credentials.from_json(content)

    def credential_columns(self, integration_id: str, credentials: Credentials) -> dict[str, Any]:
        """The columns for these credentials, or for none."""
        if not credentials:
            return {"credentials": None, "credential_hint": None}
        return {
            "credentials": self._encryptor.encrypt(credentials.to_json(), context=integration_id),
            "credential_hint": credentials.masked(),
        }

    def oauth_secret(self, connection: Connection, integration: Integration) -> str | None:
        """The secret of the integration's own OAuth client; None if there is none that can be opened."""
        locked = records.encrypted_secrets(connection, integration).oauth_client_secret
        if locked is None:
            return None
        try:
            content = self._encryptor.decrypt(locked, context=integration.id)
        except SignatureError:
            return None
        secret: str = content["oauth_client_secret"]
        return secret

    def oauth_columns(self, integration_id: str, client_id: str, secret: str) -> dict[str, Any]:
        """The columns for the integration's own OAuth client."""
        content = {"oauth_client_secret": secret}
        return {
            "oauth_client_id": client_id,
            "oauth_client_secret": self._encryptor.encrypt(content, context=integration_id),
        }

    def reencrypt(self, database: Database, integration: Integration, *, now: int) -> bool:
        """Encrypt an integration's secrets with the newest key; False when no key in use opens them."""

        def work(transaction: Transaction) -> bool:
            current = records.find(
                transaction.conn, integration.id, tenant_id=integration.tenant_id
            )
            try:
                values = self._relocked(
                    current.id, records.encrypted_secrets(transaction.conn, current)
                )
            except SignatureError:
                return False
            records.change(transaction, current, values, now=now)
            return True

        return database.run_in_transaction(work)

    def _relocked(self, integration_id: str, locked: EncryptedSecrets) -> dict[str, str]:
        return {
            name: self._encryptor.reencrypt(text, context=integration_id)
            for name, text in vars(locked).items()
            if text is not None
        }
