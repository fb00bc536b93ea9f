"""Which tenants the tables know: an app's tenants are its own, and the extension has no list of them."""

from __future__ import annotations

from sqlalchemy import Connection, exists, or_, select

from ..host.ids import checked_id
from . import tables


def is_known(connection: Connection, tenant_id: str) -> bool:
    """Whether a client, a grant or an integration belongs to the tenant."""
    holders = (tables.oauth_clients, tables.grants, tables.integrations)
    tenant = checked_id("tenant_id", tenant_id)
    statement = select(or_(*(exists().where(table.c.tenant_id == tenant) for table in holders)))
    return bool(connection.execute(statement).scalar())
