"""Integrations: setting up, switching, giving a new key, removing. Nothing is saved before Activepieces took the key.

Calls of Activepieces come first and hold no database connection; then one short transaction writes the row and its
audit events. Several setups of one tenant at once end in one row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from ..audit import Audit, Event
from ..database import Database, Transaction
from ..errors import Busy, Disabled, InvalidInput, NotFound
from ..oauth import clients
from ..oauth.clients import OAuthClients
from ..signing import random_id
from . import records
from .credentials import Credentials
from .gateways import Gateways
from .records import Integration
from .setup import Place, Setup, Verifier
from .strongbox import Strongbox

if TYPE_CHECKING:
    from ..client.client import ActivepiecesClient


class Integrations:
    """The integrations of one app; every look-up names the tenant."""

    def __init__(
        self,
        database: Database,
        gateways: Gateways,
        verifier: Verifier,
        strongbox: Strongbox,
        *,
        oauth_clients: OAuthClients,
        audit: Audit,
    ) -> None:
        self._database = database
        self._gateways = gateways
        self._verifier = verifier
        self._strongbox = strongbox
        self._clients = oauth_clients
        self._audit = audit

    def find(self, integration_id: str, *, tenant_id: str) -> Integration:
        """The tenant's own integration; `NotFound` for any other."""
        return self._database.read(
            lambda connection: records.find(connection, integration_id, tenant_id=tenant_id)
        )

    def of_tenant(self, tenant_id: str) -> list[Integration]:
        """The tenant's integrations, that of the tenant as a whole first."""
        return self._database.read(lambda connection: records.of_tenant(connection, tenant_id))

    def all(self) -> list[Integration]:
        """Every integration: for operators at the command line only."""
        return self._database.read(records.of_all_tenants)

    def gateway(self, integration: Integration, operation: str) -> ActivepiecesClient:
        """A client that may make this call; `Disabled`, or `NotCallable` with who could make it."""
        return self._gateways.to(integration, operation)

    def set_up(self, setup: Setup, *, user_id: str, now: int) -> Integration:
        """The integration of this tenant or organization, new or changed; what is not given stays as it is."""
        given = setup.credentials
        _refuse(given.problems())

        def at_place(connection: Connection) -> Integration | None:
            return records.at_place(
                connection, tenant_id=setup.tenant_id, organization_id=setup.organization_id
            )

        found = self._database.read(at_place)
        base_url = found.base_url if found else None
        if setup.base_url is not None:
            base_url = self._gateways.base_urls.chosen(setup.base_url)
        at = Place(
            tenant_id=setup.tenant_id, organization_id=setup.organization_id, base_url=base_url
        )
        project_id = self._project(at, found, given, wanted=setup.project_id)

        def save(transaction: Transaction) -> Integration | None:
            current = at_place(transaction.connection)
            if not _is_as_it_was(current, found):
                return None
            if current is None:
                return self._add(transaction, at, given, project_id, user_id=user_id, now=now)
            return self._update(
                transaction, current, at, given, project_id, user_id=user_id, now=now
            )

        # When another admin came in between, Activepieces is asked again: what it said was about another ground.
        return self._database.transact(save) or self.set_up(setup, user_id=user_id, now=now)

    def change(
        self,
        integration: Integration,
        *,
        enabled: bool | None = None,
        credentials: Credentials | None = None,
        project_id: str | None = None,
        user_id: str,
        now: int,
    ) -> Integration:
        """The integration, switched on or off, with another key, or for another project."""
        given = credentials or Credentials()
        _refuse(given.problems())
        at = Place(
            tenant_id=integration.tenant_id,
            organization_id=integration.organization_id,
            base_url=integration.base_url,
        )
        settled = None
        if given or project_id is not None:
            settled = self._project(at, integration, given, wanted=project_id)

        def save(transaction: Transaction) -> Integration:
            current = records.find(
                transaction.connection, integration.id, tenant_id=integration.tenant_id
            )
            if enabled is not None and enabled != current.enabled:
                current = records.change(transaction, current, {"enabled": enabled}, now=now)
                name = "integration.enabled" if enabled else "integration.disabled"
                self._record(transaction, name, current, user_id, now)
            if settled is None:
                return current
            if not _is_as_it_was(current, integration):
                raise Busy("integration", retry_after=1)
            return self._update(transaction, current, at, given, settled, user_id=user_id, now=now)

        return self._database.transact(save)

    def remove(self, integration: Integration, *, user_id: str, now: int) -> None:
        """Remove the integration with its OAuth client; connections stay in Activepieces.

        Those that were made for that client open nothing from then on: every token of it is revoked.
        """

        def remove(transaction: Transaction) -> None:
            current = records.find(
                transaction.connection, integration.id, tenant_id=integration.tenant_id
            )
            if current.oauth_client_id is not None:
                own = clients.find_any(transaction.connection, current.oauth_client_id)
                if own is not None:
                    self._clients.delete(transaction, own, now=now)
            if not records.remove(transaction, current):
                raise NotFound("integration", integration.id)
            self._record(transaction, "integration.removed", current, user_id, now)

        self._database.transact(remove)

    def _project(
        self, at: Place, found: Integration | None, given: Credentials, *, wanted: str | None
    ) -> str:
        merged = self._database.read(lambda connection: self._merged(connection, found, given, at))
        return self._verifier.project_for(
            at, merged, wanted=wanted, current=found.project_id if found else None
        )

    def _merged(
        self, connection: Connection, found: Integration | None, given: Credentials, at: Place
    ) -> Credentials:
        """What to sign in with; a server never sees what was given for another."""
        if found is None or found.base_url != at.base_url:
            return given
        try:
            kept = self._strongbox.credentials(connection, found)
        except Disabled:
            if not given:
                raise
            return given  # in place of what nothing opens any more
        return given if kept is None else kept.merged(given)

    def _add(
        self,
        transaction: Transaction,
        at: Place,
        given: Credentials,
        project_id: str,
        *,
        user_id: str,
        now: int,
    ) -> Integration:
        integration_id = random_id()
        values = {
            "id": integration_id,
            "tenant_id": at.tenant_id,
            "organization_id": at.organization_id or "",
            "base_url": at.base_url,
            "project_id": project_id,
        } | self._strongbox.credential_columns(integration_id, given)
        integration = records.add(transaction, values, now=now)
        self._record(transaction, "integration.created", integration, user_id, now)
        return integration

    def _update(
        self,
        transaction: Transaction,
        current: Integration,
        at: Place,
        given: Credentials,
        project_id: str,
        *,
        user_id: str,
        now: int,
    ) -> Integration:
        values: dict[str, Any] = {}
        events = []
        if (current.base_url, current.project_id) != (at.base_url, project_id):
            # What it had in the other project is not its own here.
            values |= {"base_url": at.base_url, "project_id": project_id, "failing": "[]"}
            values |= {"connection_id": None, "connection_external_id": None}
            events.append("integration.updated")
        if given or current.base_url != at.base_url:
            merged = self._merged(transaction.connection, current, given, at)
            values |= self._strongbox.credential_columns(current.id, merged)
            events.append("integration.key_rotated")
        if not values:
            return current
        changed = records.change(transaction, current, values, now=now)
        for name in events:
            self._record(transaction, name, changed, user_id, now)
        return changed

    def _record(
        self,
        transaction: Transaction,
        name: str,
        integration: Integration,
        user_id: str,
        now: int,
    ) -> None:
        detail = {"integration_id": integration.id, "project_id": integration.project_id}
        if integration.organization_id is not None:
            detail["organization_id"] = integration.organization_id
        event = Event(
            name=name, at=now, tenant_id=integration.tenant_id, user_id=user_id, detail=detail
        )
        self._audit.record(transaction, event)


def _is_as_it_was(current: Integration | None, found: Integration | None) -> bool:
    """Whether what Activepieces was asked about still stands: on whose key, on which server."""
    if current is None or found is None:
        return current is found
    return (current.own_key, current.base_url) == (found.own_key, found.base_url)


def _refuse(problems: dict[str, str]) -> None:
    if problems:
        raise InvalidInput(problems)
