"""Connections that do not work: found by a check, told once until they work again.

Activepieces marks a connection ERROR when its token cannot be renewed, and tells nobody. One that was announced and
never given a value is MISSING: flows fail with it all the same. What the last check found
is kept with the integration; so of several checks at once only one tells, and what works again is forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlencode

from ...api_client.resources.connection_values import OAUTH2_KINDS
from ...config.settings import Settings
from ...host.interface import Host
from ...storage.audit import Audit, Event
from ...storage.database import Database, Transaction
from .. import store as records
from ..client_factory import ClientFactory
from ..store import Integration
from .ownership import is_renewable
from .recorder import told_of
from .service import ConnectionFilter, TenantConnections

if TYPE_CHECKING:
    from ...api_client.resources.connections import Connection, ConnectionStatus


_MISSING: Literal["MISSING"] = "MISSING"
_BROKEN: tuple[ConnectionStatus, ...] = ("ERROR", _MISSING)


@dataclass(frozen=True, kw_only=True)
class BrokenConnection:
    """A connection that does not work, and where a person can mend it."""

    connection_id: str
    display_name: str
    piece_name: str
    #: ``ERROR``, or ``MISSING`` for one that was never given a value.
    status: str
    reconnect_url: str
    #: Whether the check before this one did not find it yet.
    is_new: bool


class ConnectionHealth:
    """Checks the connections of integrations."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        host: Host,
        client_factory: ClientFactory,
        connections: TenantConnections,
        *,
        audit: Audit,
    ) -> None:
        self._settings = settings
        self._database = database
        self._host = host
        self._client_factory = client_factory
        self._connections = connections
        self._audit = audit

    def check(self, integration: Integration, *, now: int) -> list[BrokenConnection]:
        """The connections that do not work; those that did at the last check are told by `connection_failed`."""
        broken = self._connections.list(integration, ConnectionFilter(statuses=_BROKEN))
        # Before the transaction: the host may look into its database for its answer.
        urls = {one.id: self.reconnect_url(integration, one) for one in broken}
        known = self._database.run_in_transaction(
            lambda transaction: self._note(transaction, integration, broken, urls, now)
        )
        return [
            BrokenConnection(
                connection_id=connection.id,
                display_name=connection.display_name,
                piece_name=connection.piece_name,
                status=connection.status,
                reconnect_url=urls[connection.id],
                is_new=connection.id not in known,
            )
            for connection in broken
        ]

    def reconnect_url(self, integration: Integration, connection: Connection) -> str:
        """Where to mend a connection: on the app's own page for it, if there is one, or as it can be without."""
        own_page = self._host.reconnect_url(integration.id, connection.id)
        return own_page or self._without_own_page(integration, connection)

    def _without_own_page(self, integration: Integration, connection: Connection) -> str:
        """By signing in again from this app, or else in Activepieces."""
        by_sign_in = (
            # The type of one that has no value yet says nothing.
            (connection.type in OAUTH2_KINDS or connection.status == _MISSING)
            and connection.piece_name in self._settings.third_party_apps
            and not integration.has_credentials
            and is_renewable(connection)
        )
        if by_sign_in and self._settings.public_url is not None:
            query = urlencode({"connectionId": connection.id})
            prefix = self._settings.public_url + self._settings.url_prefix
            return f"{prefix}/connections/{integration.id}/oauth2/start?{query}"
        server = self._client_factory.base_urls.of(integration.id, integration.base_url)
        site = server.removesuffix("/v1").removesuffix("/api")
        return f"{site}/projects/{quote(integration.project_id, safe='')}/connections"

    def _note(
        self,
        transaction: Transaction,
        integration: Integration,
        broken: Sequence[Connection],
        urls: Mapping[str, str],
        now: int,
    ) -> tuple[str, ...]:
        """Write down what is broken, and tell what is new; the connections that were known to be."""
        current = records.find(transaction.conn, integration.id, tenant_id=integration.tenant_id)
        ids = tuple(connection.id for connection in broken)
        if ids != current.failed_connection_ids:
            records.change(
                transaction, current, {"failed_connection_ids": json.dumps(ids)}, now=now
            )
        for connection in broken:
            if connection.id not in current.failed_connection_ids:
                where = {"status": connection.status, "reconnect_url": urls[connection.id]}
                event = Event(
                    name="connection.failed",
                    at=now,
                    tenant_id=integration.tenant_id,
                    detail=told_of(integration, connection) | where,
                )
                self._audit.record(transaction, event)
        return current.failed_connection_ids
