"""Saves a verified setup, if the integration still has the server and credentials that were verified."""

from __future__ import annotations

from dataclasses import dataclass

from ...clock import Clock
from ...crypto.keyring import random_id
from ...storage.audit import Audit
from ...storage.database import Transaction
from .. import store
from ..events import integration_event
from ..store import Integration
from .credentials import Credentials, CredentialStore
from .request import SetupRequest, VerifiedSetup


@dataclass(frozen=True)
class SetupSaver:
    """Adds and changes integrations as a part of the caller's transaction."""

    clock: Clock
    audit: Audit
    credential_store: CredentialStore

    def save(
        self,
        transaction: Transaction,
        *,
        request: SetupRequest,
        setup: VerifiedSetup,
        verified: Integration | None,
        user_id: str,
    ) -> Integration | None:
        """The saved integration; None if its server or credentials were changed while it was being verified."""
        latest = store.find_for(
            transaction.conn, tenant_id=request.tenant_id, organization_id=request.organization_id
        )
        if not self.is_unchanged(verified, latest):
            return None
        if latest is None:
            return self._add(transaction, request, setup, user_id)
        return self.change(transaction, latest, setup, user_id)

    def is_unchanged(self, verified: Integration | None, latest: Integration | None) -> bool:
        """Whether Activepieces would still accept it: with another server or other credentials, it might not."""
        if verified is None or latest is None:
            return verified is latest
        same_server = (verified.id, verified.base_url) == (latest.id, latest.base_url)
        return same_server and self.credential_store.have_equal_credentials(verified, latest)

    def _add(
        self, transaction: Transaction, request: SetupRequest, setup: VerifiedSetup, user_id: str
    ) -> Integration:
        integration_id, now = random_id(), int(self.clock())
        credentials = self.credential_store.credential_columns(integration_id, setup.credentials or Credentials())
        values = {
            "id": integration_id,
            "tenant_id": request.tenant_id,
            "organization_id": request.organization_id,
            **_columns(setup),
            **credentials,
        }
        integration = store.insert(transaction, values, now=now)
        self._record(transaction, "integration.created", integration, user_id)
        return integration

    def change(
        self, transaction: Transaction, current: Integration, setup: VerifiedSetup, user_id: str
    ) -> Integration:
        """The integration with this setup; what is the same is not written."""
        now = int(self.clock())
        values = {name: value for name, value in _columns(setup).items() if value != getattr(current, name)}
        events = ["integration.updated"] if values else []
        if "base_url" in values or "project_id" in values:
            # These are connections of the other project.
            values |= {
                "failed_connection_ids": (),
                "default_connection_id": None,
                "default_connection_external_id": None,
            }
        if setup.credentials is not None:
            values |= self.credential_store.credential_columns(current.id, setup.credentials)
            events.append("integration.key_rotated")
        if not values:
            return current
        changed = store.change(transaction, current, values, now=now)
        for name in events:
            self._record(transaction, name, changed, user_id)
        return changed

    def _record(self, transaction: Transaction, name: str, integration: Integration, user_id: str) -> None:
        event = integration_event(name, integration, at=int(self.clock()), user_id=user_id)
        self.audit.record(transaction, event)


def _columns(setup: VerifiedSetup) -> dict[str, object]:
    columns: dict[str, object] = {"base_url": setup.base_url}
    if setup.project_id is not None:
        columns |= {"project_id": setup.project_id, "shares_project": setup.shares_project}
    return columns
