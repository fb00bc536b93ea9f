"""The users whom the app has signed in to a project: a row for each user who may be a member there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, delete, select, update

from ...crypto.keyring import context_of, sha256_hex
from ...host.ids import checked_id
from ...host.interface import Permission
from ...storage import tables
from ...storage.database import Transaction
from ...storage.dialects import insert_ignore
from ..store import Integration

_table = tables.provisioned_users


@dataclass(frozen=True, kw_only=True)
class ProvisionedUser:
    """A user of the app in a project of Activepieces."""

    id: str
    tenant_id: str
    organization_id: str
    #: None: the user as whom the app itself calls Activepieces.
    user_id: str | None
    integration_id: str
    project_id: str
    external_id: str
    #: By which permission in the app they may use the builder, the largest one since their access began; None: the
    #: app chose their role.
    permission: Permission | None
    created_at: int
    token_expires_at: int
    #: When to remove them from the project; None: they may use it.
    removal_due_at: int | None


def new_user(
    integration: Integration,
    external_id: str,
    *,
    user_id: str | None,
    permission: Permission | None = None,
    now: int,
    token_expires_at: int,
) -> ProvisionedUser:
    """The row of a user who may use the project."""
    return ProvisionedUser(
        # The external id may be longer than a key can be.
        id=sha256_hex(context_of(integration.project_id, external_id)),
        tenant_id=integration.tenant_id,
        organization_id=integration.organization_id or "",
        user_id=user_id,
        integration_id=integration.id,
        project_id=integration.project_id,
        external_id=external_id,
        permission=permission,
        created_at=now,
        token_expires_at=token_expires_at,
        removal_due_at=None,
    )


def get(conn: Connection, row_id: str) -> ProvisionedUser | None:
    """The row, if it exists."""
    row = conn.execute(select(_table).where(_table.c.id == row_id)).one_or_none()
    return None if row is None else ProvisionedUser(**row._asdict())


def list_all(conn: Connection, *, tenant_id: str | None = None) -> Sequence[ProvisionedUser]:
    """All rows, or those of a tenant, by tenant."""
    statement = select(_table).order_by(_table.c.tenant_id, _table.c.created_at, _table.c.id)
    if tenant_id is not None:
        statement = statement.where(_table.c.tenant_id == checked_id("tenant_id", tenant_id))
    return [ProvisionedUser(**row._asdict()) for row in conn.execute(statement)]


def list_due(conn: Connection, now: int) -> Sequence[ProvisionedUser]:
    """The users to remove now; those whose access ended last come first, because a request waits for them."""
    order = (_table.c.removal_due_at.desc(), _table.c.id)
    statement = select(_table).where(_table.c.removal_due_at <= now).order_by(*order)
    return [ProvisionedUser(**row._asdict()) for row in conn.execute(statement)]


def insert(transaction: Transaction, user: ProvisionedUser) -> bool:
    """Whether the user had no row."""
    return transaction.execute_rowcount(insert_ignore(_table, transaction.dialect), vars(user)) == 1


def renew(transaction: Transaction, user: ProvisionedUser) -> bool:
    """Whether the user already may use the project, now with a token until then.

    The largest permission stays in the row: their session, or an older token, may still have its role.
    """
    may_use = (_table.c.id == user.id) & _table.c.removal_due_at.is_(None)
    values: dict[str, Any] = {"token_expires_at": user.token_expires_at, "integration_id": user.integration_id}
    if user.permission is not None:
        values["permission"] = case((_table.c.permission == "edit", "edit"), else_=user.permission)
    return transaction.execute_rowcount(update(_table).where(may_use).values(**values)) == 1


def allow(transaction: Transaction, user: ProvisionedUser) -> None:
    """The user, who has a row, may use the project, with a token until then."""
    values = {
        "token_expires_at": user.token_expires_at,
        "removal_due_at": None,
        "integration_id": user.integration_id,
        "permission": user.permission,
    }
    transaction.execute(update(_table).where(_table.c.id == user.id).values(**values))


def end(transaction: Transaction, *, now: int, **columns: str) -> int:
    """Users with these columns are to be removed; returns how many."""
    statement = update(_table).filter_by(**columns).where(_table.c.removal_due_at.is_(None))
    return transaction.execute_rowcount(statement.values(removal_due_at=now))


def postpone(transaction: Transaction, user: ProvisionedUser, until: int) -> None:
    """Remove the user once more, when no token of theirs is valid any longer."""
    is_due = (_table.c.id == user.id) & (_table.c.removal_due_at == user.removal_due_at)
    transaction.execute(update(_table).where(is_due).values(removal_due_at=until))


def forget(transaction: Transaction, user: ProvisionedUser) -> None:
    """The user is no member any more, and cannot become one with an old token."""
    is_due = (_table.c.id == user.id) & (_table.c.removal_due_at == user.removal_due_at)
    transaction.execute(delete(_table).where(is_due))
