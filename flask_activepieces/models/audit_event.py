"""Audit events: who did what to which grant or client, and when. Never a secret, a code or a token."""

from __future__ import annotations

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from .base import TABLE_PREFIX, Base, HostId, Id, Instant, Serial, exact_text


class AuditEventRow(Base):
    """One event. Issuing and refreshing leave no row: the token family's own row says when, and how often."""

    __tablename__ = TABLE_PREFIX + "audit_events"
    __table_args__ = (Index(None, "tenant_id", "at"),)

    id: Mapped[Serial]
    name: Mapped[str] = mapped_column(exact_text(40))
    tenant_id: Mapped[HostId | None]
    user_id: Mapped[HostId | None]
    client_id: Mapped[Id | None]
    grant_id: Mapped[Id | None]
    family_id: Mapped[Id | None]
    #: A JSON object of short texts; plain text to the database, which never looks inside.
    detail: Mapped[str] = mapped_column(Text)
    at: Mapped[Instant]
