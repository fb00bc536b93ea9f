"""Which tenants the tables know: an app's tenants are its own, and the extension has no list of them."""

from __future__ import annotations

from sqlalchemy import Connection, exists, or_, select

from ..host_ids import checked_id
from ..models import GrantRow, IntegrationRow, OAuthClientRow


def is_known(connection: Connection, tenant_id: str) -> bool:
    """Whether a client, a grant or an integration belongs to the tenant."""
    rows = (OAuthClientRow, GrantRow, IntegrationRow)
    tenant = checked_id("tenant_id", tenant_id)
    statement = select(or_(*(exists().where(row.tenant_id == tenant) for row in rows)))
    return bool(connection.execute(statement).scalar())
