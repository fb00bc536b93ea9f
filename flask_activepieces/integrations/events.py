"""The audit events of integrations."""

from __future__ import annotations

from ..storage.audit import Event
from .store import Integration


def integration_event(name: str, integration: Integration, *, at: int, user_id: str | None) -> Event:
    """An event about an integration."""
    detail = {"integration_id": integration.id, "project_id": integration.project_id}
    if integration.organization_id is not None:
        detail["organization_id"] = integration.organization_id
    return Event(name=name, at=at, tenant_id=integration.tenant_id, user_id=user_id, detail=detail)
