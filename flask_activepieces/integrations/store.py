"""Integrations in storage: reading them without their secrets, and changing them so that no change is lost."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Select, delete, select, update

from ..crypto.keyring import looks_like_id
from ..errors import NotFound
from ..host.ids import checked_id, checked_optional_id
from ..storage import tables
from ..storage.database import ConcurrentUpdate, Transaction
from ..storage.upserts import insert_ignore

_table = tables.integrations


@dataclass(frozen=True, kw_only=True)
class Integration:
    """A tenant's, or an organization's, link to one Activepieces project; no secret is on it."""

    id: str
    tenant_id: str
    organization_id: str | None
    #: None: the server that the app is configured for.
    base_url: str | None
    project_id: str
    #: Whether it was set up in the project of all tenants on the app's own key.
    shares_project: bool
    #: Whether it has credentials of its own; without, the app's own key is used.
    has_credentials: bool
    credential_hint: str | None
    enabled: bool
    default_connection_id: str | None
    default_connection_external_id: str | None
    oauth_client_id: str | None
    #: The connections that the last check found broken.
    failed_connection_ids: tuple[str, ...]
    revision: int
    created_at: int
    updated_at: int


def project_external_id(tenant_id: str, organization_id: str | None) -> str:
    """By which id a tenant's own project is known: the tenant's, so written that no two tenants share one."""
    if organization_id is None:
        return quote(tenant_id, safe="")
    return f"{quote(tenant_id, safe='')}/{quote(organization_id, safe='')}"


_PLAIN = [field.name for field in fields(Integration) if field.name != "has_credentials"]
_ALL: Select[Any] = select(
    *[_table.c[name] for name in _PLAIN], _table.c.credentials.is_not(None).label("has_credentials")
)
_IN_ORDER = (_table.c.tenant_id, _table.c.organization_id)


@dataclass(frozen=True)
class EncryptedSecrets:
    """The secrets of an integration as they are stored: encrypted."""

    credentials: str | None
    oauth_client_secret: str | None


def find(connection: Connection, integration_id: str, *, tenant_id: str) -> Integration:
    """The tenant's own integration; `NotFound` for any other."""
    tenant = checked_id("tenant_id", tenant_id)
    statement = _ALL.where(_table.c.id == integration_id, _table.c.tenant_id == tenant)
    found = _integrations(connection, statement) if looks_like_id(integration_id) else []
    if not found:
        raise NotFound("integration", integration_id)
    return found[0]


def find_for(
    connection: Connection, *, tenant_id: str, organization_id: str | None
) -> Integration | None:
    """The integration of the tenant as a whole, or of the organization; there is at most one."""
    statement = _ALL.where(
        _table.c.tenant_id == checked_id("tenant_id", tenant_id),
        _table.c.organization_id == (checked_optional_id("organization_id", organization_id) or ""),
    )
    return next(iter(_integrations(connection, statement)), None)


def list_for_tenant(connection: Connection, tenant_id: str) -> list[Integration]:
    """The tenant's integrations, that of the tenant as a whole first."""
    tenant = checked_id("tenant_id", tenant_id)
    return _integrations(connection, _ALL.where(_table.c.tenant_id == tenant).order_by(*_IN_ORDER))


def list_all(connection: Connection) -> list[Integration]:
    """Every integration: for operators at the command line only."""
    return _integrations(connection, _ALL.order_by(*_IN_ORDER))


def encrypted_secrets(connection: Connection, integration: Integration) -> EncryptedSecrets:
    """The integration's secrets, encrypted."""
    statement = select(_table.c.credentials, _table.c.oauth_client_secret).where(
        _table.c.id == integration.id, _table.c.tenant_id == integration.tenant_id
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise NotFound("integration", integration.id)
    return EncryptedSecrets(*row)


def add(transaction: Transaction, values: dict[str, Any], *, now: int) -> Integration:
    """The new integration; `ConcurrentUpdate` when its tenant or organization has just been given one."""
    row = {
        "enabled": True,
        "default_connection_id": None,
        "default_connection_external_id": None,
        "oauth_client_id": None,
        "oauth_client_secret": None,
        "failed_connection_ids": "[]",
        "revision": 1,
        "created_at": now,
        "updated_at": now,
    } | values
    if transaction.execute_rowcount(insert_ignore(_table, transaction.conn.dialect.name), row) == 0:
        raise ConcurrentUpdate
    return find(transaction.conn, row["id"], tenant_id=row["tenant_id"])


def change(
    transaction: Transaction, integration: Integration, values: dict[str, Any], *, now: int
) -> Integration:
    """The integration with these columns changed; `ConcurrentUpdate` if it was changed since it was read."""
    statement = (
        update(_table)
        .where(
            _table.c.id == integration.id,
            _table.c.tenant_id == integration.tenant_id,
            _table.c.revision == integration.revision,
        )
        .values(values | {"revision": integration.revision + 1, "updated_at": now})
    )
    if transaction.execute_rowcount(statement) == 0:
        raise ConcurrentUpdate
    return find(transaction.conn, integration.id, tenant_id=integration.tenant_id)


def remove(transaction: Transaction, integration: Integration) -> bool:
    """Whether the integration was there to be deleted."""
    statement = delete(_table).where(
        _table.c.id == integration.id, _table.c.tenant_id == integration.tenant_id
    )
    return transaction.execute_rowcount(statement) == 1


def _integrations(connection: Connection, statement: Select[Any]) -> list[Integration]:
    return [_integration_of(row._asdict()) for row in connection.execute(statement)]


def _integration_of(values: dict[str, Any]) -> Integration:
    return Integration(
        **values
        | {
            "organization_id": values["organization_id"] or None,
            "has_credentials": bool(values["has_credentials"]),
            "failed_connection_ids": tuple(json.loads(values["failed_connection_ids"])),
        }
    )
