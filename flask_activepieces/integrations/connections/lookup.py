"""Finding connections of an integration.

Activepieces cannot return a single connection, and its paging loses connections that were created in the same second.
So each lookup lists all of the project's connections, and leaves out those of other tenants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...api_client.resources.connections import Connection, ConnectionScope, ConnectionStatus
from ...errors import InvalidInput, NotFound
from ..client_factory import ClientFactory
from ..store import Integration
from . import ownership


@dataclass(frozen=True, kw_only=True)
class ConnectionFilter:
    """Which connections to list."""

    piece_name: str | None = None
    #: A part of the name, ignoring case.
    display_name: str | None = None
    statuses: Sequence[ConnectionStatus] = ()
    scope: ConnectionScope | None = None


@dataclass(frozen=True)
class ConnectionLookup:
    """Lists the connections of integrations."""

    client_factory: ClientFactory

    def list(
        self,
        integration: Integration,
        filter: ConnectionFilter = ConnectionFilter(),  # noqa: B008  # frozen
    ) -> Sequence[Connection]:
        """The integration's connections, oldest first."""
        client = self.client_factory.client_for(integration, "connections.list")
        connections = client.connections.list(
            integration.project_id,
            piece_name=filter.piece_name,
            display_name=filter.display_name,
            statuses=filter.statuses,
            scope=filter.scope,
        )
        return [
            connection
            for connection in connections
            if ownership.is_owned_by(connection.metadata, connection.external_id, integration)
        ]

    def get(self, integration: Integration, connection_id: str) -> Connection:
        """One of the integration's connections; `NotFound` for any other."""
        return pick(self.list(integration), connection_id)

    def get_renewable(self, integration: Integration, connection_id: str) -> Connection:
        """A connection that may get another value by its id; `InvalidInput` if it may not."""
        connection = self.get(integration, connection_id)
        if ownership.is_renewable(connection):
            return connection
        if connection.scope == ownership.PLATFORM:
            problem = "This is a global connection. Save it again with the scope PLATFORM."
        else:
            problem = "This connection belongs to a user, who can renew it with one click."
        raise InvalidInput({"connectionId": problem})


def pick(connections: Sequence[Connection], connection_id: str) -> Connection:
    """The connection with this id; `NotFound` if there is none."""
    for connection in connections:
        if connection.id == connection_id:
            return connection
    raise NotFound("connection", connection_id)
