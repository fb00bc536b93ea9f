"""Revocations: what an access token must not be part of, each row for as long as such a token could live."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from .base import TABLE_PREFIX, Base, Instant, exact_text


class RevocationRow(Base):
    """One revoked thing."""

    __tablename__ = TABLE_PREFIX + "revocations"

    #: ``token:…``, ``family:…``, ``grant:…``, ``own:…`` or ``client:…``.
    subject: Mapped[str] = mapped_column(exact_text(80), primary_key=True)
    created_at: Mapped[Instant]
    expires_at: Mapped[Instant] = mapped_column(index=True)
