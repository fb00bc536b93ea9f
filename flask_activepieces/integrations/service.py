"""Setting up, updating and removing integrations.

Activepieces verifies a setup first, without a database connection; then one short transaction saves it, if the
integration still has the server and credentials that were verified.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from ..api_client.client import ActivepiecesClient
from ..api_client.resources.projects import Project
from ..crypto.keyring import looks_like_id, random_id
from ..errors import Locked, NotFound, SignatureError
from ..host.ids import checked_id, checked_optional_id
from ..host.interface import Principal
from ..oauth.clients import client as clients
from ..storage.database import Transaction
from . import store
from .credentials import Credentials
from .dependencies import Dependencies
from .embedding.provisioning import Provisioning
from .setup import SetupRequest, SetupVerifier, VerifiedSetup
from .store import Integration

#: How often a setup is verified while other admins change the same integration.
MAX_ATTEMPTS = 3


@dataclass(frozen=True)
class Integrations:
    """The integrations of one app. Lookups for a user also check the organization."""

    deps: Dependencies
    verifier: SetupVerifier
    provisioning: Provisioning

    def find(self, integration_id: str, *, principal: Principal) -> Integration:
        """The integration of the user's tenant, or of one of their organizations; `NotFound` for any other."""
        if not looks_like_id(integration_id):  # a database may reject it
            raise NotFound("integration", integration_id)
        integration = self.deps.database.read(
            lambda conn: store.get(conn, integration_id, tenant_id=principal.tenant_id)
        )
        if not self.accessible_organizations(principal, [integration.organization_id]):
            raise NotFound("integration", integration_id)
        return integration

    def visible_to(self, principal: Principal) -> list[Integration]:
        """The integrations that the user can find, that of the tenant as a whole first."""
        integrations = self.list_for_tenant(principal.tenant_id)
        visible = self.accessible_organizations(
            principal, {integration.organization_id for integration in integrations}
        )
        return [each for each in integrations if each.organization_id in visible]

    def accessible_organizations(
        self, principal: Principal, organization_ids: Collection[str | None]
    ) -> set[str | None]:
        """Those of these organizations that the user may act for; None is the tenant as a whole.

        A user may act for the tenant as a whole, for their current organization, and for those of their workspaces.
        """
        accessible = {None, principal.organization_id}
        if not accessible.issuperset(organization_ids):
            accessible = self.organizations_of(principal)
        return accessible.intersection(organization_ids)

    def organizations_of(self, principal: Principal) -> set[str | None]:
        """All organizations of the tenant that the user may act for, and None, the tenant as a whole."""
        return {None, principal.organization_id} | {
            workspace.organization_id
            for workspace in self.deps.host.workspaces(principal)
            # Organizations of different tenants may have the same id.
            if workspace.tenant_id == principal.tenant_id
        }

    def list_for_tenant(self, tenant_id: str) -> list[Integration]:
        """The integrations of the tenant and all its organizations: for operators and jobs, not for users."""
        return self.deps.database.read(lambda conn: store.list_for_tenant(conn, tenant_id))

    def list_all(self) -> list[Integration]:
        """The integrations of all tenants: for operators at the command line only."""
        return self.deps.database.read(store.list_all)

    def client_for(self, integration: Integration, operation: str) -> ActivepiecesClient:
        """A client that may make this call; else `IntegrationDisabled` or `CallNotSupported`."""
        return self.deps.client_factory.client_for(integration, operation)

    def shares_project(self, integration: Integration) -> bool:
        """Whether other tenants use the same project, so that only connections can be told apart."""
        return self.deps.client_factory.shares_project(integration)

    def accessible_projects(self, request: SetupRequest) -> Sequence[Project]:
        """The projects to choose from with the credentials of the request, which Activepieces verifies."""
        return self.verifier.accessible_projects(request)

    def set_up(self, request: SetupRequest, *, user_id: str) -> Integration:
        """The integration of this tenant or organization, created or updated.

        `Locked` if other admins keep changing it meanwhile.
        """
        checked_id("user_id", user_id)
        for _ in range(MAX_ATTEMPTS):
            current = self.deps.database.read(partial(_find, request))
            setup = self.verifier.verify(request, current)
            saved = self.deps.database.run_in_transaction(partial(self._save, request, setup, current, user_id))
            if saved is not None:
                return saved
        raise Locked("integration", retry_after=1)

    def update(
        self,
        integration: Integration,
        *,
        enabled: bool | None = None,
        credentials: Credentials | None = None,
        removed: Collection[str] = (),
        project_id: str | None = None,
        user_id: str,
    ) -> Integration:
        """The integration, enabled or disabled, with other credentials, or for another project.

        ``removed`` names credentials to remove, such as ``user_token``; without any, the app's own key is used.
        `Locked` if another admin changes the credentials meanwhile.
        """
        checked_id("user_id", user_id)
        current = setup = None
        if credentials or removed or project_id is not None:
            request = SetupRequest(
                tenant_id=integration.tenant_id,
                organization_id=integration.organization_id,
                project_id=project_id,
                **vars(credentials or Credentials()),
            )
            current = self.deps.database.read(lambda conn: store.reload(conn, integration))
            setup = self.verifier.verify(request, current, removed=removed)

        def save(transaction: Transaction) -> Integration:
            latest = store.reload(transaction.conn, integration)
            if setup is not None and not self._is_unchanged(current, latest):
                raise Locked("integration", retry_after=1)
            if enabled is not None:
                latest = self._set_enabled(transaction, latest, enabled, user_id)
            if setup is not None:
                latest = self._change(transaction, latest, setup, user_id)
            return latest

        return self.deps.database.run_in_transaction(save)

    def remove(self, integration: Integration, *, user_id: str | None) -> None:
        """Remove the integration and its OAuth client; connections stay in Activepieces.

        Connections that were made for that client stop working: all its tokens are revoked. ``user_id`` is None for
        an operator.
        """
        checked_optional_id("user_id", user_id)
        self.deps.database.run_in_transaction(
            lambda transaction: self.remove_in(transaction, integration, user_id=user_id)
        )

    def remove_in(self, transaction: Transaction, integration: Integration, *, user_id: str | None) -> None:
        """Like `remove`, as a part of a transaction."""
        current = store.reload(transaction.conn, integration)
        client = clients.find_by_id(transaction.conn, current.oauth_client_id or "")
        if client is not None:
            self.deps.oauth_clients.delete_in(transaction, client, user_id=user_id)
        if not store.remove(transaction, current):
            raise NotFound("integration", integration.id)
        self.provisioning.end_service_user_in(transaction, current)
        self.provisioning.end_in(transaction, current)
        self.deps.record(transaction, "integration.removed", current, user_id=user_id)

    def reencrypt(self, integration: Integration) -> bool:
        """Encrypt the integration's secrets with the newest key; False if no configured key decrypts them."""

        def reencrypt(transaction: Transaction) -> bool:
            current = store.reload(transaction.conn, integration)
            try:
                columns = self.deps.credential_store.reencrypted_columns(current)
            except SignatureError:
                return False
            store.change(transaction, current, columns, now=self.deps.now())
            return True

        return self.deps.database.run_in_transaction(reencrypt)

    def _save(
        self,
        request: SetupRequest,
        setup: VerifiedSetup,
        verified: Integration | None,
        user_id: str,
        transaction: Transaction,
    ) -> Integration | None:
        """The saved integration; None if its server or credentials were changed while it was being verified."""
        latest = _find(request, transaction.conn)
        if not self._is_unchanged(verified, latest):
            return None
        if latest is None:
            return self._add(transaction, request, setup, user_id)
        return self._change(transaction, latest, setup, user_id)

    def _is_unchanged(self, verified: Integration | None, latest: Integration | None) -> bool:
        """Whether Activepieces would still accept it: with another server or other credentials, it might not."""
        if verified is None or latest is None:
            return verified is latest
        same_server = (verified.id, verified.base_url) == (latest.id, latest.base_url)
        return same_server and self.deps.credential_store.have_equal_credentials(verified, latest)

    def _add(
        self, transaction: Transaction, request: SetupRequest, setup: VerifiedSetup, user_id: str
    ) -> Integration:
        integration_id = random_id()
        credentials = self.deps.credential_store.credential_columns(
            integration_id, setup.credentials or Credentials()
        )
        values = {
            "id": integration_id,
            "tenant_id": request.tenant_id,
            "organization_id": request.organization_id,
            **_columns(setup),
            **credentials,
        }
        integration = store.insert(transaction, values, now=self.deps.now())
        self.deps.record(transaction, "integration.created", integration, user_id=user_id)
        return integration

    def _change(
        self, transaction: Transaction, current: Integration, setup: VerifiedSetup, user_id: str
    ) -> Integration:
        """The integration with this setup; what is the same is not written."""
        values = {name: value for name, value in _columns(setup).items() if value != getattr(current, name)}
        events = ["integration.updated"] if values else []
        if "base_url" in values or "project_id" in values:
            # These are connections of the other project.
            values |= {
                "failed_connection_ids": (),
                "default_connection_id": None,
                "default_connection_external_id": None,
            }
            self.provisioning.end_in(transaction, current)
        if setup.credentials is not None:
            values |= self.deps.credential_store.credential_columns(current.id, setup.credentials)
            events.append("integration.key_rotated")
        if not values:
            return current
        changed = store.change(transaction, current, values, now=self.deps.now())
        for name in events:
            self.deps.record(transaction, name, changed, user_id=user_id)
        return changed

    def _set_enabled(
        self, transaction: Transaction, current: Integration, enabled: bool, user_id: str
    ) -> Integration:
        if enabled == current.enabled:
            return current
        now = self.deps.now()
        changed = store.change(transaction, current, {"enabled": enabled}, now=now)
        name = "integration.enabled" if enabled else "integration.disabled"
        self.deps.record(transaction, name, changed, user_id=user_id)
        if not enabled:
            self.provisioning.end_in(transaction, changed)
        client = clients.find_by_id(transaction.conn, changed.oauth_client_id or "")
        if client is not None:
            self.deps.oauth_clients.set_enabled_in(
                transaction, client, enabled, integration_id=changed.id, user_id=user_id
            )
        return changed


def _find(request: SetupRequest, conn: Connection) -> Integration | None:
    return store.find_for(conn, tenant_id=request.tenant_id, organization_id=request.organization_id)


def _columns(setup: VerifiedSetup) -> dict[str, object]:
    columns: dict[str, object] = {"base_url": setup.base_url}
    if setup.project_id is not None:
        columns |= {"project_id": setup.project_id, "shares_project": setup.shares_project}
    return columns
