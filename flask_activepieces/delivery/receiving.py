"""Whether a subscription may get events at this moment.

It has no more rights than the token that created it. It ends with the grant or the personal access token, and waits
while its OAuth client, its integration or its user is disabled. The token of a sign-in expires after an hour, and the
piece then signs in again: only its revocation ends the subscription. One statement reads all of this for each turn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, or_, select

from ..storage import tables
from ..storage.event_tables import subscriptions
from .dispatcher import Claim
from .subscriptions.records import Subscription, subscription_from_row
from .webhook_urls import WebhookServers

_grants, _tokens, _clients, _integrations = (
    tables.grants.c,
    tables.personal_tokens.c,
    tables.oauth_clients.c,
    tables.integrations.c,
)


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """A subscription, and why it has ended or waits."""

    subscription: Subscription
    #: Why it has ended.
    ended: str | None = None
    #: Why it waits.
    suspended: str | None = None


class Receivers:
    """Decides which subscriptions may get events. ``is_active``: whether a user may still use a tenant."""

    def __init__(self, servers: WebhookServers, *, is_active: Callable[[str, str], bool]) -> None:
        self._servers = servers
        self._is_active = is_active

    def find(self, conn: Connection, claim: Claim, *, now: int) -> Receiver | None:
        """The subscription of the claim; None if it was removed, or another worker has it."""
        statement = _query(now).where(
            subscriptions.c.id == claim.subscription_id, subscriptions.c.holder == claim.holder
        )
        return self._receiver(conn.execute(statement).one_or_none())

    def find_polling(self, conn: Connection, subscription: Subscription, *, now: int) -> Receiver | None:
        """The same for a flow that asks for its events; None if the subscription was removed."""
        statement = _query(now).where(
            subscriptions.c.id == subscription.id, subscriptions.c.tenant_id == subscription.tenant_id
        )
        return self._receiver(conn.execute(statement).one_or_none())

    def _receiver(self, row: Row[Any] | None) -> Receiver | None:
        if row is None:
            return None
        subscription = subscription_from_row(row)
        return Receiver(
            subscription=subscription, ended=_ended(subscription, row), suspended=self._suspended(subscription, row)
        )

    def has_inactive_user(self, subscription: Subscription) -> bool:
        """Whether the app no longer has the user in this tenant. Calls the host, outside of all transactions."""
        user_id = subscription.user_id
        return user_id is not None and not self._is_active(user_id, subscription.tenant_id)

    def _suspended(self, subscription: Subscription, row: Row[Any]) -> str | None:
        if row.client_disabled_at is not None:
            return "its OAuth client is disabled"
        if row.integration_enabled is not None and not row.integration_enabled:
            return "its integration is disabled"
        url = subscription.webhook_url
        if url is not None and not self._servers.may_be_called(url, integration_server=row.integration_server):
            return "its server is no longer that of the workspace"
        return None


def _ended(subscription: Subscription, row: Row[Any]) -> str | None:
    # Revoking a user, a tenant or a client deletes their grants.
    if subscription.grant_id is not None and row.found_grant is None:
        return "the user or an administrator has disconnected it"
    if subscription.personal_token_id is not None and row.found_token is None:
        return "its personal access token was revoked or has expired"
    if subscription.client_id is not None and row.found_client is None:
        return "its OAuth client was deleted"
    if subscription.integration_id is not None and row.found_integration is None:
        return "its integration was removed"
    return None


def _query(now: int) -> Select[Any]:
    subscription = subscriptions.c
    is_valid = or_(_tokens.expires_at.is_(None), _tokens.expires_at > now, _tokens.kind == "sign_in")
    return (
        select(
            subscriptions,
            _grants.id.label("found_grant"),
            _tokens.id.label("found_token"),
            _clients.client_id.label("found_client"),
            _clients.disabled_at.label("client_disabled_at"),
            _integrations.id.label("found_integration"),
            _integrations.enabled.label("integration_enabled"),
            _integrations.base_url.label("integration_server"),
        )
        .outerjoin_from(subscriptions, tables.grants, _grants.id == subscription.grant_id)
        .outerjoin(tables.personal_tokens, and_(_tokens.id == subscription.personal_token_id, is_valid))
        .outerjoin(tables.oauth_clients, _clients.client_id == subscription.client_id)
        .outerjoin(tables.integrations, _integrations.id == subscription.integration_id)
    )
