"""Integrations in the database. An update names the revision that it is based on, so that no other update is lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, delete, select, update

from ..errors import NotFound
from ..host.ids import checked_id, checked_optional_id
from ..storage import tables
from ..storage.database import ConcurrentUpdate, Transaction
from ..storage.dialects import insert_ignore

_table = tables.integrations


@dataclass(frozen=True, kw_only=True)
class Integration:
    """The link of a tenant, or of one of its organizations, to an Activepieces project."""

    id: str
    tenant_id: str
    organization_id: str | None
    #: None: the server in the app's settings.
    base_url: str | None
    project_id: str
    #: Whether it was set up in the project that all tenants on the app's own key share.
    shares_project: bool
    #: None: it uses the app's own key.
    encrypted_credentials: str | None = field(repr=False)
    credential_hint: str | None
    enabled: bool
    default_connection_id: str | None
    default_connection_external_id: str | None
    oauth_client_id: str | None
    encrypted_client_secret: str | None = field(repr=False)
    #: The connections that the last check found broken.
    failed_connection_ids: tuple[str, ...]
    revision: int
    created_at: int
    updated_at: int

    @property
    def has_credentials(self) -> bool:
        """Whether it has credentials of its own; otherwise it uses the app's own key."""
        return self.encrypted_credentials is not None


def project_external_id(tenant_id: str, organization_id: str | None) -> str:
    """The external id of the project of a tenant or organization, different for each of them."""
    if organization_id is None:
        return quote(tenant_id, safe="")
    return f"{quote(tenant_id, safe='')}/{quote(organization_id, safe='')}"


def get(conn: Connection, integration_id: str, *, tenant_id: str) -> Integration:
    """The tenant's integration with this id; `NotFound` for any other."""
    found = _find(conn, id=integration_id, tenant_id=checked_id("tenant_id", tenant_id))
    if not found:
        raise NotFound("integration", integration_id)
    return found[0]


def reload(conn: Connection, integration: Integration) -> Integration:
    """The integration as it is now; `NotFound` if it was removed."""
    return get(conn, integration.id, tenant_id=integration.tenant_id)


def find_for(conn: Connection, *, tenant_id: str, organization_id: str | None) -> Integration | None:
    """The integration of the tenant as a whole, or of the organization; there is at most one."""
    organization = checked_optional_id("organization_id", organization_id) or ""
    found = _find(conn, tenant_id=checked_id("tenant_id", tenant_id), organization_id=organization)
    return found[0] if found else None


def list_for_tenant(conn: Connection, tenant_id: str) -> list[Integration]:
    """The tenant's integrations, that of the tenant as a whole first."""
    return _find(conn, tenant_id=checked_id("tenant_id", tenant_id))


def list_all(conn: Connection) -> list[Integration]:
    """The integrations of all tenants: for operators at the command line only."""
    return _find(conn)


def is_alone_in_project(conn: Connection, integration: Integration) -> bool:
    """Whether no other integration is for the same project."""
    others = (_table.c.project_id == integration.project_id) & (_table.c.id != integration.id)
    return conn.execute(select(_table.c.id).where(others).limit(1)).first() is None


def insert(transaction: Transaction, values: Mapping[str, Any], *, now: int) -> Integration:
    """The new integration; `ConcurrentUpdate` if its tenant or organization got one meanwhile."""
    unset = dict.fromkeys(Integration.__dataclass_fields__)
    defaults = {"enabled": True, "failed_connection_ids": (), "revision": 1}
    row = _to_row({**unset, **defaults, "created_at": now, "updated_at": now, **values})
    if transaction.execute_rowcount(insert_ignore(_table, transaction.dialect), row) == 0:
        raise ConcurrentUpdate
    return _from_row(row)


def change(transaction: Transaction, integration: Integration, values: Mapping[str, Any], *, now: int) -> Integration:
    """The integration with these values; `ConcurrentUpdate` if it was updated since it was read."""
    values = {**values, "revision": integration.revision + 1, "updated_at": now}
    key = {"id": integration.id, "tenant_id": integration.tenant_id, "revision": integration.revision}
    if transaction.execute_rowcount(update(_table).filter_by(**key).values(_to_row(values))) == 0:
        raise ConcurrentUpdate
    return _from_row(_to_row({**vars(integration), **values}))


def remove(transaction: Transaction, integration: Integration) -> bool:
    """Whether the integration existed and was deleted."""
    key = {"id": integration.id, "tenant_id": integration.tenant_id}
    return transaction.execute_rowcount(delete(_table).filter_by(**key)) == 1


def _find(conn: Connection, **columns: str) -> list[Integration]:
    ordered = select(_table).order_by(_table.c.tenant_id, _table.c.organization_id)
    return [_from_row(row._asdict()) for row in conn.execute(ordered.filter_by(**columns))]


def _to_row(values: Mapping[str, Any]) -> dict[str, Any]:
    row = dict(values)
    if "organization_id" in row:
        row["organization_id"] = row["organization_id"] or ""
    if "failed_connection_ids" in row:
        row["failed_connection_ids"] = json.dumps(row["failed_connection_ids"])
    return row


def _from_row(row: Mapping[str, Any]) -> Integration:
    return Integration(
        **{
            **row,
            "organization_id": row["organization_id"] or None,
            "failed_connection_ids": tuple(json.loads(row["failed_connection_ids"])),
        }
    )
