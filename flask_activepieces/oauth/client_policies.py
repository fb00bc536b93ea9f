"""`ClientPolicies`: what the admins of tenants decide about clients that registered themselves."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from ..clock import Clock
from ..host.ids import checked_id
from ..storage import tables
from ..storage.audit import Audit, Event
from ..storage.database import Database, Transaction
from ..storage.dialects import upsert
from . import grants as stored_grants
from .clients.client import OPERATOR, OAuthClient, client_from_row
from .clients.policy import ClientPolicy, find_policies, table
from .grants import Grant, Grants

_clients = tables.oauth_clients
_grants = tables.grants


@dataclass(frozen=True, kw_only=True)
class ClientInUse:
    """A client that registered itself, and how many grants users of the tenant gave it."""

    client: OAuthClient
    grants: int


class ClientPolicies:
    """The policies of one app's tenants."""

    def __init__(self, database: Database, *, clock: Clock, audit: Audit, grants: Grants) -> None:
        self.database = database
        self._clock = clock
        self._audit = audit
        self._grants = grants

    def get(self, tenant_id: str) -> ClientPolicy:
        """The policy of the tenant."""
        return self.find([tenant_id])[tenant_id]

    def find(self, tenant_ids: Sequence[str]) -> dict[str, ClientPolicy]:
        """The policy of each tenant."""
        return self.database.read(lambda conn: find_policies(conn, tenant_ids))

    def allowing(self, tenant_ids: Sequence[str], hosts: Collection[str]) -> list[str]:
        """The tenants whose users may approve a client that comes from these hosts."""
        policies = self.find(tenant_ids)
        return [tenant_id for tenant_id in tenant_ids if policies[tenant_id].allows_hosts(hosts)]

    def set(self, tenant_id: str, policy: ClientPolicy, *, user_id: str | None = None) -> int:
        """Store the policy, and revoke the grants that it no longer allows; returns how many."""
        tenant, now = checked_id("tenant_id", tenant_id), int(self._clock())
        row = {"tenant_id": tenant, "mode": policy.mode, "hosts": " ".join(policy.hosts), "updated_at": now}
        detail = {"mode": policy.mode, "hosts": " ".join(policy.hosts)}
        event = Event(name="client_policy.changed", at=now, tenant_id=tenant, user_id=user_id, detail=detail)

        def store(transaction: Transaction) -> None:
            # Waits for approvals that have locked the row (see `Grants.approve`); later ones see the new policy.
            transaction.execute(upsert(table, transaction.dialect, ("mode", "hosts", "updated_at")), row)
            self._audit.record(transaction, event)

        def revoke(transaction: Transaction) -> int:
            forbidden = [
                grant
                for grant, client in _grants_of_self_registered(transaction.conn, tenant)
                if not policy.allows(client)
            ]
            self._grants.revoke_in(transaction, forbidden, reason="an administrator does not allow the app")
            return len(forbidden)

        self.database.run_in_transaction(store)
        # In a transaction of its own: at REPEATABLE READ, the first one would not see what it has waited for.
        return self.database.run_in_transaction(revoke)

    def clients_in_use(self, tenant_id: str) -> list[ClientInUse]:
        """The clients that registered themselves and have grants in the tenant, by name."""
        counted = (
            select(_grants.c.client_id, func.count().label("grants"))
            .where(_grants.c.tenant_id == checked_id("tenant_id", tenant_id))
            .group_by(_grants.c.client_id)
            .subquery()
        )
        statement = (
            select(_clients, counted.c.grants)
            .join(counted, counted.c.client_id == _clients.c.client_id)
            .where(_clients.c.source != OPERATOR)
            .order_by(_clients.c.name, _clients.c.client_id)
        )
        rows = self.database.read(lambda conn: conn.execute(statement).all())
        return [ClientInUse(client=client_from_row(row._asdict()), grants=row.grants) for row in rows]


def _grants_of_self_registered(conn: Connection, tenant_id: str) -> list[tuple[Grant, OAuthClient]]:
    statement = select(_grants).where(_grants.c.tenant_id == tenant_id)
    grants = [stored_grants.grant_from_row(row._asdict()) for row in conn.execute(statement)]
    ids = list({grant.client_id for grant in grants})
    clients: dict[str, OAuthClient] = {}
    for start in range(0, len(ids), stored_grants.BATCH_SIZE):
        batch = ids[start : start + stored_grants.BATCH_SIZE]
        rows: Any = conn.execute(
            select(_clients).where(_clients.c.client_id.in_(batch), _clients.c.source != OPERATOR)
        )
        clients |= {row.client_id: client_from_row(row._asdict()) for row in rows}
    return [(grant, clients[grant.client_id]) for grant in grants if grant.client_id in clients]
