"""Leases: who may do something at Activepieces that only one may do at a time, and until when."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from .base import TABLE_PREFIX, Base, Id, Instant, exact_text


class LeaseRow(Base):
    """One lease. It is deleted when the work is done, and ends by itself when the worker died."""

    __tablename__ = TABLE_PREFIX + "leases"

    #: SHA-256 of what is leased, as hex.
    name: Mapped[str] = mapped_column(exact_text(64), primary_key=True)
    holder: Mapped[Id]
    until: Mapped[Instant] = mapped_column(index=True)
