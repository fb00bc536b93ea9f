"""Who subscribes to events."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Subscriber:
    """Whose token subscribes."""

    tenant_id: str
    organization_id: str | None
    user_id: str | None
    client_id: str | None
    grant_id: str | None
    personal_token_id: str | None
    scope: str
