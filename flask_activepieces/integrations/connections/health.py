"""Finds broken connections, and reports each once until it works again.

Activepieces marks a connection ERROR if it cannot refresh its token, and notifies no one. One that never got a
value is MISSING, and flows fail with it, too. The integration stores what the last check found, so that of several
checks at the same time only one reports a connection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlencode

from ...api_client.resources.connection_values import OAUTH2_KINDS
from ...api_client.resources.connections import Connection, ConnectionStatus
from ...storage.database import Transaction
from .. import store
from ..client_factory import site_url
from ..dependencies import Dependencies
from ..store import Integration
from .ownership import is_renewable
from .service import ConnectionFilter, TenantConnections

_MISSING: Literal["MISSING"] = "MISSING"
_BROKEN: tuple[ConnectionStatus, ...] = ("ERROR", _MISSING)


@dataclass(frozen=True, kw_only=True)
class BrokenConnection:
    """A connection that does not work, and where a user can reconnect it."""

    connection_id: str
    display_name: str
    piece_name: str
    #: ``ERROR``, or ``MISSING`` for one that never got a value.
    status: str
    reconnect_url: str
    #: Whether the check before did not find it.
    is_new: bool


@dataclass(frozen=True)
class ConnectionHealth:
    """Checks the connections of integrations."""

    deps: Dependencies
    connections: TenantConnections

    def check(self, integration: Integration) -> list[BrokenConnection]:
        """The broken connections; the signal `connection_failed` reports the new ones."""
        broken = self.connections.list(integration, ConnectionFilter(statuses=_BROKEN))
        # Before the transaction: the host may query its database for them.
        urls = {each.id: self.reconnect_url(integration, each) for each in broken}
        known_ids = self.deps.database.run_in_transaction(
            lambda transaction: self._record(transaction, integration, broken, urls)
        )
        return [
            BrokenConnection(
                connection_id=connection.id,
                display_name=connection.display_name,
                piece_name=connection.piece_name,
                status=connection.status,
                reconnect_url=urls[connection.id],
                is_new=connection.id not in known_ids,
            )
            for connection in broken
        ]

    def reconnect_url(self, integration: Integration, connection: Connection) -> str:
        """Where to reconnect: the app's own page, else ours, else a sign-in from this app, else Activepieces."""
        host_url = self.deps.host.reconnect_url(integration.id, connection.id)
        if host_url:
            return host_url
        settings = self.deps.settings
        public_url = settings.public_url
        if public_url is not None and "connections" not in settings.disabled_pages:
            page = f"{public_url}{settings.automation_prefix}/connections/{quote(connection.id, safe='')}/reconnect"
            return f"{page}?{urlencode({'integration': integration.id})}"
        if public_url is not None and self._can_sign_in(integration, connection):
            query = urlencode({"connectionId": connection.id})
            prefix = public_url + settings.url_prefix
            return f"{prefix}/connections/{integration.id}/oauth2/start?{query}"
        site = site_url(self.deps.client_factory.base_urls.for_integration(integration))
        return f"{site}/projects/{quote(integration.project_id, safe='')}/connections"

    def _can_sign_in(self, integration: Integration, connection: Connection) -> bool:
        return (
            # The type of a connection without a value is unknown.
            (connection.type in OAUTH2_KINDS or connection.status == _MISSING)
            and connection.piece_name in self.deps.settings.third_party_apps
            and not integration.has_credentials
            and is_renewable(connection)
        )

    def _record(
        self,
        transaction: Transaction,
        integration: Integration,
        broken: Sequence[Connection],
        urls: Mapping[str, str],
    ) -> tuple[str, ...]:
        """Store what is broken and report what is new; returns the ids of the last check."""
        current = store.reload(transaction.conn, integration)
        ids = tuple(connection.id for connection in broken)
        if ids != current.failed_connection_ids:
            store.change(transaction, current, {"failed_connection_ids": ids}, now=self.deps.now())
        for connection in broken:
            if connection.id not in current.failed_connection_ids:
                detail = {"status": connection.status, "reconnect_url": urls[connection.id]}
                self.deps.record(transaction, "connection.failed", integration, connection, user_id=None, **detail)
        return current.failed_connection_ids
