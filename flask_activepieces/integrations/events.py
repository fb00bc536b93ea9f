"""The audit events of integrations and their connections."""

from __future__ import annotations

from ..api_client.resources.connections import Connection
from ..storage.audit import Event
from .store import Integration


def integration_event(
    name: str, integration: Integration, *, at: int, user_id: str | None
) -> Event:
    """An event about an integration."""
    detail = {"integration_id": integration.id, "project_id": integration.project_id}
    if integration.organization_id is not None:
        detail["organization_id"] = integration.organization_id
    return Event(name=name, at=at, tenant_id=integration.tenant_id, user_id=user_id, detail=detail)


def connection_event(
    name: str,
    integration: Integration,
    connection: Connection,
    *,
    at: int,
    user_id: str | None,
    **detail: str,
) -> Event:
    """An event about a connection."""
    about = {
        "integration_id": integration.id,
        "connection_id": connection.id,
        "display_name": connection.display_name,
        "piece_name": connection.piece_name,
    }
    return Event(
        name=name,
        at=at,
        tenant_id=integration.tenant_id,
        user_id=user_id,
        detail=about | detail,
    )
