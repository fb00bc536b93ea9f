"""Grants: what a user allows a client in a tenant. A row here *is* the permission; taking it back deletes the row."""

from __future__ import annotations

from sqlalchemy import Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .base import TABLE_PREFIX, Base, HostId, Id, Instant, human_text


class GrantRow(Base):
    """One standing permission; asking again changes the row and keeps its id."""

    __tablename__ = TABLE_PREFIX + "grants"
    __table_args__ = (
        UniqueConstraint("client_id", "tenant_id", "user_id", "organization_id"),
        Index(None, "tenant_id", "user_id"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    client_id: Mapped[Id]
    tenant_id: Mapped[HostId]
    user_id: Mapped[HostId]
    #: Empty for the tenant as a whole, and not NULL: of NULLs a unique key may hold several.
    organization_id: Mapped[HostId]
    #: How the workspace was called when it was shared, for the connected-apps page.
    workspace_name: Mapped[str] = mapped_column(human_text(190))
    scope: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Instant]
    updated_at: Mapped[Instant]
