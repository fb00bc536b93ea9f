"""Which tenants have data here. The app's own list of tenants is not known to the extension."""

from __future__ import annotations

from sqlalchemy import exists, or_, select

from ..host.ids import checked_id
from . import tables
from .database import Database


def has_tenant(database: Database, tenant_id: str) -> bool:
    """Whether a client, a grant or an integration belongs to the tenant."""
    checked_id("tenant_id", tenant_id)
    owners = (tables.oauth_clients, tables.grants, tables.integrations)
    statement = select(or_(*(exists().where(t.c.tenant_id == tenant_id) for t in owners)))
    return bool(database.read(lambda conn: conn.scalar(statement)))
