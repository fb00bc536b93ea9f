"""Integrations: setting up, switching, giving a new key, removing. Nothing is saved before Activepieces took the key.

Calls of Activepieces come first and hold no database connection; then one short transaction writes the row and its
audit events. Several setups of one tenant at once end in one row.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from ..crypto.keyring import random_id
from ..errors import InvalidInput, Locked, NotFound
from ..host.ids import checked_id, checked_optional_id
from ..host.interface import Host, Principal
from ..oauth.clients import client as clients
from ..oauth.clients.service import OAuthClients
from ..storage.audit import Audit, Event
from ..storage.database import Database, Transaction
from . import organizations
from . import store as records
from .client_factory import ClientFactory
from .setup.credential_store import CredentialStore
from .setup.credentials import Credentials
from .setup.planner import Ground, Plan, SetupPlanner
from .setup.verifier import Place, SetupRequest
from .store import Integration

if TYPE_CHECKING:
    from ..api_client.client import ActivepiecesClient


class Integrations:
    """The integrations of one app; a look-up names the tenant, and one for a user asks for their organizations."""

    def __init__(
        self,
        database: Database,
        host: Host,
        client_factory: ClientFactory,
        planner: SetupPlanner,
        credential_store: CredentialStore,
        *,
        oauth_clients: OAuthClients,
        audit: Audit,
    ) -> None:
        self._database = database
        self._host = host
        self._client_factory = client_factory
        self._planner = planner
        self._credential_store = credential_store
        self._clients = oauth_clients
        self._audit = audit

    def find(self, integration_id: str, *, principal: Principal) -> Integration:
        """The integration of the user's tenant or of one of their organizations; `NotFound` for any other."""
        found = self._database.read(
            lambda connection: records.find(
                connection, integration_id, tenant_id=principal.tenant_id
            )
        )
        if not organizations.accessible(self._host, principal, [found.organization_id]):
            raise NotFound("integration", integration_id)
        return found

    def visible_to(self, principal: Principal) -> list[Integration]:
        """The integrations that the user can find, that of the tenant as a whole first."""
        of_tenant = self.list_for_tenant(principal.tenant_id)
        ids = {integration.organization_id for integration in of_tenant}
        shown = organizations.accessible(self._host, principal, ids)
        return [one for one in of_tenant if one.organization_id in shown]

    def list_for_tenant(self, tenant_id: str) -> list[Integration]:
        """The tenant's integrations, those of all its organizations too: for operators and jobs, not for users."""
        return self._database.read(
            lambda connection: records.list_for_tenant(connection, tenant_id)
        )

    def list_all(self) -> list[Integration]:
        """Every integration: for operators at the command line only."""
        return self._database.read(records.list_all)

    def client_for(self, integration: Integration, operation: str) -> ActivepiecesClient:
        """A client that may make this call; `IntegrationDisabled`, or `CallNotSupported` with who could make it."""
        return self._client_factory.client_for(integration, operation)

    def set_up(self, setup: SetupRequest, *, user_id: str, now: int) -> Integration:
        """The integration of this tenant or organization, new or changed; what is not given stays as it is."""
        checked_id("user_id", user_id)
        given = setup.credentials
        _refuse(given.problems())

        def find_for(connection: Connection) -> Ground:
            found = records.find_for(
                connection, tenant_id=setup.tenant_id, organization_id=setup.organization_id
            )
            return Ground.of(connection, found)

        ground = self._database.read(find_for)
        base_url = ground.base_url
        if setup.base_url is not None:
            base_url = self._client_factory.base_urls.chosen(setup.base_url)
        place = Place(
            tenant_id=setup.tenant_id, organization_id=setup.organization_id, base_url=base_url
        )
        plan = self._planner.plan(ground, place, given, wanted=setup.project_id)

        def save(transaction: Transaction) -> Integration | None:
            current = find_for(transaction.conn)
            if not ground.is_under(current):
                return None
            if current.integration is None:
                return self._add(transaction, plan, user_id=user_id, now=now)
            return self._update(transaction, current.integration, plan, user_id=user_id, now=now)

        # When another admin came in between, Activepieces is asked again: what it said was about another ground.
        return self._database.run_in_transaction(save) or self.set_up(
            setup, user_id=user_id, now=now
        )

    def update(
        self,
        integration: Integration,
        *,
        enabled: bool | None = None,
        credentials: Credentials | None = None,
        removed: Collection[str] = (),
        project_id: str | None = None,
        user_id: str,
        now: int,
    ) -> Integration:
        """The integration, switched on or off, with another key, or for another project.

        ``removed`` names credentials to forget, such as ``user_token``. Without any, the app's own key is used.
        """
        checked_id("user_id", user_id)
        given = credentials or Credentials()
        _refuse(given.problems())

        def standing(connection: Connection) -> Ground:
            found = records.find(connection, integration.id, tenant_id=integration.tenant_id)
            return Ground.of(connection, found)

        plan = None
        if given or removed or project_id is not None:
            ground = self._database.read(standing)
            place = Place(
                tenant_id=integration.tenant_id,
                organization_id=integration.organization_id,
                base_url=ground.base_url,
            )
            plan = self._planner.plan(ground, place, given, removed=removed, wanted=project_id)

        def save(transaction: Transaction) -> Integration:
            current = standing(transaction.conn)
            if plan is not None and not plan.ground.is_under(current):
                raise Locked("integration", retry_after=1)
            changed = current.integration
            assert changed is not None, "an integration that was found"
            if enabled is not None and enabled != changed.enabled:
                changed = records.change(transaction, changed, {"enabled": enabled}, now=now)
                name = "integration.enabled" if enabled else "integration.disabled"
                self._record(transaction, name, changed, user_id, now)
                self._set_client_enabled(transaction, changed, now)
            if plan is not None:
                changed = self._update(transaction, changed, plan, user_id=user_id, now=now)
            return changed

        return self._database.run_in_transaction(save)

    def remove(self, integration: Integration, *, user_id: str | None, now: int) -> None:
        """Remove the integration with its OAuth client; connections stay in Activepieces.

        Those that were made for that client open nothing from then on: every token of it is revoked. ``user_id`` is
        None for an operator.
        """
        checked_optional_id("user_id", user_id)
        self._database.run_in_transaction(
            lambda transaction: self.remove_in(transaction, integration, user_id=user_id, now=now)
        )

    def remove_in(
        self, transaction: Transaction, integration: Integration, *, user_id: str | None, now: int
    ) -> None:
        """Like `remove`, as a part of a transaction."""
        current = records.find(transaction.conn, integration.id, tenant_id=integration.tenant_id)
        if current.oauth_client_id is not None:
            own = clients.find_by_id(transaction.conn, current.oauth_client_id)
            if own is not None:
                self._clients.delete_in(transaction, own, now=now)
        if not records.remove(transaction, current):
            raise NotFound("integration", integration.id)
        self._record(transaction, "integration.removed", current, user_id, now)

    def _add(self, transaction: Transaction, plan: Plan, *, user_id: str, now: int) -> Integration:
        integration_id = random_id()
        values = {
            "id": integration_id,
            "tenant_id": plan.place.tenant_id,
            "organization_id": plan.place.organization_id or "",
        }
        credentials = plan.credentials or Credentials()
        values |= plan.columns | self._credential_store.credential_columns(
            integration_id, credentials
        )
        integration = records.add(transaction, values, now=now)
        self._record(transaction, "integration.created", integration, user_id, now)
        return integration

    def _update(
        self,
        transaction: Transaction,
        current: Integration,
        plan: Plan,
        *,
        user_id: str,
        now: int,
    ) -> Integration:
        values = {
            name: value for name, value in plan.columns.items() if value != getattr(current, name)
        }
        events = ["integration.updated"] if values else []
        if "base_url" in values or "project_id" in values:
            # What it had in the other project is not its own here.
            values |= {
                "failed_connection_ids": "[]",
                "default_connection_id": None,
                "default_connection_external_id": None,
            }
        if plan.credentials is not None:
            values |= self._credential_store.credential_columns(current.id, plan.credentials)
            events.append("integration.key_rotated")
        if not values:
            return current
        changed = records.change(transaction, current, values, now=now)
        for name in events:
            self._record(transaction, name, changed, user_id, now)
        return changed

    def _set_client_enabled(
        self, transaction: Transaction, integration: Integration, now: int
    ) -> None:
        client = clients.find_by_id(transaction.conn, integration.oauth_client_id or "")
        if client is not None:
            self._clients.set_enabled_in(
                transaction, client, integration.enabled, now=now, integration_id=integration.id
            )

    def _record(
        self,
        transaction: Transaction,
        name: str,
        integration: Integration,
        user_id: str | None,
        now: int,
    ) -> None:
        detail = {"integration_id": integration.id, "project_id": integration.project_id}
        if integration.organization_id is not None:
            detail["organization_id"] = integration.organization_id
        event = Event(
            name=name, at=now, tenant_id=integration.tenant_id, user_id=user_id, detail=detail
        )
        self._audit.record(transaction, event)


def _refuse(problems: dict[str, str]) -> None:
    if problems:
        raise InvalidInput(problems)
