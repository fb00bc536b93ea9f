"""Members of projects: users of the app become one with their first token, and are removed when their access ends.

Activepieces creates users when they sign in, and never removes them: their sessions last seven days. So this app
remembers whom it has signed in. When their access ends, it deactivates them, which ends all their sessions, and
deletes their membership. Whoever still has a token could become a member again, but stays inactive; they are removed
once more when that token has expired.

If Activepieces is unreachable, the removal stays due, and `deprovision_due` tries again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from ...api_client.client import ActivepiecesClient
from ...api_client.errors import (
    ApiError,
    CredentialNotSupported,
    InvalidRequest,
    PermissionDenied,
    ResourceNotFound,
    ServerError,
)
from ...api_client.resources.people import Member
from ...clock import CLOCK_SKEW
from ...errors import NotFound, Unavailable
from ...host.ids import checked_id
from ...storage.audit import Event
from ...storage.database import Transaction
from ..connections.leases import Leases
from ..dependencies import Dependencies
from ..store import Integration
from . import store
from .store import ProvisionedUser
from .users import service_user_id

log = logging.getLogger(__name__)

_INACTIVE = "INACTIVE"
#: How many users are removed at once, while a request waits for it.
AT_ONCE = 10
#: The longest life of a token that the API client signs for calls of this app.
_SERVICE_TOKEN = 300


@dataclass(frozen=True)
class Provisioning:
    """The members of one app's projects."""

    deps: Dependencies
    leases: Leases

    def provision(self, user: ProvisionedUser) -> None:
        """Record a user who is about to get a token; users whose access had ended may sign in again.

        `NotFound` if the app no longer has the user there: their access may have ended during this request.
        """
        if self.deps.database.run_in_transaction(lambda transaction: store.renew(transaction, user)):
            return
        with self.leases.acquire("user", user.id):
            if user.user_id is not None and self.deps.host.load_principal(user.user_id, user.tenant_id) is None:
                raise NotFound("user", user.user_id)
            self._activate(user)
            self.deps.database.run_in_transaction(partial(self._record_provisioned, user))

    def list(self, *, tenant_id: str | None = None) -> Sequence[ProvisionedUser]:
        """Who may be a member of a project: for operators."""
        return self.deps.database.read(lambda conn: store.list_all(conn, tenant_id=tenant_id))

    def end_access(self, *, user_id: str | None = None, tenant_id: str | None = None) -> int:
        """Remove a user, in one tenant or in all, or all users of a tenant; returns how many."""
        given = {"user_id": user_id, "tenant_id": tenant_id}
        columns = {name: checked_id(name, value) for name, value in given.items() if value is not None}
        assert columns, "all users of all tenants"
        ended = self.deps.database.run_in_transaction(
            lambda transaction: store.end(transaction, now=self.deps.now(), **columns)
        )
        if ended:
            self._deprovision_at_once()
        return ended

    def end_in(self, transaction: Transaction, integration: Integration) -> None:
        """As a part of a transaction that removes or disables the integration: remove its users."""
        store.end(transaction, now=self.deps.now(), integration_id=integration.id)
        transaction.after_commit.append(self._deprovision_at_once)

    def end_tenant_in(self, transaction: Transaction, tenant_id: str) -> None:
        """As a part of a transaction that removes the tenant: remove its users."""
        store.end(transaction, now=self.deps.now(), tenant_id=tenant_id)
        transaction.after_commit.append(self._deprovision_at_once)

    def end_service_user_in(self, transaction: Transaction, integration: Integration) -> None:
        """As a part of a transaction that removes the integration: remove also the user of this app's own calls."""
        factory = self.deps.client_factory
        if (
            self.deps.settings.signing_key is None
            or integration.has_credentials
            or factory.shares_project(integration)
        ):
            return
        now = self.deps.now()
        external_id = service_user_id(integration.id)
        user = store.new_user(integration, external_id, user_id=None, now=now, token_expires_at=now + _SERVICE_TOKEN)
        store.insert(transaction, user)

    def end_lost_access(self) -> Sequence[ProvisionedUser]:
        """End the access of users whom the app no longer has in that tenant, or allows less; returns them."""
        lost = [user for user in self.list() if user.removal_due_at is None and self._has_lost_access(user)]
        if lost:
            self.deps.database.run_in_transaction(partial(self._end_all, lost))
        return lost

    def deprovision_due(self, *, limit: int | None = None) -> Sequence[ProvisionedUser]:
        """Remove the users who are due; returns those for whom it failed, with the reason in the log."""
        due = self.deps.database.read(lambda conn: store.list_due(conn, self.deps.now()))[:limit]
        left: list[ProvisionedUser] = []
        for number, user in enumerate(due):
            try:
                self._deprovision(user)
            except (ApiError, Unavailable) as error:
                may_go_on = _concerns_one_user(error)
                failed = [user] if may_go_on else due[number:]
                left += failed
                log.warning(
                    "%s of the embedded builder could not be removed from Activepieces, and will be later: %s",
                    "1 user" if len(failed) == 1 else f"{len(failed)} users",
                    error,
                )
                if not may_go_on:
                    break
        return tuple(left)

    def platform_client(self) -> ActivepiecesClient:
        """A client that manages the users of the platform."""
        factory = self.deps.client_factory
        if factory.app_api_key is None:
            log.warning("ACTIVEPIECES_API_KEY is not set")
            raise CredentialNotSupported(
                "users.update",
                credential="the app's own key",
                detail="this app has no key of its own",
                remedy="Ask the operator of this app to set up an API key for the platform with the signing key.",
            )
        return factory.client_with(factory.base_urls.configured, factory.app_api_key)

    def _has_lost_access(self, user: ProvisionedUser) -> bool:
        host = self.deps.host
        if user.user_id is None:
            return False
        principal = host.load_principal(user.user_id, user.tenant_id)
        if principal is None:
            return True
        # A session keeps its role, so it must end. With the next token, the user gets the role that is left.
        return user.permission is not None and not host.allows(principal, user.permission)

    def _deprovision_at_once(self) -> None:
        try:
            self.deprovision_due(limit=AT_ONCE)
        except Unavailable as error:
            # What ended their access is committed.
            log.warning("Users of the embedded builder will be removed later: %s", error)

    def _deprovision(self, user: ProvisionedUser) -> None:
        with self.leases.acquire("user", user.id):
            current = self.deps.database.read(lambda conn: store.get(conn, user.id))
            if current is None or current.removal_due_at is None:
                return  # removed, or allowed again, meanwhile
            was_active = self._remove_upstream(current)
            self.deps.database.run_in_transaction(partial(self._record_removed, current, was_active))

    def _remove_upstream(self, user: ProvisionedUser) -> bool:
        """Deactivate the user, and delete the membership; returns whether they were active."""
        client = self.platform_client()
        found = client.users.find(user.external_id)
        if found is None:
            return False  # never signed in
        was_active = found.status != _INACTIVE
        if was_active:
            client.users.update(found.id, active=False)
        for member in self._members(client, user.project_id):
            if member.user_id == found.id:
                client.members.delete(member.id)
        return was_active

    def _members(self, client: ActivepiecesClient, project_id: str) -> Iterable[Member]:
        try:
            return client.members.list(project_id)
        except ResourceNotFound:
            return ()  # the project was deleted

    def _activate(self, user: ProvisionedUser) -> None:
        client = self.platform_client()
        found = client.users.find(user.external_id)
        if found is not None and found.status == _INACTIVE:
            client.users.update(found.id, active=True)

    def _record_provisioned(self, user: ProvisionedUser, transaction: Transaction) -> None:
        if not store.insert(transaction, user):
            store.allow(transaction, user)
        self._record(transaction, "user.provisioned", user)

    def _record_removed(self, user: ProvisionedUser, was_active: bool, transaction: Transaction) -> None:
        no_longer_valid = user.token_expires_at + CLOCK_SKEW
        if no_longer_valid > self.deps.now():
            store.postpone(transaction, user, no_longer_valid)
        else:
            store.forget(transaction, user)
        if was_active:
            self._record(transaction, "user.deprovisioned", user)

    def _end_all(self, users: Sequence[ProvisionedUser], transaction: Transaction) -> None:
        for user in users:
            store.end(transaction, now=self.deps.now(), id=user.id)

    def _record(self, transaction: Transaction, name: str, user: ProvisionedUser) -> None:
        detail = {"integration_id": user.integration_id, "project_id": user.project_id}
        event = Event(name=name, at=self.deps.now(), tenant_id=user.tenant_id, user_id=user.user_id, detail=detail)
        self.deps.audit.record(transaction, event)


def _concerns_one_user(error: ApiError | Unavailable) -> bool:
    """After any other error, the other users would fail for the same reason, and each would wait for a timeout."""
    if isinstance(error, ServerError):
        return error.status == 500  # others come from a proxy
    return isinstance(error, PermissionDenied | ResourceNotFound | InvalidRequest)
